"""Telling JD about parcels and stock, so that telling it twice does no harm.

A stock figure is absolute. A parcel that the platform refuses may be one it knows already, because an earlier answer
was lost: then the order itself is asked whether it carries this tracking number. Not verified against the live
platform (documented guess): the names of the results, in which only ``success: false`` is looked for.
"""

import re
from typing import Any, Final

from channels.adapters import calls, telling
from channels.adapters.jd import client, pull
from channels.adapters.protocol import Connection
from channels.messages import Outgoing, ShipmentNotice, StockFigure

CARRIERS: Final = {
    "SF": "467",
    "ZTO": "1499",
    "YTO": "463",
    "YUNDA": "1327",
    "STO": "470",
    "EMS": "465",
    "JD": "2087",
}
SHIP: Final = "jingdong.pop.order.shipment"
SET_STOCK: Final = "jingdong.ware.stock.sku.set"
_BETWEEN: Final = re.compile(r"[|,]")


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, StockFigure):
        return calls.shown(client.call(connection, SET_STOCK, _stock(message)).body)
    if not isinstance(message, ShipmentNotice):
        raise telling.not_offered(client.PLATFORM)
    arguments = _shipment(message, connection)
    return telling.once(
        lambda: calls.shown(client.call(connection, SHIP, arguments).body), knows=lambda: _knows(message, connection)
    )


def _shipment(notice: ShipmentNotice, connection: Connection) -> dict[str, Any]:
    carrier = telling.carrier(client.PLATFORM, notice, CARRIERS, connection.options)
    telling.whole_order(client.PLATFORM, notice)
    number = telling.number(client.PLATFORM, "orderId", notice.order_external_id)
    return {"orderId": str(number), "logiCoprId": carrier, "logiNo": notice.tracking_number}


def _stock(figure: StockFigure) -> dict[str, Any]:
    number = telling.number(client.PLATFORM, "skuId", figure.external_sku_id)
    return {"skuId": str(number), "stockNum": str(telling.quantity(client.PLATFORM, figure))}


def _knows(notice: ShipmentNotice, connection: Connection) -> bool:
    """Ask whether the order carries the parcel's tracking number already."""
    told = str(pull.order(connection, notice.order_external_id).get("waybill") or "")
    return notice.tracking_number in _BETWEEN.split(told)
