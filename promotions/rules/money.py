"""Cents: amounts are worked out in whole cents, and shared among lines so that nothing is lost.

Rounding is half up, once per line: a line's price (unit price × quantity) and a per cent of a line. An amount off
several lines is shared in proportion to what they cost by the largest remainder; of equal remainders the lower line
comes first.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
HUNDRED = 100


def to_cents(amount: Decimal) -> int:
    """Return an amount in cents, rounded half up."""
    return int((amount * HUNDRED).to_integral_value(ROUND_HALF_UP))


def from_cents(cents: int) -> Decimal:
    """Return cents as an amount with two places."""
    return Decimal(cents) * CENT


def shown(cents: int) -> str:
    """Return cents as people read them: 1,234.50."""
    return f"{cents // HUNDRED:,}.{cents % HUNDRED:02d}"


def per_cent(percent: Decimal) -> Callable[[int], int]:
    """Return the function that takes so many per cent of cents, rounded half up; below 0 is 0, above 100 is 100."""
    above, below = min(max(percent, Decimal(0)), Decimal(HUNDRED)).as_integer_ratio()
    below *= HUNDRED
    return lambda cents: (2 * cents * above + below) // (2 * below)


def share(cents: int, weights: Sequence[int]) -> list[int]:
    """Share an amount in proportion to ``weights`` (not negative) by the largest remainder.

    The shares add up to ``cents``, and no share is above its weight while the amount is not above their sum. All
    weights zero: everybody gets nothing.
    """
    if len(weights) == 1:
        return [cents if weights[0] else 0]
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
