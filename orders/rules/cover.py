"""What a unit is worth where it lies: how long the stock of a region lasts, and what the last unit will be missed for.

A newsvendor's question, asked of one more unit that leaves: with which probability will the region want it before the
next replenishment, and what does it cost then to send one from elsewhere? Plain Python.

    shadow price = P(region wants at least what it has free) × cost of missing one

Wants until the replenishment are a Poisson number around ``daily demand × days``. Missing one costs the difference in
freight from the next region that has some; where nobody has any, the margin of the sale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf, exp, sqrt
from typing import Final

from orders.rules.routing.facts import CarrierOption

EXACT_UP_TO: Final = 200.0  # expected units; above it the normal curve is close enough
LEAST_PRICE: Final = 0.01  # yuan; less is nothing


@dataclass(frozen=True, slots=True)
class Holding:
    """One SKU in one region: units free at all its nodes, wanted a day there, and what the others have."""

    free: int
    daily_demand: float
    free_elsewhere: int
    freight_more: float  # yuan: a unit from the next region instead of from here
    margin: float  # yuan a unit


@dataclass(frozen=True, slots=True)
class Terms:
    """How the figures are read."""

    replenishment_days: float = 7.0
    slow_days: float = 90.0
    margin_share: float = 0.5  # of missed buyers who do not wait


def days_of_cover(holding: Holding) -> float | None:
    """Return for how many days the region's free units last; None where nobody wants any."""
    return holding.free / holding.daily_demand if holding.daily_demand > 0 else None


def probability_missed(free: int, expected: float) -> float:
    """Return with which probability at least ``free`` units are wanted, when ``expected`` are: the tail of Poisson."""
    if free <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    if expected > EXACT_UP_TO:
        return 0.5 * (1 - erf((free - 0.5 - expected) / sqrt(2 * expected)))
    term = below = exp(-expected)
    for count in range(1, free):
        term *= expected / count
        below += term
        if count > expected and term < 1e-12:
            break
    return max(0.0, 1.0 - below)


def shadow_price(holding: Holding, terms: Terms) -> float:
    """Return in yuan what taking one more unit away will probably cost; 0 where nothing is free or wanted."""
    if holding.free <= 0 or holding.daily_demand <= 0:
        return 0.0
    missed = probability_missed(holding.free, holding.daily_demand * terms.replenishment_days)
    loss = holding.freight_more if holding.free_elsewhere > 0 else holding.margin * terms.margin_share
    price = round(missed * max(0.0, loss), 2)
    return price if price >= LEAST_PRICE else 0.0


def is_slow(holding: Holding, sold_anywhere: float, terms: Terms) -> bool:
    """Return whether units here should go first: they last too long, of something that is sold at all."""
    if holding.free <= 0 or sold_anywhere <= 0:
        return False
    days = days_of_cover(holding)
    return days is None or days > terms.slow_days


def price(carrier: CarrierOption, weight_g: int) -> float:
    """Return a carrier's price in yuan for a weight in grams: the first weight, then each begun step."""
    over = weight_g - carrier.first_g
    return carrier.first_price + (-(-over // carrier.step_g) * carrier.step_price if over > 0 else 0.0)


def freight_more(prices: Mapping[str, Mapping[str, float]], region: str) -> float:
    """Return what a parcel into ``region`` costs more from the cheapest other region than from itself.

    ``prices`` maps region of the node → destination → cheapest price in yuan.
    """
    own = prices.get(region, {}).get(region)
    others = [to[region] for start, to in prices.items() if start != region and region in to]
    if own is None or not others:
        return 0.0
    return max(0.0, min(others) - own)
