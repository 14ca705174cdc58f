"""What a till's day file gives back: rows of returns, each told apart from the sale it is about. Pure.

A row is a return when its type says so, or, in a row that only a till writes (``OF_TILLS``), when its quantity is
negative; anywhere else a negative quantity is a mistake. A return names the receipt it gives back; without a name it is
about its own receipt, where that sells something too.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from zlib import crc32

from audit.rules.sentences import Sentence, say
from channels.adapters import facts
from channels.adapters.fields import Fields
from channels.messages import IncomingRefund, RefundedLine, RefundState, Untranslatable
from channels.rules import texts

SALES: Final = frozenset({"sale", "sales", "销售", "零售"})
RETURNS: Final = frozenset({"return", "refund", "退货", "退款"})
OF_TILLS: Final = frozenset({"store", "type", "original_number"})
_NEGATIVE: Final = re.compile(r"-\s*[0-9]")
Row = dict[str, str]


def is_return(row: Mapping[str, str]) -> bool:
    """Say whether a row gives goods back; raises ``Untranslatable`` unknown_type for a type that is neither."""
    told = row.get("type", "").casefold()
    if told and told not in SALES | RETURNS:
        what = {"value": texts.shown(row["type"])}
        raise Untranslatable("unknown_type", say("type is %(value)s; it must be SALE or RETURN.", **what))
    is_negative = not OF_TILLS.isdisjoint(row) and _NEGATIVE.match(row.get("quantity", ""))
    return told in RETURNS or bool(is_negative)


def split(number: str, rows: Sequence[Row]) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return a receipt's rows that sell, and those that give back by the receipt they are about.

    Which line of the sale a row gives back is written into it where that is sure: by its SKU when the sale is in the
    same receipt and has the SKU once. A receipt that does both says one sum for both: it is no order's payment.
    """
    sold = [row for row in rows if not is_return(row)]
    given: dict[str, list[Row]] = {}
    places: dict[str, list[str]] = {}
    for place, row in enumerate(sold, start=1):
        places.setdefault(row.get("sku", ""), []).append(row.get("line_number") or str(place))
    for row in rows:
        if not is_return(row):
            continue
        about = row.get("original_number") or (number if sold else "")
        same = places.get(row.get("sku", ""), []) if about == number else []
        lines = {"original_line": same[0]} if len(same) == 1 and "original_line" not in row else {}
        given.setdefault(about, []).append({**row, **lines})
    if given:
        sold = [{name: text for name, text in row.items() if name != "paid_amount"} for row in sold]
    return sold, given


def rank(number: str) -> int:
    """Return what tells apart two returns of one sale in one second."""
    return crc32(number.encode("utf-8", "replace")) % 1000


def refund(about: str, reader: Fields, lines: Sequence[Fields]) -> IncomingRefund:
    """Return what a receipt gave back; ``reader`` reads the receipt, ``lines`` its rows with amounts above 0."""
    if not about:
        raise Untranslatable(
            "missing_field",
            say("%(field)s is missing: a return needs the receipt it is about.", field=reader.label("original_number")),
        )
    told = [(_line(line), line.quantity("quantity")) for line in lines]
    named = all(line for line, _units in told)
    if not named:
        reader.remarks.append(say("The file does not say which lines of the receipt came back."))
    units: dict[str, int] = {}
    for line, quantity in told:
        units[line] = units.get(line, 0) + quantity
    amount = sum((_paid_back(line) for line in lines), Decimal(0))
    return IncomingRefund(
        external_id=about,
        refund_id=reader.code("order_number"),
        revision=reader.whole("revision"),
        state=RefundState.REFUNDED,
        amount=amount,
        currency=reader.code("currency"),
        lines=tuple(RefundedLine(line, quantity) for line, quantity in units.items()) if named else (),
        reason=reader.text("cancel_reason", facts.LONGEST_REASON),
        goods_come_back=True,
        asked_at=reader.time("placed_at"),
        remarks=tuple(reader.remarks),
    )


def positive(text: str) -> str:
    """Return an amount or a quantity without its sign: a return writes what it gives back with a minus or without."""
    return text.strip().removeprefix("-").strip()


def _line(line: Fields) -> str:
    return line.code("original_line") if line.values.get("original_line") else ""


def _paid_back(line: Fields) -> Decimal:
    whole = line.quantity("quantity") * line.money("unit_price")
    discount = line.money_or_zero("discount")
    if discount > whole:
        line.bad_value("discount", "bad_price")
    return whole - discount


def place(store: str, options: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Return where a store is by the channel's option ``stores``: ``{"SH01": {"province": …, "city": …}}``."""
    known = options.get("stores")
    told = known.get(store) if isinstance(known, Mapping) else None
    return told if isinstance(told, Mapping) else None


def no_such_store(where: str, store: str) -> Untranslatable:
    """Make the refusal of a store whose place nobody set."""
    sentence: Sentence = say(
        "%(field)s is %(value)s, a store that the channel's option stores does not place.",
        field=f"{where}store",
        value=texts.shown(store),
    )
    return Untranslatable("unknown_store", sentence)
