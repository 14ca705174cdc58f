"""What we tell TOP, as a method and its arguments. Pure.

Not verified against the live platform (documented guess): the carrier codes of ``CARRIERS``, which its own
``taobao.logistics.companies.get`` would tell; a shop with other codes sets them in the channel's option ``carriers``.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from audit.rules.sentences import say
from channels.adapters.protocol import Rejected
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
LARGEST_STOCK: Final = 999_999_999
_DIGITS: Final = re.compile(r"[0-9]{1,19}")


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
    raise Rejected(say("Taobao takes shipment notices and stock figures, nothing else."))


def _shipment(notice: ShipmentNotice, options: Mapping[str, Any]) -> dict[str, str]:
    carrier = {**CARRIERS, **(options.get("carriers") or {})}.get(notice.carrier_code)
    if not carrier:
        raise Rejected(say("Carrier %(carrier)s has no code on Taobao.", carrier=notice.carrier_code))
    if not notice.tracking_number:
        raise Rejected(say("Parcel %(parcel)s has no tracking number.", parcel=notice.parcel_number))
    arguments = {
        "tid": _number("tid", notice.order_external_id),
        "out_sid": notice.tracking_number,
        "company_code": str(carrier),
        "is_split": "1" if notice.is_partial else "0",
    }
    if notice.is_partial:
        arguments["sub_tid"] = ",".join(dict.fromkeys(_number("oid", line.external_line_id) for line in notice.lines))
    if notice.is_partial and not arguments["sub_tid"]:
        raise Rejected(say("Parcel %(parcel)s has no lines to tell Taobao about.", parcel=notice.parcel_number))
    return arguments


def _stock(figure: StockFigure) -> dict[str, str]:
    if not 0 <= figure.quantity <= LARGEST_STOCK:
        raise Rejected(say("Taobao cannot be told a stock of %(quantity)s.", quantity=figure.quantity))
    arguments = {
        "num_iid": _number("num_iid", figure.external_item_id),
        "quantity": str(figure.quantity),
        "type": FULL,
    }
    if figure.external_sku_id:
        arguments["sku_id"] = _number("sku_id", figure.external_sku_id)
    return arguments


def _number(name: str, value: str) -> str:
    if not _DIGITS.fullmatch(value):
        raise Rejected(say("%(field)s is %(value)s, which is not a number of Taobao.", field=name, value=value))
    return value
