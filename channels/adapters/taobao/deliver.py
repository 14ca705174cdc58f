"""Telling TOP about parcels and stock, so that telling it twice does no harm.

A stock figure is absolute. A parcel that the platform refuses may be one it knows already, because an earlier answer
was lost: then the trade itself is asked whether its lines carry this tracking number. Not verified against the live
platform (documented guess): the carrier codes of ``CARRIERS``, which its own ``taobao.logistics.companies.get`` would
tell; a shop with other codes sets them in the channel's option ``carriers``.
"""

from typing import Final

from audit.rules.sentences import say
from channels.adapters import calls, telling
from channels.adapters.protocol import Connection
from channels.adapters.signing import NotThis
from channels.adapters.taobao import client
from channels.adapters.taobao.client import PLATFORM
from channels.messages import Outgoing, ShipmentNotice, StockFigure

SHIP: Final = "taobao.logistics.offline.send"
SET_STOCK: Final = "taobao.item.quantity.update"
ASK: Final = "taobao.trade.fullinfo.get"
ASK_FIELDS: Final = "tid,status,orders.oid,orders.oid_str,orders.invoice_no"
CARRIERS: Final = telling.BY_OUR_CODES
FULL: Final = "1"  # an absolute figure, safe to send twice


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, StockFigure):
        return calls.shown(client.call(connection, SET_STOCK, _stock(message)).body)
    if not isinstance(message, ShipmentNotice):
        raise telling.not_offered(PLATFORM)
    arguments = _shipment(message, connection)
    return telling.once(lambda: _ship(connection, arguments), knows=lambda: _knows(message, connection))


def _ship(connection: Connection, arguments: dict[str, str]) -> str:
    body, answer = client.call(connection, SHIP, arguments)
    shipping = answer.get("shipping")
    if not isinstance(shipping, dict) or shipping.get("is_success") not in (True, "true"):
        raise NotThis(say("Taobao did not accept the parcel."), answer=calls.shown(body))
    return calls.shown(body)


def _knows(notice: ShipmentNotice, connection: Connection) -> bool:
    """Ask whether every line of the parcel carries its tracking number already."""
    asked = {"fields": ASK_FIELDS, "tid": notice.order_external_id}
    orders = client.call(connection, ASK, asked).inner["trade"]["orders"]["order"]
    numbers = {str(order.get("oid_str") or order["oid"]): order.get("invoice_no") for order in orders}
    return all(numbers.get(line) == notice.tracking_number for line in telling.units(notice))


def _shipment(notice: ShipmentNotice, connection: Connection) -> dict[str, str]:
    arguments = {
        "tid": _number("tid", notice.order_external_id),
        "out_sid": notice.tracking_number,
        "company_code": telling.carrier(PLATFORM, notice, CARRIERS, connection.options),
        "is_split": "1" if notice.is_partial else "0",
    }
    if notice.is_partial:
        arguments["sub_tid"] = ",".join(_number("oid", line) for line in telling.units(notice))
    return arguments


def _stock(figure: StockFigure) -> dict[str, str]:
    quantity = str(telling.quantity(PLATFORM, figure))
    arguments = {"num_iid": _number("num_iid", figure.external_item_id), "quantity": quantity, "type": FULL}
    if figure.external_sku_id:
        arguments["sku_id"] = _number("sku_id", figure.external_sku_id)
    return arguments


def _number(name: str, value: str) -> str:
    return str(telling.number(PLATFORM, name, value))
