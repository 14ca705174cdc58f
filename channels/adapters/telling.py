"""What is checked of a message before a platform is told, in the same words for all. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters.protocol import Rejected
from channels.adapters.signing import NotThis
from channels.messages import ShipmentNotice, StockFigure

LARGEST_STOCK: Final = 999_999_999
BY_OUR_CODES: Final = {name: name for name in ("SF", "ZTO", "YTO", "YUNDA", "STO", "EMS", "JD")}
BY_PINYIN: Final = {
    "SF": "shunfeng",
    "ZTO": "zhongtong",
    "YTO": "yuantong",
    "YUNDA": "yunda",
    "STO": "shentong",
    "EMS": "ems",
    "JD": "jd",
}
_DIGITS: Final = re.compile(r"[0-9]{1,19}")


def carrier(platform: str, notice: ShipmentNotice, codes: Mapping[str, str], options: Mapping[str, Any]) -> str:
    """Return the platform's code of a parcel's carrier (the channel's option ``carriers`` comes first).

    Raises ``Rejected`` for a carrier without a code, and for a parcel without tracking number or lines.
    """
    code = {**codes, **(options.get("carriers") or {})}.get(notice.carrier_code)
    what = {"platform": platform, "carrier": notice.carrier_code, "parcel": notice.parcel_number}
    if not code:
        raise Rejected(say("Carrier %(carrier)s has no code on %(platform)s.", **what))
    if not notice.tracking_number:
        raise Rejected(say("Parcel %(parcel)s has no tracking number.", parcel=notice.parcel_number))
    if not notice.lines:
        raise Rejected(say("Parcel %(parcel)s has no lines to tell %(platform)s about.", **what))
    return str(code)


def once(tell: Callable[[], str], *, knows: Callable[[], bool]) -> str:
    """Tell, and return the answer. What is refused may be known already, because an earlier answer was lost.

    Then ``knows`` asks the platform itself, and its refusal is the answer; raises ``NotThis`` when it does not know.
    """
    try:
        return tell()
    except NotThis as refused:
        if not _is_known(knows):
            raise
        return refused.answer


def _is_known(knows: Callable[[], bool]) -> bool:
    try:
        return knows()
    except (NotThis, KeyError, TypeError, AttributeError):
        return False


def units(notice: ShipmentNotice) -> Counter[str]:
    """Return how many units of each of the channel's lines are in a parcel."""
    held: Counter[str] = Counter()
    for line in notice.lines:
        held[line.external_line_id] += line.quantity
    return held


def whole_order(platform: str, notice: ShipmentNotice) -> None:
    """Pass for a parcel that holds a whole order; raises ``Rejected`` for part of one."""
    if notice.is_partial:
        what = {"platform": platform, "parcel": notice.parcel_number}
        raise Rejected(
            say("%(platform)s takes one parcel for a whole order, and parcel %(parcel)s holds part of one.", **what)
        )


def quantity(platform: str, figure: StockFigure) -> int:
    """Return an absolute stock figure; raises ``Rejected`` for one that cannot be told."""
    if not 0 <= figure.quantity <= LARGEST_STOCK:
        sentence = say(
            "%(platform)s cannot be told a stock of %(quantity)s.", platform=platform, quantity=figure.quantity
        )
        raise Rejected(sentence)
    return figure.quantity


def number(platform: str, name: str, value: str) -> int:
    """Return an id that the platform knows as a number; raises ``Rejected`` for anything else."""
    if not _DIGITS.fullmatch(value):
        what = {"platform": platform, "field": name, "value": value}
        raise Rejected(say("%(field)s is %(value)s, which is not a number of %(platform)s.", **what))
    return int(value)


def not_offered(platform: str) -> Rejected:
    """Make the refusal of a message that the platform has no call for."""
    return Rejected(say("%(platform)s takes shipment notices and stock figures, nothing else.", platform=platform))
