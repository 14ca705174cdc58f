"""Telling Square about parcels and stock, so that telling it twice does no harm.

A fulfillment is completed once. While parts of it are still to come, it is "prepared", carries every tracking number
so far, and keeps in its metadata what each of our parcels held: so the last parcel is known to be the last, and one
told again is known too. The order's version keeps two tellers apart. A count is absolute; its idempotency key holds its
time, because the same key with another time would be refused. Not verified against the live platform (documented
guess): the names in ``CARRIERS``, which are shown to the buyer.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from audit.rules.sentences import say
from channels.adapters import calls, telling
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.square import client
from channels.messages import Outgoing, ShipmentNotice, StockFigure

CARRIERS: Final = {"SF": "SF Express", "ZTO": "ZTO Express", "YTO": "YTO Express", "STO": "STO Express", "EMS": "EMS"}
BEHIND: Final = timedelta(seconds=2)  # a time of the future is refused, and clocks differ
OPEN: Final = frozenset({"PROPOSED", "RESERVED", "PREPARED"})
OURS: Final = "hub_"


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, ShipmentNotice):
        return _ship(message, connection, key=key)
    if isinstance(message, StockFigure):
        return _count(message, connection, key=key)
    raise telling.not_offered(client.PLATFORM)


def _count(figure: StockFigure, connection: Connection, *, key: str) -> str:
    occurred_at = (datetime.now(UTC) - BEHIND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    count = {
        "catalog_object_id": client.checked(figure.external_sku_id),
        "state": "IN_STOCK",
        "location_id": str(connection.options.get("location_id") or client.locations(connection)[0]),
        "quantity": str(telling.quantity(client.PLATFORM, figure)),
        "occurred_at": occurred_at,
    }
    change = {"type": "PHYSICAL_COUNT", "physical_count": count}
    body = {"idempotency_key": _key(key, occurred_at), "changes": [change], "ignore_unchanged_counts": True}
    return _told(client.call(connection, "POST", "/v2/inventory/changes/batch-create", body))


def _ship(notice: ShipmentNotice, connection: Connection, *, key: str) -> str:
    names = {notice.carrier_code: notice.carrier_code, **CARRIERS}
    carrier = telling.carrier(client.PLATFORM, notice, names, connection.options)
    path = f"/v2/orders/{client.checked(notice.order_external_id)}"
    order = client.call(connection, "GET", path).get("order") or {}
    sent = [row for row in order.get("fulfillments") or [] if row.get("type") == "SHIPMENT"]
    if any(_knows(row, notice) for row in sent):
        return "known"
    if not order.get("version"):
        raise Rejected(say("Square does not let order %(number)s be changed.", number=notice.order_external_id))
    held = telling.units(notice)
    for row in sent:
        parts, told_so_far = _parts(order, row), _held_before(row) + held
        if row.get("state") in OPEN and held and told_so_far <= parts:
            change = _change(row, notice, carrier, is_last=told_so_far == parts)
            told = {"location_id": order["location_id"], "version": order["version"], "fulfillments": [change]}
            body = {"order": told, "idempotency_key": _key(key, str(order["version"]))}
            return _told(client.call(connection, "PUT", path, body))
    raise Rejected(say("Square has nothing left to ship that parcel %(parcel)s holds.", parcel=notice.parcel_number))


def _knows(fulfillment: dict[str, Any], notice: ShipmentNotice) -> bool:
    is_completed = fulfillment.get("state") == "COMPLETED"
    is_kept = OURS + notice.parcel_number in (fulfillment.get("metadata") or {})
    return is_kept or (is_completed and notice.tracking_number in _numbers(fulfillment))


def _numbers(fulfillment: dict[str, Any]) -> list[str]:
    told = str((fulfillment.get("shipment_details") or {}).get("tracking_number") or "")
    return [number for number in told.split(", ") if number]


def _parts(order: dict[str, Any], fulfillment: dict[str, Any]) -> Counter[str]:
    """Return what a fulfillment holds: its entries, or all lines of the order."""
    if fulfillment.get("entries"):
        return Counter({row["line_item_uid"]: int(Decimal(row["quantity"])) for row in fulfillment["entries"]})
    return Counter({row["uid"]: int(Decimal(row["quantity"])) for row in order.get("line_items") or []})


def _held_before(fulfillment: dict[str, Any]) -> Counter[str]:
    """Return what our earlier parcels of a fulfillment held, from what was written into its metadata."""
    told: Counter[str] = Counter()
    for name, value in (fulfillment.get("metadata") or {}).items():
        if name.startswith(OURS):
            told.update({uid: int(count) for uid, _, count in (part.rpartition("=") for part in value.split(","))})
    return told


def _change(row: dict[str, Any], notice: ShipmentNotice, carrier: str, *, is_last: bool) -> dict[str, Any]:
    details = {
        "carrier": carrier,
        "tracking_number": ", ".join([*_numbers(row), notice.tracking_number]),
    }
    if is_last:
        shipped_at = notice.shipped_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        details["shipped_at"] = shipped_at
    before = {name: value for name, value in (row.get("metadata") or {}).items() if name.startswith(OURS)}
    held = ",".join(f"{line.external_line_id}={line.quantity}" for line in notice.lines)
    return {
        "uid": row["uid"],
        "state": "COMPLETED" if is_last else "PREPARED",
        "shipment_details": details,
        "metadata": {**before, OURS + notice.parcel_number: held},
    }


def _key(key: str, what: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{key}:{what}"))


def _told(answer: dict[str, Any]) -> str:
    return calls.shown(calls.written(answer))
