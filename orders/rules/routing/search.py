"""The cheapest way to divide one order among nodes that hold some of it. Plain Python.

In the order in which it looks:

1. every node that has all of it;
2. every way to send each SKU whole: the cheapest node of each set of SKUs, then the cheapest sets for the order;
3. pairs of which one has only a part of a SKU, and where only few nodes hold anything, threes: each SKU that both
   ends of a pair have goes as far as possible to the one or to the other, whichever is cheaper;
4. where nothing was found: the node that adds most, then the next, improved by leaving one out or exchanging one.

What can not cost less than what was found is passed over. Fewer missing units beat lower cost; equal costs go to fewer
parcels, then to the lower node codes.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations, permutations, product
from math import inf
from operator import attrgetter
from typing import Final

from orders.rules.routing.holders import EQUAL, Ask, Division, Holder, Shares, Units
from orders.rules.routing.wholes import Wholes

MOST_WHOLE: Final = 6  # SKUs of an order of which all sets are tried
FIRST_WHOLE: Final = 12  # nodes of which that is tried before the others
MOST_IN_PAIRS: Final = 120  # nodes of which all pairs are tried
MOST_IN_THREES: Final = 12  # nodes of which all threes are tried
MOST_FREE: Final = 5  # SKUs of a pair that may go either way and of which all ways are tried
MOST_EXCHANGES: Final = 12  # nodes that are tried in the place of another


class Search:
    """One search; ``best`` and ``second`` (other nodes than the best) stand after ``run``."""

    def __init__(self, ask: Ask, holders: Iterable[Holder]) -> None:
        self._ask = ask
        self._holders = sorted(holders, key=attrgetter("floor"))
        self.best: Division | None = None
        self.second: Division | None = None
        self._bar = inf  # the cost of the best that lacks nothing, once there is a second to compare it with
        self._least_worth = self._lowest_worth()

    def run(self) -> None:
        """Look for the best division."""
        ask = self._ask
        self._alone()
        if self._may_pay(2) and 1 < len(ask.want) <= MOST_WHOLE:
            self._wholes()
        if self._may_pay(2):
            self._pairs()
        if self._may_pay(3) and len(self._holders) <= MOST_IN_THREES:
            self._threes()
        if self.best is None or len(ask.want) > MOST_WHOLE:
            self._grow()

    def _lowest_worth(self) -> float:
        """Return what the goods beside freight cost at the very least, wherever they come from."""
        if not any(any(holder.worth) for holder in self._holders):
            return 0.0
        worths = zip(*(holder.worth for holder in self._holders), strict=True)
        return sum(quantity * float(min(worth)) for quantity, worth in zip(self._ask.want, worths, strict=True))

    def _alone(self) -> None:
        want, least = self._ask.want, self._least_worth - EQUAL
        for holder in self._holders:
            if self.second and holder.floor + least > self.second.cost:
                break
            if holder.have == want:
                self._offer(((holder, want),))

    def _wholes(self) -> None:
        """Send each SKU whole: first from the cheapest nodes, then also from those that may still beat that."""
        near, far = self._holders[:FIRST_WHOLE], self._holders[FIRST_WHOLE:]
        wholes = Wholes(self._ask, near)
        wholes.offer(self._offer)
        beside = near[0].floor + self._ask.split + self._least_worth
        others = [holder for holder in far if holder.floor + beside < self._bar]
        if others:
            wholes.add(others)
            wholes.offer(self._offer)

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
        """Try the pairs that have all of it; if SKUs were tried whole, only those with a part of one."""
        holders, want = self._holders[:MOST_IN_PAIRS], self._ask.want
        parted = [len(want) > MOST_WHOLE or _has_a_part(holder, want) for holder in holders]
        if not any(parted):
            return
        base = self._least_worth + self._ask.split
        for place, first in enumerate(holders):
            for other in range(place + 1, len(holders)):
                second = holders[other]
                if base + first.floor + second.floor >= self._bar:
                    break
                if (parted[place] or parted[other]) and self._holds_all((first, second)):
                    self._divide_pair(first, second)

    def _divide_pair(self, first: Holder, second: Holder) -> None:
        want = self._ask.want
        # the first stands nearer: where it costs the same, it sends the most
        ends = [
            (one, quantity - other) if quantity - other < one else (one,)
            for one, other, quantity in zip(first.have, second.have, want, strict=True)
        ]
        if sum(len(end) > 1 for end in ends) > MOST_FREE:
            worths = zip(ends, first.worth, second.worth, strict=True)
            ends = [(end[-1] if worth > other else end[0],) for end, worth, other in worths]
        for units in product(*ends):
            rest = tuple(quantity - one for quantity, one in zip(want, units, strict=True))
            if any(units) and any(rest):
                self._offer(((first, units), (second, rest)))

    def _threes(self) -> None:
        """Try the threes, unless every node has all or nothing of each SKU: those are tried already."""
        want = self._ask.want
        if len(want) <= MOST_WHOLE and not any(_has_a_part(holder, want) for holder in self._holders):
            return
        for group in combinations(self._holders, 3):
            if self._least(group) < self._bar and self._holds_all(group):
                for order in permutations(group):
                    self._offer(self._filled(order))

    def _holds_all(self, group: Sequence[Holder]) -> bool:
        for quantity, *haves in zip(self._ask.want, *[holder.have for holder in group], strict=True):
            if sum(haves) < quantity:
                return False
        return True

    def _grow(self) -> None:
        """Add the node that adds most until nothing is missing, then leave out and exchange while that helps."""
        chosen = self._gathered()
        if not chosen:
            return
        nearest = self._division(self._filled(self._holders)[: self._ask.most_parcels])
        division: Division | None = min(self._evaluate(chosen), nearest, key=_rank)
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
        """Return the best division among these nodes: each SKU from where a unit is cheapest, or one gives most."""
        ordered = sorted(holders, key=_by_floor)
        orders = [[first, *(holder for holder in ordered if holder is not first)] for first in ordered]
        ways = [self._by_unit(ordered), *(self._filled(order) for order in orders)]
        return min((self._division(shares) for shares in ways), key=_rank)

    def _by_unit(self, holders: Sequence[Holder]) -> Shares:
        """Take each SKU from where a unit of it costs least, its weight at what the lane asks for the whole order."""
        ask = self._ask
        slopes = [self._yuan_a_gram(holder) for holder in holders]
        columns = []
        for place, quantity in enumerate(ask.want):
            costs = [
                holder.worth[place] + slope * ask.weights_g[place]
                for holder, slope in zip(holders, slopes, strict=True)
            ]
            sent, still = [0] * len(holders), quantity
            for at in sorted(range(len(holders)), key=costs.__getitem__):
                sent[at] = min(holders[at].have[place], still)
                still -= sent[at]
            columns.append(sent)
        shares = zip(holders, zip(*columns, strict=True), strict=True)
        return tuple((holder, units) for holder, units in shares if any(units))

    def _yuan_a_gram(self, holder: Holder) -> float:
        """Return what the weight of the whole order costs on a holder's lane, by the gram."""
        ask = self._ask
        grams = sum(quantity * weight for quantity, weight in zip(ask.want, ask.weights_g, strict=True))
        empty = holder.lane.price(0, holder.leaves_after, ask.due, ask.urgency).cost
        return (holder.price(ask.want, ask).cost - empty) / grams if grams else 0.0

    def _filled(self, order: Sequence[Holder]) -> Shares:
        """Give each node in turn what it has of what is still missing."""
        still, shares = self._ask.want, []
        for holder in order:
            units = tuple(map(min, holder.have, still))
            if any(units):
                shares.append((holder, units))
                still = tuple(quantity - sent for quantity, sent in zip(still, units, strict=True))
        return tuple(shares)

    def _division(self, shares: Shares) -> Division:
        cost, sent = self._ask.split * (len(shares) - 1), 0
        for holder, units in shares:
            cost += holder.cost(units, self._ask)
            sent += sum(units)
        return Division(shares, cost, sum(self._ask.want) - sent)

    def _offer(self, shares: Shares) -> float:
        """Weigh a division and return the cost that others must beat.

        Most are dearer than the two that are kept, and soon forgotten.
        """
        division = self._division(shares)
        if self.second is None or division.missing or division.cost < self.second.cost + EQUAL:
            self._note(division)
        return self._bar

    def _note(self, division: Division) -> None:
        """Keep a division if it is the best, or the best with other nodes than the best has."""
        if self.best is None or division.rank < self.best.rank:
            if self.best and self.best.codes != division.codes:
                self.second = self.best
            self.best = division
        elif division.codes != self.best.codes and (self.second is None or division.rank < self.second.rank):
            self.second = division
        self._bar = self.best.cost if self.second and not self.best.missing else inf


def _has_a_part(holder: Holder, want: Units) -> bool:
    """Return whether a node has some units of a SKU, but not all that are wanted."""
    return any(0 < have < quantity for have, quantity in zip(holder.have, want, strict=True))


def _by_floor(holder: Holder) -> tuple[float, str]:
    return round(holder.floor, 6), holder.lane.node.code


def _rank(division: Division) -> tuple[int, float, int, tuple[str, ...]]:
    return division.rank
