"""What we tell TOP, as a method and its arguments. Pure.

Not verified against the live platform (documented guess): the carrier codes of ``CARRIERS``, which its own
``taobao.logistics.companies.get`` would tell; a shop with other codes sets them in the channel's option ``carriers``.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from channels.adapters import telling
from channels.adapters.taobao.answers import PLATFORM
from channels.messages import Outgoing, ShipmentNotice, StockFigure

CARRIERS: Final = {
    "SF": "SF",
    "ZTO": "ZTO",
    "YTO": "YTO",
    "YUNDA": "YUNDA",
    "STO": "STO",
    "EMS": "EMS",
    "JD": "JD",
}
SHIP: Final = "taobao.logistics.offline.send"
SET_STOCK: Final = "taobao.item.quantity.update"
FULL: Final = "1"  # an absolute figure, safe to send twice


class Call(NamedTuple):
    """One call to make."""

    method: str
    arguments: dict[str, str]


def call_for(message: Outgoing, options: Mapping[str, Any]) -> Call:
    """Return the call that says ``message``; raises ``Rejected`` for what the platform cannot be told."""
    if isinstance(message, ShipmentNotice):
        return Call(SHIP, _shipment(message, options))
    if isinstance(message, StockFigure):
        return Call(SET_STOCK, _stock(message))
    raise telling.not_offered(PLATFORM)


def _shipment(notice: ShipmentNotice, options: Mapping[str, Any]) -> dict[str, str]:
    arguments = {
        "tid": _number("tid", notice.order_external_id),
        "out_sid": notice.tracking_number,
        "company_code": telling.carrier(PLATFORM, notice, CARRIERS, options),
        "is_split": "1" if notice.is_partial else "0",
    }
    if notice.is_partial:
        arguments["sub_tid"] = ",".join(dict.fromkeys(_number("oid", line.external_line_id) for line in notice.lines))
    return arguments


def _stock(figure: StockFigure) -> dict[str, str]:
    arguments = {
        "num_iid": _number("num_iid", figure.external_item_id),
        "quantity": str(telling.quantity(PLATFORM, figure)),
        "type": FULL,
    }
    if figure.external_sku_id:
        arguments["sku_id"] = _number("sku_id", figure.external_sku_id)
    return arguments


def _number(name: str, value: str) -> str:
    return str(telling.number(PLATFORM, name, value))
