"""Telling Weimob about parcels and stock, so that telling it twice does no harm.

A parcel names its lines and units. First the order is asked what a parcel with this tracking number holds already: an
earlier answer may have been lost. A stock figure is absolute; a figure that the platform could not take stands in
``failList`` of an answer that says yes.

Not verified against the live platform (documented guesses): ``OVERWRITE``; ``FULFILL_METHOD`` and ``VID_TYPE``, which
the options ``fulfill_method`` and ``vid_type`` set otherwise; ``CARRIERS`` (option ``carriers``).
"""

from collections import Counter
from typing import Any, Final

from channels.adapters import calls, signing, telling
from channels.adapters.protocol import Connection
from channels.adapters.renaming import count
from channels.adapters.weimob import client, pull, translate
from channels.messages import Outgoing, ShipmentNotice, StockFigure

SHIP: Final = "fulfill/logistics/update"
SET_STOCK: Final = "stock/update"
OVERWRITE: Final = 0
FULFILL_METHOD: Final = 1
VID_TYPE: Final = 2
CARRIERS: Final = telling.BY_PINYIN


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, ShipmentNotice):
        return _ship(message, connection)
    if isinstance(message, StockFigure):
        return _set_stock(message, connection)
    raise telling.not_offered(client.PLATFORM)


def _set_stock(figure: StockFigure, connection: Connection) -> str:
    sku = {
        "skuId": telling.number(client.PLATFORM, "skuId", figure.external_sku_id),
        "stockNum": telling.quantity(client.PLATFORM, figure),
    }
    goods = {"goodsId": telling.number(client.PLATFORM, "goodsId", figure.external_item_id), "skuList": [sku]}
    body: dict[str, Any] = {"basicInfo": {"vid": _option(connection, "vid")}, "goodsList": [goods]}
    if connection.options.get("warehouse_id"):
        body["warehouseId"] = _option(connection, "warehouse_id")
    data = client.call(connection, SET_STOCK, body | {"quantityEditType": OVERWRITE})
    failed = data.get("failList")
    if failed:
        words = [row.get("message") if isinstance(row, dict) else row for row in failed]
        raise signing.NotThis(signing.refusal(client.PLATFORM, 0, *words), answer=calls.shown(calls.written(data)))
    return calls.shown(calls.written(data))


def _ship(notice: ShipmentNotice, connection: Connection) -> str:
    code = telling.carrier(client.PLATFORM, notice, CARRIERS, connection.options)
    number = telling.number(client.PLATFORM, "orderNo", notice.order_external_id)
    left = telling.units(notice)
    for line in left:
        telling.number(client.PLATFORM, "orderItemId", line)
    left -= _told_before(connection, number, notice.tracking_number)
    if not left:
        return "known"
    body = {
        "orderNo": number,
        "isSplitPackage": notice.is_partial,
        "fulfillMethod": connection.options.get("fulfill_method") or FULFILL_METHOD,
        "logistics": {
            "deliveryNo": notice.tracking_number,
            "deliveryCompanyCode": code,
            "deliveryCompanyName": notice.carrier_code,
        },
        "fulfillItems": [{"orderItemId": int(line), "skuNum": quantity} for line, quantity in left.items()],
        "basicInfo": {"vid": _option(connection, "vid"), "vidType": connection.options.get("vid_type") or VID_TYPE},
    }
    data = client.call(connection, SHIP, body)
    if data.get("success") is not True:
        refused = signing.refusal(client.PLATFORM, 0, "success is not true")
        raise signing.NotThis(refused, answer=calls.shown(calls.written(data)))
    return calls.shown(calls.written(data))


def _told_before(connection: Connection, number: int, tracking_number: str) -> Counter[str]:
    """Return how many units of each line the order's parcels with this tracking number hold."""
    parcels = client.call(connection, pull.DETAIL, {"orderNo": number}).get("fulfillInfoList")
    held: Counter[str] = Counter()
    for parcel in parcels if isinstance(parcels, list) else []:
        if (parcel.get("deliveryInfo") or {}).get("number") == tracking_number:
            for row in parcel.get("fulfillItemList") or []:
                quantity = translate.units(row.get("deliveryNum"))
                held[str(row.get("orderItemId"))] += quantity if type(quantity) is int else 0
    return held


def _option(connection: Connection, name: str) -> int:
    value = count(connection.options.get(name))
    if type(value) is not int:
        raise calls.not_set(connection, client.PLATFORM, name)
    return value
