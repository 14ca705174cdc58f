"""Telling the shop about parcels and stock, so that telling it twice does no harm.

A stock figure is absolute. A parcel that the platform refuses may be one it knows already, because an earlier answer
was lost: then the order itself is asked for this waybill. Not verified (documented guess): the courier ids of
``CARRIERS``; a shop with others sets them in the channel's option ``carriers``.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from channels.adapters import calls, telling
from channels.adapters.protocol import Connection
from channels.adapters.wechat_shop import client, pull, translate
from channels.messages import Outgoing, ShipmentNotice, StockFigure

SHIP: Final = "/channels/ec/order/delivery/send"
SET_STOCK: Final = "/channels/ec/product/stock/update"
COURIERS: Final = "/channels/ec/order/deliverycompanylist/get"
CARRIERS: Final = telling.BY_OUR_CODES
BY_COURIER: Final = 1
ABSOLUTE: Final = 3


def check(connection: Connection) -> str:
    """List the couriers, which every shop may; the platform does not tell the shop's name there."""
    client.call(connection, COURIERS, {})
    return ""


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, StockFigure):
        return calls.shown(client.call(connection, SET_STOCK, _stock(message))[0])
    if not isinstance(message, ShipmentNotice):
        raise telling.not_offered(client.PLATFORM)
    body = _shipment(message, connection.options)
    try:
        return telling.once(
            lambda: calls.shown(client.call(connection, SHIP, body)[0]), knows=lambda: _knows(message, connection)
        )
    except client.HasShipped as done:
        return done.answer


def _shipment(notice: ShipmentNotice, options: Mapping[str, Any]) -> dict[str, Any]:
    carrier = telling.carrier(client.PLATFORM, notice, CARRIERS, options)
    counts: Counter[tuple[str, str]] = Counter()
    for line, quantity in telling.units(notice).items():
        product_id, _, sku_id = line.removesuffix(translate.GIFT_LINE).partition(":")
        counts[_number("product_id", product_id), _number("sku_id", sku_id)] += quantity
    products = [
        {"product_id": product_id, "sku_id": sku_id, "product_cnt": count}
        for (product_id, sku_id), count in counts.items()
    ]
    parcel = {"delivery_id": carrier, "waybill_id": notice.tracking_number, "deliver_type": BY_COURIER}
    return {"order_id": notice.order_external_id, "delivery_list": [{**parcel, "product_infos": products}]}


def _knows(notice: ShipmentNotice, connection: Connection) -> bool:
    order = client.call(connection, pull.DETAIL, {"order_id": notice.order_external_id})[1]["order"]
    parcels = order["order_detail"]["delivery_info"]["delivery_product_info"]
    return any(parcel["waybill_id"] == notice.tracking_number for parcel in parcels)


def _stock(figure: StockFigure) -> dict[str, Any]:
    return {
        "product_id": _number("product_id", figure.external_item_id),
        "sku_id": _number("sku_id", figure.external_sku_id),
        "diff_type": ABSOLUTE,
        "num": telling.quantity(client.PLATFORM, figure),
    }


def _number(name: str, value: str) -> str:
    return str(telling.number(client.PLATFORM, name, value))
