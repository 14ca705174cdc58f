"""Reading a platform's object under the house's field names, so that ``facts`` can read it. Pure.

A table says for each of our fields what the platform calls it and how it writes it. A value that is not written so is
handed on as it is: the house's readers refuse it and name the platform's field.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final, NamedTuple, NoReturn

from audit.rules.sentences import Sentence, say
from channels.adapters.fields import LONGEST_CODE, Fields, decode
from channels.messages import RawMessage, Untranslatable
from channels.rules import texts

GMT8: Final = timezone(timedelta(hours=8))
LONGEST_TOKEN: Final = 500  # what an order keeps
CENT: Final = Decimal("0.01")
_CENTS: Final = -2
_DIGITS: Final = re.compile(r"-?[0-9]{1,19}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Column(NamedTuple):
    """What the platform calls a field (``a|b``: the first that is there and not 0) and how to read it."""

    name: str
    read: Callable[[Any], Any]


def renamed(source: Any, columns: Mapping[str, Column], remarks: list[Sentence], where: str = "") -> Fields:
    """Return readers of the house's fields of ``source``; raises ``Untranslatable`` when it is no object."""
    if not isinstance(source, dict):
        place = where.rstrip(".")
        Fields({place: source}, remarks).bad_value(place, "bad_value")
    values = {house: column.read(_first(source, column.name)) for house, column in columns.items()}
    return Fields(values, remarks, where, {house: column.name.split("|")[0] for house, column in columns.items()})


def lines(source: Any, name: str, columns: Mapping[str, Column], remarks: list[Sentence]) -> list[Fields]:
    """Return readers of each element of the list ``name``; absent means none."""
    rows = source.get(name)
    if rows is None:
        return []
    if not isinstance(rows, list):
        Fields(source, remarks).bad_value(name, "bad_value")
    return [renamed(row, columns, remarks, f"{name}[{place}].") for place, row in enumerate(rows)]


def _first(source: Mapping[str, Any], names: str) -> Any:
    found = [source.get(name) for name in names.split("|")]
    return next((value for value in found if value not in (None, "", 0, "0")), found[0])


# -- how values are written -----------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Hand on a value that is written as ours are."""
    return value


def code(value: Any) -> Any:
    """Read an id or code that comes as a number or as text."""
    return str(value) if type(value) is int else value


def count(value: Any) -> Any:
    """Read a whole number that comes as a number or as its digits."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def fen(value: Any) -> Any:
    """Read an amount in whole hundredths; anything else becomes a text that no amount is."""
    whole = count(value)
    if whole is None or whole == "":
        return None
    return Decimal(whole).scaleb(_CENTS) if type(whole) is int else f"{whole} fen"


def seconds(value: Any) -> Any:
    """Read epoch seconds; 0 means absent."""
    whole = count(value)
    if type(whole) is not int:
        return whole
    try:
        return (_EPOCH + timedelta(seconds=whole)).isoformat() if whole else None
    except OverflowError:
        return str(whole)


def gmt8(value: Any) -> Any:
    """Read ``2026-11-23 09:00:00`` of China; any other text becomes one that no time is."""
    if not isinstance(value, str) or not value:
        return value
    return f"{value}+08:00" if _TIME.fullmatch(value) else f"{value} "


def china_time(at: datetime) -> str:
    """Write a time as ``gmt8`` reads it: China's, whole seconds."""
    return at.astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")


def buyer_key(value: Any) -> Any:
    """Read a buyer's id; one that is too long to keep stands as its hash, which tells buyers apart as well."""
    if isinstance(value, str) and len(value) > LONGEST_CODE:
        return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return code(value)


# -- what several platforms have in common --------------------------------------------------------


def check_handed_out(source: Mapping[str, Any], raw: RawMessage, *, platform: str, refused_by: str) -> None:
    """Pass unless the message is a refusal to hand out the order; raises ``Untranslatable`` not_fetched."""
    if refused_by in source:
        answer = texts.shown(dict(source), limit=200)
        what = {"platform": platform, "number": texts.shown(raw.external_id), "answer": answer}
        raise Untranslatable("not_fetched", say("%(platform)s did not hand out %(number)s: %(answer)s", **what))


def check_currency(currency: str, *, platform: str, sold: str = "CNY") -> None:
    """Pass when the channel sells in the platform's currency; raises ``Untranslatable`` wrong_currency."""
    if currency != sold:
        what = {"platform": platform, "sold": sold, "currency": texts.shown(currency)}
        sentence = say("%(platform)s sells in %(sold)s, but this channel in %(currency)s.", **what)
        raise Untranslatable("wrong_currency", sentence)


def check_same(told: str, raw: RawMessage, *, field: str) -> None:
    """Pass when the object is the one the message is about; raises ``Untranslatable`` bad_value."""
    if told != raw.external_id:
        what = {"field": field, "value": texts.shown(told), "number": texts.shown(raw.external_id)}
        sentence = say("%(field)s is %(value)s, but the message is about %(number)s.", **what)
        raise Untranslatable("bad_value", sentence)


def unknown(field: str, value: Any) -> NoReturn:
    """Refuse a word that is in no table: it is never guessed."""
    sentence = say("%(field)s is %(value)s, a word that is not known.", field=field, value=texts.shown(value))
    raise Untranslatable("unknown_status", sentence)


def revision(changed_at: datetime, rank: int) -> int:
    """Return a modification time in whole seconds as epoch milliseconds, with a rank from 0 to 999 added.

    Two changes in one second would be one revision; the rank of the status that they led to tells them apart.
    """
    return (changed_at - _EPOCH) // timedelta(seconds=1) * 1000 + rank


def token(source: Mapping[str, Any], names: Sequence[str], remarks: list[Sentence]) -> str:
    """Return a receiver's encrypted parts as one token, a line each; one that is too long to keep is left out."""
    parts = [str(source.get(name) or "") for name in names]
    joined = "\n".join(parts) if any(parts) else ""
    if len(joined) <= LONGEST_TOKEN and texts.is_fit(joined):
        return joined
    remarks.append(say("The encrypted receiver is too long to keep; it is in the message as it came."))
    return ""


def opened(raw: RawMessage, currency: str, *, platform: str, refused_by: str) -> dict[str, Any]:
    """Return the object in a message that is no refusal, for a channel that sells in the platform's currency."""
    source = decode(raw.payload)
    check_currency(currency, platform=platform)
    check_handed_out(source, raw, platform=platform, refused_by=refused_by)
    return source


def part(source: Any, name: str) -> dict[str, Any]:
    """Return an object inside an object; raises ``Untranslatable`` missing_field."""
    found = source.get(name) if isinstance(source, dict) else None
    return found if isinstance(found, dict) else Fields({}, []).missing(name)


def part_or_none(source: Any, *names: str) -> dict[str, Any]:
    """Return the object that lies under these names, empty when there is none."""
    for name in names:
        source = source.get(name) if isinstance(source, dict) else None
    return source if isinstance(source, dict) else {}


def tail(number: str) -> int:
    """Return an id's last three digits: they keep what changed in one second apart; 0 where they are none."""
    return int(number[-3:]) if number[-3:].isascii() and number[-3:].isdigit() else 0


def as_paid(line: Fields, net: Decimal | None) -> dict[str, Any]:
    """Return a line's unit price and discount so that it comes to what the buyer pays for it; nothing where none says.

    A seller may have raised the price: then the unit price is raised, to whole cents; a discount is never negative.
    """
    quantity, unit_price = line.quantity("quantity"), line.money("unit_price")
    if net is None:
        return {}
    if net > quantity * unit_price:
        unit_price = (net / quantity).quantize(CENT, ROUND_CEILING)
        place = line.where.rstrip(".")
        line.remarks.append(say("The price of %(field)s was raised to what the buyer pays for it.", field=place))
    return {"unit_price": unit_price, "discount": quantity * unit_price - net}


def tell_apart(lines: Sequence[Fields]) -> None:
    """Give lines of one number numbers of their own (a gift beside what was bought), where it is only the SKU's."""
    met: Counter[str] = Counter()
    for line in lines:
        number = line.code("external_id")
        met[number] += 1
        if met[number] > 1:
            line.values = {**line.values, "external_id": f"{number}-{met[number]}"}


def shared(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount out by weight, exactly, each part in whole cents."""
    whole, before, parts = sum(weights, Decimal(0)), Decimal(0), []
    for place in range(len(weights)):
        until = sum(weights[: place + 1], Decimal(0))
        reached = total if until == whole else (total * until / whole).quantize(CENT)
        parts.append(reached - before)
        before = reached
    return parts
