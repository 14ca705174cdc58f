"""Telling Pinduoduo about parcels and stock, so that telling it twice does no harm.

A stock figure is absolute. A parcel that the platform refuses may be one it knows already, because an earlier answer
was lost: then the order itself is asked for its tracking number. Not verified against the live platform (documented
guess): the numbers of ``CARRIERS``, which ``pdd.logistics.companies.get`` would tell.
"""

from typing import Any, Final

from channels.adapters import calls, telling
from channels.adapters.pinduoduo import client, pull
from channels.adapters.protocol import Connection
from channels.messages import Outgoing, ShipmentNotice, StockFigure

CARRIERS: Final = {
    "SF": "44",
    "ZTO": "115",
    "YTO": "85",
    "YUNDA": "121",
    "STO": "1",
    "EMS": "118",
    "JD": "120",
}
FIRST_TIME: Final = 1  # redelivery_type: not the change of a waybill
FULL: Final = 1  # update_type: an absolute figure


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, StockFigure):
        return calls.shown(client.call(connection, client.SET_STOCK, _stock(message)).body)
    if not isinstance(message, ShipmentNotice):
        raise telling.not_offered(client.PLATFORM)
    arguments = _shipment(message, connection)
    return telling.once(
        lambda: calls.shown(client.call(connection, client.SHIP, arguments).body),
        knows=lambda: _knows(message, connection),
    )


def _shipment(notice: ShipmentNotice, connection: Connection) -> dict[str, Any]:
    carrier = telling.carrier(client.PLATFORM, notice, CARRIERS, connection.options)
    telling.whole_order(client.PLATFORM, notice)
    return {
        "order_sn": notice.order_external_id,
        "logistics_id": telling.number(client.PLATFORM, "logistics_id", carrier),
        "tracking_number": notice.tracking_number,
        "redelivery_type": FIRST_TIME,
    }


def _stock(figure: StockFigure) -> dict[str, Any]:
    stock = {
        "goods_id": telling.number(client.PLATFORM, "goods_id", figure.external_item_id),
        "quantity": telling.quantity(client.PLATFORM, figure),
        "update_type": FULL,
    }
    if figure.external_code and not figure.external_sku_id:
        return {**stock, "outer_id": figure.external_code}
    return {**stock, "sku_id": telling.number(client.PLATFORM, "sku_id", figure.external_sku_id)}


def _knows(notice: ShipmentNotice, connection: Connection) -> bool:
    """Ask whether the order carries the parcel's tracking number already."""
    return str(pull.order(connection, notice.order_external_id).get("tracking_number")) == notice.tracking_number
