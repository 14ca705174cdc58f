"""When one person's count is not enough."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Limits:
    """How far a count may be from what is expected, as a share of the units and as money at cost."""

    percent: Decimal
    value: Decimal


def needs_recount(*, expected: int, counted: int, unit_cost: Decimal, limits: Limits) -> bool:
    """Return whether another person must count again: the variance is above one of the limits.

    Units where none were expected are a variance of 100 %.
    """
    variance = abs(counted - expected)
    if not variance:
        return False
    share = Decimal(100) * variance / (expected or variance)
    return share > limits.percent or variance * unit_cost > limits.value
