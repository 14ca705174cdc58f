"""Telling Youzan about parcels and stock, so that telling it twice does no harm.

A stock figure is absolute. A parcel that the platform refuses may be one it knows already, because an earlier answer
was lost: then the order itself is asked for this tracking number. A parcel names whole lines: a line that is split
over two parcels is told with the first. Not verified (documented guess): ``CARRIERS``, the couriers' numbers (a shop
with others sets them in the channel's option ``carriers``); ``WAYBILL``, the name under which an order tells them.
"""

from collections.abc import Mapping
from typing import Any, Final

from channels.adapters import calls, signing, telling
from channels.adapters.protocol import Connection
from channels.adapters.youzan import client, pull
from channels.messages import Outgoing, ShipmentNotice, StockFigure

SHIP: Final = "youzan.logistics.online.confirm/3.0.0"
SET_STOCK: Final = "youzan.item.quantity.update/3.0.0"
SET_BRANCH_STOCK: Final = "youzan.item.quantity.update/4.0.0"
CARRIERS: Final = {"STO": "1", "YTO": "2", "ZTO": "3", "YUNDA": "4", "SF": "7", "EMS": "11", "JD": "138"}
WAYBILL: Final = "express_no"
FULL: Final = 0
DIRECT: Final = 1


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, ShipmentNotice):
        return _ship(message, connection)
    if not isinstance(message, StockFigure):
        raise telling.not_offered(client.PLATFORM)
    branch = connection.options.get("branch_kdt_id")
    return _say(connection, SET_BRANCH_STOCK if branch else SET_STOCK, _stock(message, branch))


def _say(connection: Connection, api: str, arguments: Mapping[str, Any]) -> str:
    body, data = client.call(connection, api, arguments)
    if data.get("is_success") not in (True, "true"):
        raise signing.NotThis(signing.refusal(client.PLATFORM, 0, "is_success is not true"), answer=calls.shown(body))
    return calls.shown(body)


def _ship(notice: ShipmentNotice, connection: Connection) -> str:
    arguments = {
        "tid": notice.order_external_id,
        "is_no_express": 0,
        "out_stype": telling.carrier(client.PLATFORM, notice, CARRIERS, connection.options),
        "out_sid": notice.tracking_number,
    }
    if notice.is_partial:
        arguments["oids"] = ",".join(telling.units(notice))
    return telling.once(lambda: _say(connection, SHIP, arguments), knows=lambda: _knows(notice, connection))


def _knows(notice: ShipmentNotice, connection: Connection) -> bool:
    _, order = client.call(connection, pull.DETAIL, {"tid": notice.order_external_id})
    return _names(order.get("delivery_order"), notice.tracking_number)


def _names(told: Any, waybill: str) -> bool:
    """Say whether a waybill stands anywhere in what the platform tells of an order's parcels."""
    if isinstance(told, list):
        return any(_names(each, waybill) for each in told)
    return isinstance(told, dict) and (
        told.get(WAYBILL) == waybill or any(_names(each, waybill) for each in told.values())
    )


def _stock(figure: StockFigure, branch: Any) -> dict[str, Any]:
    ids = {"item_id": telling.number(client.PLATFORM, "item_id", figure.external_item_id)}
    if figure.external_sku_id:
        ids["sku_id"] = telling.number(client.PLATFORM, "sku_id", figure.external_sku_id)
    quantity = telling.quantity(client.PLATFORM, figure)
    if not branch:
        return {**ids, "quantity": quantity, "type": FULL}
    shop = telling.number(client.PLATFORM, "branch_kdt_id", str(branch))
    return {"kdt_id": shop, **ids, "channel": DIRECT, "stock_num_str": str(quantity), "type": FULL}
