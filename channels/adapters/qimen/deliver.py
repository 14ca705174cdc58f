"""Asking a warehouse for a parcel, and asking it to stop one, so that asking twice does no harm.

The parcel's number is the order's code at the warehouse. Not verified (documented guesses): the words with which a
warehouse says that it knows the code already or has stopped it already (``DONE_ALREADY``); ``NO_PRICE``, for a line
whose price nobody told; ``SHIP_BY``, the field for the time until which a parcel must leave.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import calls, renaming, signing
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.qimen import client
from channels.messages import Address, Outgoing, ParcelCancel, ParcelRequest

CREATE: Final = "deliveryorder.create"
CANCEL: Final = "order.cancel"
QUERY: Final = "inventory.query"
SALE: Final = "JYCK"
GOOD: Final = "ZP"
NO_PRICE: Final = "0.00"
SHIP_BY: Final = "latestCollectionTime"
NOBODYS_ITEM: Final = "HUB-CHECK"
DONE_ALREADY: Final = {
    CREATE: re.compile(r"重复|已存在|duplicate|already exist", re.IGNORECASE),
    CANCEL: re.compile(r"已取消|已经取消|already cancel", re.IGNORECASE),
}
PERSON: Final = {  # the standard's name: the house's
    "name": "name",
    "mobile": "phone",
    "province": "province",
    "city": "city",
    "detailAddress": "line",
}


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the warehouse and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, ParcelRequest):
        return _say(connection, CREATE, _order(message, connection, at=datetime.now(UTC)))
    if isinstance(message, ParcelCancel):
        return _say(connection, CANCEL, _cancel(message, connection))
    raise Rejected(say("%(platform)s takes parcels and their cancellations, nothing else.", platform=client.PLATFORM))


def check(connection: Connection) -> str:
    """Ask for the stock of an item that nobody has; the standard has no call that names the warehouse."""
    criteria = {"ownerCode": _option(connection, "owner_code"), "itemCode": NOBODYS_ITEM, "inventoryType": GOOD}
    client.call(connection, QUERY, {"criteriaList": {"criteria": criteria}})
    return ""


def _say(connection: Connection, method: str, request: Mapping[str, Any]) -> str:
    try:
        return calls.shown(client.call(connection, method, request))
    except signing.NotThis as refused:
        if DONE_ALREADY[method].search(str(refused.reason)):
            return refused.answer
        raise


def _order(request: ParcelRequest, connection: Connection, *, at: datetime) -> dict[str, Any]:
    owner, now = _option(connection, "owner_code"), renaming.china_time(at)
    if request.receiver is None:
        raise Rejected(
            say("Parcel %(parcel)s has no receiver, and the warehouse prints the label.", parcel=request.parcel_number)
        )
    if not request.lines:
        raise Rejected(say("Parcel %(parcel)s has no lines.", parcel=request.parcel_number))
    head = {
        "deliveryOrderCode": request.parcel_number,
        "orderType": SALE,
        "warehouseCode": _warehouse(request.node_code, connection),
        "sourcePlatformCode": connection.options.get("source_platform") or "OTHER",
        "createTime": now,
        "placeOrderTime": renaming.china_time(request.placed_at) if request.placed_at else now,
        "payTime": renaming.china_time(request.paid_at) if request.paid_at else "",
        "operateTime": now,
        "shopNick": _option(connection, "shop_nick"),
        "logisticsCode": _option(connection, "logistics_code"),
        "senderInfo": _sender(connection),
        "receiverInfo": _receiver(request.receiver, request.parcel_number),
        "ownerCode": owner,
        SHIP_BY: renaming.china_time(request.ship_by) if request.ship_by else "",
    }
    lines = [
        {
            "orderLineNo": place,
            "sourceOrderCode": request.order_external_id or request.order_number,
            "ownerCode": owner,
            "itemCode": line.sku_code,
            "inventoryType": GOOD,
            "planQty": line.quantity,
            "actualPrice": NO_PRICE if line.unit_price is None else f"{line.unit_price:.2f}",
        }
        for place, line in enumerate(request.lines, start=1)
    ]
    return {"deliveryOrder": head, "orderLines": {"orderLine": lines}}


def _cancel(cancel: ParcelCancel, connection: Connection) -> dict[str, Any]:
    return {
        "warehouseCode": _warehouse(cancel.node_code, connection),
        "ownerCode": _option(connection, "owner_code"),
        "orderCode": cancel.parcel_number,
        "orderType": SALE,
        "cancelReason": cancel.reason,
    }


def _receiver(receiver: Address, parcel_number: str) -> dict[str, str]:
    told = {theirs: str(getattr(receiver, ours)) for theirs, ours in PERSON.items()}
    missing = [PERSON[name] for name, value in told.items() if not value]
    if missing:
        what = {"parcel": parcel_number, "missing": ", ".join(missing)}
        raise Rejected(say("The receiver of parcel %(parcel)s lacks %(missing)s, which the warehouse needs.", **what))
    return {**told, "countryCode": receiver.country, "area": receiver.district, "oaid": receiver.token}


def _sender(connection: Connection) -> dict[str, str]:
    sender = connection.options.get("sender")
    told = {theirs: str(sender.get(ours) or "") for theirs, ours in PERSON.items()} if isinstance(sender, dict) else {}
    if not told or not all(told.values()):
        raise calls.not_set(connection, client.PLATFORM, "sender")
    return told


def _warehouse(node_code: str, connection: Connection) -> str:
    return str((connection.options.get("warehouses") or {}).get(node_code) or node_code)


def _option(connection: Connection, name: str) -> str:
    return str(calls.option(connection, client.PLATFORM, name))
