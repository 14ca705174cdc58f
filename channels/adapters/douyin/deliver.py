"""Telling Douyin about parcels and stock, so that telling it twice does no harm.

A parcel goes out under the outbox's key; a stock figure is absolute. Not verified against the live platform
(documented guesses): the codes of ``CARRIERS``, which ``order/logisticsCompanyList`` would tell (a shop with others
sets the channel's option ``carriers``); that ``order_id_list`` is the order's number as text; that a key which comes
again is answered as before, or with ``KNOWN_ALREADY``.
"""

from typing import Any, Final

from channels.adapters import calls, telling
from channels.adapters.douyin import client
from channels.adapters.protocol import Connection
from channels.messages import Outgoing, ShipmentNotice, StockFigure

CARRIERS: Final = telling.BY_PINYIN
SHIP: Final = "order.logisticsAddSinglePack"
SET_STOCK: Final = "sku.syncStock"


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, ShipmentNotice):
        method, arguments = SHIP, _shipment(message, connection, key)
    elif isinstance(message, StockFigure):
        method, arguments = SET_STOCK, _stock(message)
    else:
        raise telling.not_offered(client.PLATFORM)
    try:
        return calls.shown(client.call(connection, method, arguments).body)
    except client.KnownAlready as known:
        return known.answer


def _shipment(notice: ShipmentNotice, connection: Connection, key: str) -> dict[str, Any]:
    carrier = telling.carrier(client.PLATFORM, notice, CARRIERS, connection.options)
    lines = [{"shipped_order_id": line.external_line_id, "shipped_num": line.quantity} for line in notice.lines]
    return {
        "order_id_list": notice.order_external_id,
        "shipped_order_info": lines,
        "company_code": carrier,
        "logistics_code": notice.tracking_number,
        "request_id": key,
    }


def _stock(figure: StockFigure) -> dict[str, Any]:
    stock = {"stock_num": telling.quantity(client.PLATFORM, figure), "incremental": False}
    if figure.external_item_id:
        stock["product_id"] = telling.number(client.PLATFORM, "product_id", figure.external_item_id)
    if figure.external_code and not figure.external_sku_id:
        return {**stock, "code": figure.external_code}
    return {**stock, "sku_id": telling.number(client.PLATFORM, "sku_id", figure.external_sku_id)}
