"""What a refund must be: what the order cost, less what it would have cost without the units that come back.

The rest of the order is priced again under the rules that the order is pinned to. What it was granted stays granted
as far as its conditions still hold: limits and stock do not matter a second time, and no gift comes along.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from audit.rules.sentences import Sentence
from promotions.rules.baskets import (
    Basket,
    BasketLine,
    Circumstances,
    GiftLine,
    Left,
    Outcome,
    Quote,
    Verdict,
)
from promotions.rules.engine import quote
from promotions.rules.matching import RuleSet
from promotions.rules.money import from_cents, to_cents


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that gives another amount, or nothing any more, once the goods are back; ``why`` is its new verdict."""

    code: str
    number: int
    before: Decimal
    after: Decimal
    why: Sentence


@dataclass(frozen=True, slots=True)
class Refund:
    """What goes back to the buyer, and why it is not just what the returned units cost.

    ``amount`` = ``paid`` − ``remaining``, never below nothing. ``price`` is what the returned units cost in the order;
    the difference is what the rest of the order is worth less. ``gifts`` are units that must come back too.
    """

    amount: Decimal
    paid: Decimal  # the order's total
    remaining: Decimal  # what the rest costs on its own
    price: Decimal
    changes: tuple[Change, ...] = ()
    gifts: tuple[GiftLine, ...] = ()


class TooManyUnits(ValueError):
    """More units are to come back than the order has, or fewer than none; ``line_number`` says of which line."""

    def __init__(self, line_number: int) -> None:
        super().__init__(f"line {line_number} has not so many units")
        self.line_number = line_number


def without(  # noqa: PLR0913  # the quote's own arguments, and what comes back
    basket: Basket,
    paid: Quote,
    returned: Mapping[int, int],
    rules: RuleSet,
    circumstances: Circumstances,
    *,
    at: datetime,
) -> Refund:
    """Return the refund when so many units (by line number) come back of an order that was priced as ``paid``.

    ``returned`` counts all units that ever came back: of a second refund take off what the first one paid. ``rules``
    are the pinned ones. When all goods are back nothing is priced again: shipping stays as it was paid. Raises
    ``TooManyUnits``.
    """
    _check(basket, returned)
    rest = replace(basket, lines=_kept(basket, returned))
    price = _price_of(basket, paid, returned)
    given = _given(basket, paid)
    if not rest.lines:
        return Refund(
            paid.total - paid.shipping, paid.total, paid.shipping, price, (), _back(given, (), basket, returned)
        )
    made = quote(rest, rules, _granted_already(paid, circumstances, given), at=at)
    amount = max(paid.total - made.total, from_cents(0))
    return Refund(
        amount, paid.total, made.total, price, _changes(paid, made), _back(given, made.gifts, basket, returned)
    )


def _check(basket: Basket, returned: Mapping[int, int]) -> None:
    there = {line.line_number: line.quantity for line in basket.lines}
    for number, quantity in returned.items():
        if not 0 <= quantity <= there.get(number, 0):
            raise TooManyUnits(number)


def _kept(basket: Basket, returned: Mapping[int, int]) -> tuple[BasketLine, ...]:
    """Return the goods that stay, each with its part of the channel's own discount; gifts are given anew."""
    lines = (line for line in basket.lines if not line.gift_of)
    kept = ((line, line.quantity - returned.get(line.line_number, 0)) for line in lines)
    return tuple(
        replace(line, quantity=quantity, discount=line.discount * quantity / line.quantity) for line, quantity in kept
        if quantity
    )  # fmt: skip


def _price_of(basket: Basket, paid: Quote, returned: Mapping[int, int]) -> Decimal:
    """Return what the returned units cost in the order; of a part of a line its part, rounded half up."""
    units = {line.line_number: line.quantity for line in basket.lines}
    cents = sum(
        to_cents(line.net * returned[line.line_number] / units[line.line_number])
        for line in paid.lines if returned.get(line.line_number)
    )  # fmt: skip
    return from_cents(cents)


def _given(basket: Basket, paid: Quote) -> dict[tuple[str, int, str], int]:
    """Return the gifts of the order: promotion, version, SKU → units."""
    numbers = {verdict.code: verdict.number for verdict in paid.verdicts}
    given: dict[tuple[str, int, str], int] = {}
    held = [(line.gift_of, numbers.get(line.gift_of, 0), line.sku, line.quantity) for line in basket.lines
            if line.gift_of]  # fmt: skip
    laid = [(gift.code, gift.number, gift.sku, gift.quantity) for gift in paid.gifts]
    for code, number, sku, quantity in (*held, *laid):
        given[code, number, sku] = given.get((code, number, sku), 0) + quantity
    return given


def _granted_already(
    paid: Quote, circumstances: Circumstances, given: Mapping[tuple[str, int, str], int]
) -> Circumstances:
    """Return circumstances in which what applied has no limit any more, and only the given gifts are there."""
    applied = {verdict.code for verdict in paid.verdicts if verdict.outcome is Outcome.APPLIED}
    units: dict[str, int] = {}
    for (_code, _number, sku), quantity in given.items():
        units[sku] = units.get(sku, 0) + quantity
    left = {**circumstances.left, **{code: Left() for code in applied}}
    return replace(circumstances, left=left, gift_units=units)


def _changes(paid: Quote, made: Quote) -> tuple[Change, ...]:
    now: dict[str, Verdict] = {verdict.code: verdict for verdict in made.verdicts}
    return tuple(
        Change(before.code, before.number, before.amount, now[before.code].amount, now[before.code].why)
        for before in paid.verdicts
        if before.code in now and _is_another(before, now[before.code])
    )


def _is_another(before: Verdict, now: Verdict) -> bool:
    applied = Outcome.APPLIED
    return before.amount != now.amount or (before.outcome is applied) is not (now.outcome is applied)


def _back(
    given: Mapping[tuple[str, int, str], int],
    due: tuple[GiftLine, ...],
    basket: Basket,
    returned: Mapping[int, int],
) -> tuple[GiftLine, ...]:
    """Return the gifts that are given but not due any more, without those that come back anyway."""
    kept: dict[tuple[str, str], int] = {}
    for gift in due:
        kept[gift.code, gift.sku] = kept.get((gift.code, gift.sku), 0) + gift.quantity
    for line in basket.lines:
        if line.gift_of:
            key = line.gift_of, line.sku
            kept[key] = kept.get(key, 0) + returned.get(line.line_number, 0)
    return tuple(
        GiftLine(sku, quantity - kept.get((code, sku), 0), code, number)
        for (code, number, sku), quantity in given.items()
        if quantity > kept.get((code, sku), 0)
    )
