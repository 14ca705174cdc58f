"""Cents: amounts are worked out in whole cents, and shared among lines so that nothing is lost.

Rounding is half up, once per line: a line's price (unit price × quantity) and a per cent of a line. An amount off
several lines is shared in proportion to what they cost by the largest remainder; of equal remainders the lower line
comes first.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
HUNDRED = 100


def to_cents(amount: Decimal) -> int:
    """Return an amount in cents, rounded half up."""
    return int(amount.quantize(CENT, ROUND_HALF_UP).scaleb(2))


def from_cents(cents: int) -> Decimal:
    """Return cents as an amount with two places."""
    return Decimal(cents).scaleb(-2)


def percent_of(cents: int, percent: Decimal) -> int:
    """Return so many per cent of an amount, in cents, rounded half up."""
    return int((cents * percent / HUNDRED).quantize(Decimal(1), ROUND_HALF_UP))


def share(cents: int, weights: Sequence[int]) -> list[int]:
    """Share an amount in proportion to ``weights`` (not negative) by the largest remainder.

    The shares add up to ``cents``, and no share is above its weight while the amount is not above their sum. All
    weights zero: everybody gets nothing.
    """
    whole = sum(weights)
    if not whole or not cents:
        return [0] * len(weights)
    shares, remainders = [], []
    for place, weight in enumerate(weights):
        part, rest = divmod(cents * weight, whole)
        shares.append(part)
        remainders.append((-rest, place))
    for _rest, place in sorted(remainders)[: cents - sum(shares)]:
        shares[place] += 1
    return shares
