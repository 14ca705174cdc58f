"""The cheapest way to divide one order among nodes that hold some of it. Plain Python.

In the order in which it looks:

1. every node that has all of it;
2. every pair; each SKU that both have goes as far as possible to the one or to the other, whichever is cheaper;
3. every three where only few nodes hold anything;
4. beyond that: the node that adds most, then the next, improved by leaving one out or exchanging one while that helps.

A group of nodes is passed over as soon as the least it can cost is more than what was found. Fewer missing units beat
lower cost; equal costs go to fewer parcels, then to the lower node codes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product
from math import inf
from typing import Final

from orders.rules.routing.costs import Lane, Price

MOST_IN_PAIRS: Final = 120  # nodes of which all pairs are tried
MOST_IN_THREES: Final = 12  # nodes of which all threes are tried
MOST_FREE: Final = 5  # SKUs of a pair that may go either way and of which all ways are tried
MOST_EXCHANGES: Final = 12  # nodes that are tried in the place of another
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
        """``have`` is never more than wanted."""
        self.lane, self.have, self.leaves_after, self.load_cost, self.worth = lane, have, leaves_after, load_cost, worth
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


@dataclass(frozen=True, slots=True)
class Division:
    """Who sends what: holders with their units, what that costs with splits, and how many units are missing."""

    shares: tuple[tuple[Holder, Units], ...]
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


class Search:
    """One search; ``best`` and ``second`` (other nodes than the best) stand after ``run``."""

    def __init__(self, ask: Ask, holders: Sequence[Holder]) -> None:
        self._ask = ask
        self._holders = sorted(holders, key=_by_floor)
        self.best: Division | None = None
        self.second: Division | None = None
        self._bar = inf  # the cost of the best that lacks nothing
        self._least_worth = sum(
            quantity * min((holder.worth[place] for holder in holders), default=0.0)
            for place, quantity in enumerate(ask.want)
        )

    def run(self) -> None:
        """Look for the best division."""
        for holder in self._holders:
            if holder.have == self._ask.want:
                self._offer(((holder, holder.have),))
        if self._may_pay(2):
            self._pairs()
        if self._may_pay(3) and len(self._holders) <= MOST_IN_THREES:
            self._threes()
        if self.best is None or (self._may_pay(3) and len(self._holders) > MOST_IN_THREES):
            self._grow()

    def _may_pay(self, parcels: int) -> bool:
        """Return whether so many parcels are allowed and could cost less than the best."""
        if parcels > self._ask.most_parcels or parcels > len(self._holders):
            return False
        return self._least(self._holders[:parcels]) < self._bar

    def _least(self, holders: Iterable[Holder]) -> float:
        """Return what parcels from these nodes cost at the very least."""
        least = self._least_worth - self._ask.split
        for holder in holders:
            least += holder.floor + self._ask.split
        return least

    def _pairs(self) -> None:
        holders, want = self._holders[:MOST_IN_PAIRS], self._ask.want
        base = self._least_worth + self._ask.split
        for place, first in enumerate(holders):
            bar = self._bar - base - first.floor
            if first.floor >= bar:
                break
            have = first.have
            for second in holders[place + 1 :]:
                if second.floor >= bar:
                    break
                for one, other, quantity in zip(have, second.have, want, strict=True):
                    if one + other < quantity:
                        break
                else:
                    self._divide_pair(first, second)
                    bar = self._bar - base - first.floor

    def _divide_pair(self, first: Holder, second: Holder) -> None:
        want = self._ask.want
        ends = [
            (quantity - other, one) if quantity - other < one else (one,)
            for one, other, quantity in zip(first.have, second.have, want, strict=True)
        ]
        if sum(len(end) > 1 for end in ends) > MOST_FREE:
            ends = [(end[0] if worth > other else end[-1],) for end, worth, other in zip(
                ends, first.worth, second.worth, strict=True
            )]  # fmt: skip
        for units in product(*ends):
            rest = tuple(quantity - one for quantity, one in zip(want, units, strict=True))
            if any(units) and any(rest):
                self._offer(((first, units), (second, rest)))

    def _threes(self) -> None:
        want = self._ask.want
        for group in combinations(self._holders, 3):
            if self._least(group) >= self._bar:
                continue
            if all(sum(have) >= quantity for quantity, *have in zip(want, *(h.have for h in group), strict=True)):
                for order in permutations(group):
                    self._offer(self._filled(order))

    def _grow(self) -> None:
        """Add the node that adds most until nothing is missing, then leave out and exchange while that helps."""
        chosen = self._gathered()
        if not chosen:
            return
        division: Division | None = self._evaluate(chosen)
        while division:
            self._note(division)
            better = min(self._neighbours(division), key=_rank, default=division)
            division = better if better.rank < division.rank else None

    def _gathered(self) -> list[Holder]:
        chosen: list[Holder] = []
        still, left = self._ask.want, list(self._holders)
        while left and any(still) and len(chosen) < self._ask.most_parcels:
            gains = [sum(map(min, holder.have, still)) for holder in left]
            most = max(gains)
            if not most:
                break
            holder = left.pop(gains.index(most))
            chosen.append(holder)
            still = tuple(max(0, quantity - have) for quantity, have in zip(still, holder.have, strict=True))
        return chosen

    def _neighbours(self, division: Division) -> Iterable[Division]:
        """Return the divisions with one node less, or with another one in the place of one."""
        chosen = [holder for holder, _units in division.shares]
        others = [holder for holder in self._holders if holder not in chosen][:MOST_EXCHANGES]
        for place in range(len(chosen)):
            rest = [*chosen[:place], *chosen[place + 1 :]]
            if rest:
                yield self._evaluate(rest)
            for other in others:
                yield self._evaluate([*rest, other])

    def _evaluate(self, holders: Sequence[Holder]) -> Division:
        """Return the best division among these nodes, trying each as the one that gives most."""
        ordered = sorted(holders, key=_by_floor)
        orders = [[first, *(holder for holder in ordered if holder is not first)] for first in ordered]
        return min((self._division(self._filled(order)) for order in orders), key=_rank)

    def _filled(self, order: Sequence[Holder]) -> tuple[tuple[Holder, Units], ...]:
        """Give each node in turn what it has of what is still missing."""
        still, shares = self._ask.want, []
        for holder in order:
            units = tuple(map(min, holder.have, still))
            if any(units):
                shares.append((holder, units))
                still = tuple(quantity - sent for quantity, sent in zip(still, units, strict=True))
        return tuple(shares)

    def _division(self, shares: tuple[tuple[Holder, Units], ...]) -> Division:
        cost, sent = self._ask.split * (len(shares) - 1), 0
        for holder, units in shares:
            cost += holder.cost(units, self._ask)
            sent += sum(units)
        return Division(shares, cost, sum(self._ask.want) - sent)

    def _offer(self, shares: tuple[tuple[Holder, Units], ...]) -> None:
        self._note(self._division(shares))

    def _note(self, division: Division) -> None:
        """Keep a division if it is the best, or the best with other nodes than the best has."""
        if self.best is None or division.rank < self.best.rank:
            if self.best and self.best.codes != division.codes:
                self.second = self.best
            self.best = division
            self._bar = division.cost if not division.missing else inf
        elif division.codes != self.best.codes and (self.second is None or division.rank < self.second.rank):
            self.second = division


def _by_floor(holder: Holder) -> tuple[float, str]:
    return round(holder.floor, 6), holder.lane.node.code


def _rank(division: Division) -> tuple[int, float, int, tuple[str, ...]]:
    return division.rank
