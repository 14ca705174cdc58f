"""What is divided among whom: an order's units, the nodes that hold some of them, one way to divide. Plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from orders.rules.routing.costs import Lane, Price

EQUAL: Final = 1e-6  # yuan; what differs by less costs the same
Units = tuple[int, ...]  # per SKU of the order


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be divided. ``due`` in hours from now, late hours count ``urgency`` times."""

    skus: tuple[int, ...]
    want: Units
    weights_g: Units
    due: float = inf
    urgency: float = 1.0
    split: float = 0.0  # yuan for each parcel after the first
    most_parcels: int = 5


class Holder:
    """A node with room that holds something wanted: what it can send, and what a unit of it is worth there."""

    __slots__ = ("floor", "have", "lane", "leaves_after", "load_cost", "worth")

    def __init__(self, lane: Lane, have: Units, leaves_after: float, load_cost: float, worth: Sequence[float]) -> None:
        """``have`` is never more than wanted; ``worth`` is what a unit of each SKU costs beside freight."""
        self.lane, self.have, self.worth = lane, have, worth
        self.leaves_after, self.load_cost = leaves_after, load_cost
        self.floor = lane.floor + load_cost

    def price(self, units: Units, ask: Ask) -> Price:
        """Return what a parcel with these units costs on the holder's lane."""
        weight_g = 0
        for quantity, grams in zip(units, ask.weights_g, strict=True):
            weight_g += quantity * grams
        return self.lane.price(weight_g, self.leaves_after, ask.due, ask.urgency)

    def cost(self, units: Units, ask: Ask) -> float:
        """Return what a parcel with these units costs, goods and load included."""
        cost = self.price(units, ask).cost + self.load_cost
        for quantity, worth in zip(units, self.worth, strict=True):
            cost += quantity * worth
        return cost


Shares = tuple[tuple[Holder, Units], ...]


@dataclass(frozen=True, slots=True)
class Division:
    """Who sends what: holders with their units, what that costs with splits, and how many units are missing."""

    shares: Shares
    cost: float
    missing: int = 0

    @property
    def rank(self) -> tuple[int, float, int, tuple[str, ...]]:
        """Return what divisions are compared by; the least is the best."""
        return self.missing, round(self.cost, 6), len(self.shares), self.codes

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of the nodes."""
        return tuple(sorted(holder.lane.node.code for holder, _units in self.shares))
