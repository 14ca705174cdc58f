"""How sure a difference between two groups of orders is: intervals of means and shares, and how many orders it needs.

Plain Python, two-sided, 95 per cent unless told otherwise. Group 1 is the pilot, group 2 the others.
"""

from dataclasses import dataclass
from math import ceil, exp, inf, lgamma, log, sqrt
from statistics import NormalDist
from typing import Final

LEVEL: Final = 0.95
POWER: Final = 0.8
STEPS: Final = 200  # of a continued fraction and of a bisection; both are exact to rounding long before
TINY: Final = 1e-300


@dataclass(frozen=True)
class Sample:
    """What is known of a figure in one group: how many orders have it, its mean and its variance (n - 1 below)."""

    count: int
    mean: float
    variance: float


@dataclass(frozen=True)
class Share:
    """How many of a group's orders are so."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        """Return the share from 0 to 1; 0 of nothing."""
        return self.hits / self.count if self.count else 0.0


@dataclass(frozen=True)
class Interval:
    """A difference, group 1 less group 2, and between which figures it lies."""

    difference: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        """Return whether no difference at all is out of the question."""
        return self.low > 0 or self.high < 0


def welch(first: Sample, second: Sample, level: float = LEVEL) -> Interval | None:
    """Return the interval of a difference of means without equal variances; none with fewer than two in a group.

    B. L. Welch, Biometrika 34 (1947) 28-35, with the degrees of freedom of Satterthwaite (1946).
    """
    if min(first.count, second.count) < 2:
        return None
    difference = first.mean - second.mean
    one, two = first.variance / first.count, second.variance / second.count
    if one + two == 0:
        return Interval(difference, difference, difference)
    freedom = (one + two) ** 2 / (one**2 / (first.count - 1) + two**2 / (second.count - 1))
    reach = t_quantile(0.5 + level / 2, freedom) * sqrt(one + two)
    return Interval(difference, difference - reach, difference + reach)


def wilson(share: Share, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval of a share. E. B. Wilson, JASA 22 (1927) 209-212. Raises ``ValueError`` of nothing."""
    if share.count < 1:
        raise ValueError("a share of nothing has no interval")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    n, p = share.count, share.value
    middle, reach = 2 * n * p + z * z, z * sqrt(z * z + 4 * n * p * (1 - p))
    return max(0.0, (middle - reach) / (2 * (n + z * z))), min(1.0, (middle + reach) / (2 * (n + z * z)))


def newcombe(first: Share, second: Share, level: float = LEVEL) -> Interval | None:
    """Return the interval of a difference of shares; none while a group is empty.

    R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10: Wilson's intervals, squared and added.
    """
    if not (first.count and second.count):
        return None
    low1, high1 = wilson(first, level)
    low2, high2 = wilson(second, level)
    p1, p2 = first.value, second.value
    difference = p1 - p2
    low = difference - sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    return Interval(difference, low, difference + sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2))


def orders_needed(difference: float, variances: tuple[float, float], part: float, power: float = POWER) -> int | None:
    """Return how many orders both groups need together to find a difference of this size; none for no difference.

    ``part`` is group 1's part of the orders, the variance of a share p is p(1 - p). The usual normal approximation:
    N = (z(level) + z(power))² (v1 / part + v2 / (1 - part)) / difference²; J. L. Fleiss, Statistical Methods for Rates
    and Proportions, and S.-C. Chow, Sample Size Calculations in Clinical Research. Raises ``ValueError`` for a part
    that leaves a group empty.
    """
    if not 0 < part < 1:
        raise ValueError("both groups need a part of the orders")
    if difference == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2) + NormalDist().inv_cdf(power)
    return ceil(z * z * (variances[0] / part + variances[1] / (1 - part)) / difference**2)


def t_quantile(probability: float, freedom: float) -> float:
    """Return Student's t below which this probability lies, from 0.5 up to but not 1, found by halving.

    Raises ``ValueError`` outside of that.
    """
    if not (0.5 <= probability < 1 and freedom > 0):
        raise ValueError("a probability from 0.5 to below 1 and freedom above 0 are needed")
    low, high = 0.0, 1.0
    while t_below(high, freedom) < probability and high < inf:
        low, high = high, 2 * high
    for _step in range(STEPS):
        middle = (low + high) / 2
        if t_below(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_below(t: float, freedom: float) -> float:
    """Return how probable a Student's t up to this one (0 or more) is: Abramowitz and Stegun 26.7.1."""
    return 1 - incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function: Press and others, Numerical Recipes, section 6.4."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    return front * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the function, by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _not_zero(1 + step * d)
            c = _not_zero(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
