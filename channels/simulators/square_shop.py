"""What the simulated merchant holds: orders, catalogue and counts, and the rules by which they change."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

LOCATION = "L1"
RECEIVER = {
    "name": "韩磊",
    "phone": "13800000000",
    "province": "浙江省",
    "city": "杭州市",
    "line": "文三路 1 号",
}
OLDEST_COUNT = timedelta(hours=24)
SoldLine = tuple[str, str, int, Decimal]  # the variation's number, title, quantity, unit price


class SquareError(Exception):
    """A refusal: its HTTP status and what stands in ``errors``."""

    def __init__(self, status: int, code: str, detail: str = "", *, category: str = "INVALID_REQUEST_ERROR") -> None:
        super().__init__(status, code, detail)
        self.status = status
        self.error = {"category": category, "code": code, "detail": detail}


def missing(name: str) -> SquareError:
    """Make the answer to a request that leaves something out."""
    return SquareError(400, "MISSING_REQUIRED_PARAMETER", f"{name} is required")


@dataclass
class Shop:
    """The rows of one merchant. Not locked: the platform does that."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    catalogue: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[tuple[str, str], tuple[str, Decimal]] = field(
        default_factory=dict
    )  # variation, location → when, how many
    answers: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)  # by idempotency key

    def put(self, order: Mapping[str, Any]) -> str:
        """Take an order; raises ``ValueError`` for one that the platform could not have."""
        for name in ("id", "location_id", "state", "updated_at"):
            if name not in order:
                raise ValueError(f"an order needs {name}")
        datetime.fromisoformat(order["updated_at"])
        self.orders[order["id"]] = deepcopy(dict(order))
        return str(order["id"])

    def once(self, key: Any, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the answer that a key had before, None for a new one; raises ``SquareError`` for another request."""
        if not key:
            raise missing("idempotency_key")
        known = self.answers.get(str(key))
        if known and known[0] != json.dumps(asked, sort_keys=True):
            raise SquareError(400, "IDEMPOTENCY_KEY_REUSED", "the key was used with another request")
        return known[1] if known else None

    def keep(self, key: Any, asked: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Keep the answer of a key."""
        self.answers[str(key)] = json.dumps(asked, sort_keys=True), deepcopy(answer)
        return answer

    def update(self, number: str, told: Mapping[str, Any], *, at: str) -> dict[str, Any]:
        """Change an open order's fulfillments, what is not named stays; raises ``SquareError``."""
        order = self.orders[number]
        if order["state"] != "OPEN" or "version" not in order:
            raise SquareError(400, "BAD_REQUEST", "only open orders with a version can be updated")
        if told.get("version") != order["version"]:
            raise SquareError(409, "VERSION_MISMATCH", "the order has changed")
        known = {row["uid"]: row for row in order.get("fulfillments") or []}
        for change in told.get("fulfillments") or []:
            row = known.get(change.get("uid"))
            if row is None:
                raise SquareError(400, "BAD_REQUEST", "no such fulfillment")
            if row["state"] in ("COMPLETED", "CANCELED", "FAILED"):
                raise SquareError(400, "BAD_REQUEST", "the fulfillment is in a terminal state")
            _merge(row, change)
        order.update(version=order["version"] + 1, updated_at=at)
        if known and all(row["state"] == "COMPLETED" for row in known.values()):
            order.update(state="COMPLETED", closed_at=at)
        return order

    def count(self, changes: Sequence[Mapping[str, Any]], *, at: datetime) -> list[dict[str, Any]]:
        """Apply counts and adjustments, all or none, an older count never over a newer one; raises ``SquareError``."""
        counts = dict(self.counts)
        for change in changes:
            kind = change.get("type")
            told = change.get({"PHYSICAL_COUNT": "physical_count", "ADJUSTMENT": "adjustment"}.get(str(kind), ""))
            if not isinstance(told, dict):
                raise SquareError(400, "INVALID_ENUM_VALUE", "type")
            where, when, quantity = _read_change(told, at)
            before = counts.get(where, ("", Decimal(0)))
            if kind == "ADJUSTMENT":
                sign = 1 if told.get("to_state") == "IN_STOCK" else -1
                counts[where] = max(before[0], when), before[1] + sign * quantity
            elif when >= before[0]:
                counts[where] = when, quantity
        self.counts = counts
        return self.shown_counts()

    def shown_counts(self) -> list[dict[str, Any]]:
        """Return the counts as the platform shows them."""
        return [
            {
                "catalog_object_id": variation,
                "catalog_object_type": "ITEM_VARIATION",
                "state": "IN_STOCK",
                "location_id": location,
                "quantity": str(quantity),
                "calculated_at": when,
            }
            for (variation, location), (when, quantity) in sorted(self.counts.items())
        ]

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures as plain values."""
        orders = list(self.orders.values())
        sent = [row for order in orders for row in order.get("fulfillments") or [] if row["type"] == "SHIPMENT"]
        return {
            "orders": len(orders),
            "by_status": dict(Counter(order["state"] for order in orders)),
            "parcels": [deepcopy(row) for row in sent if (row.get("shipment_details") or {}).get("tracking_number")],
            "stock": [
                {"catalog_object_id": variation, "location_id": location, "quantity": str(quantity)}
                for (variation, location), (_, quantity) in sorted(self.counts.items())
            ],
        }


def _merge(row: dict[str, Any], change: Mapping[str, Any]) -> None:
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(row.get(name), dict):
            _merge(row[name], value)
        else:
            row[name] = deepcopy(value)


def _read_change(told: Mapping[str, Any], at: datetime) -> tuple[tuple[str, str], str, Decimal]:
    for name in ("catalog_object_id", "location_id", "quantity", "occurred_at"):
        if not isinstance(told.get(name), str) or not told[name]:
            raise missing(name)
    try:
        when, quantity = datetime.fromisoformat(told["occurred_at"]), Decimal(told["quantity"])
    except (ValueError, ArithmeticError) as error:
        raise SquareError(400, "INVALID_VALUE", "occurred_at or quantity") from error
    if not at - OLDEST_COUNT <= when <= at:
        raise SquareError(400, "INVALID_TIME", "occurred_at is in the future or older than 24 hours")
    if quantity < 0:
        raise SquareError(400, "VALUE_TOO_LOW", "quantity")
    return (told["catalog_object_id"], told["location_id"]), write(when), quantity


def write(at: datetime) -> str:
    """Write a time as the platform does: UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def money(amount: Decimal) -> dict[str, Any]:
    """Write an amount in whole cents."""
    return {"amount": int(amount * 100), "currency": "CNY"}


def make_order(  # noqa: PLR0913 - one signature for every platform
    number: int,
    lines: Sequence[SoldLine],
    *,
    placed_at: datetime,
    paid_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    status: str | None = None,
    receiver: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make an order to be sent, as the Orders API shows it; ``status`` is its state."""
    rows = [_line(place, *line) for place, line in enumerate(lines, start=1)]
    total = sum((price * quantity for _, _, quantity, price in lines), Decimal(0))
    order: dict[str, Any] = {
        "id": f"ORDER{number:08d}",
        "location_id": LOCATION,
        "reference_id": str(number),
        "source": {"name": "Square Online"},
        "customer_id": f"CUSTOMER{number}",
        "state": status or ("CANCELED" if cancelled_at else "OPEN"),
        "version": 1,
        "created_at": write(placed_at),
        "updated_at": write(max(filter(None, (placed_at, paid_at, cancelled_at)))),
        "line_items": rows,
        "total_money": money(total),
        "total_tax_money": money(Decimal(0)),
        "total_discount_money": money(Decimal(0)),
        "total_service_charge_money": money(Decimal(0)),
        "net_amount_due_money": money(Decimal(0) if paid_at else total),
        "fulfillments": [_shipment({**RECEIVER, **(receiver or {})})],
    }
    if paid_at:
        order["tenders"] = [
            {"id": f"T{number}", "type": "CARD", "created_at": write(paid_at), "amount_money": money(total)}
        ]
    if cancelled_at:
        order["closed_at"] = write(cancelled_at)
    return order


def _shipment(to: Mapping[str, str]) -> dict[str, Any]:
    address = {
        "address_line_1": to["line"],
        "locality": to["city"],
        "administrative_district_level_1": to["province"],
        "country": "CN",
    }
    recipient = {"display_name": to["name"], "phone_number": to["phone"], "address": address}
    details = {"recipient": recipient}
    return {"uid": "f1", "type": "SHIPMENT", "state": "PROPOSED", "shipment_details": details}


def _line(place: int, variation: str, title: str, quantity: int, price: Decimal) -> dict[str, Any]:
    return {
        "uid": f"u{place}",
        "catalog_object_id": variation,
        "name": title,
        "quantity": str(quantity),
        "item_type": "ITEM",
        "base_price_money": money(price),
        "variation_total_price_money": money(price * quantity),
        "gross_sales_money": money(price * quantity),
        "total_discount_money": money(Decimal(0)),
        "total_tax_money": money(Decimal(0)),
        "total_money": money(price * quantity),
    }
