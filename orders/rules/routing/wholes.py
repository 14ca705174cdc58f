"""The cheapest ways to send an order of a few SKUs with each SKU whole. Plain Python.

For each set of SKUs the two cheapest nodes that have all of it are looked up; then all ways to make up the order of
sets are tried, each set from its cheapest node. That is as good as trying all groups of nodes, at a fraction of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from math import inf

from orders.rules.routing.holders import EQUAL, Ask, Holder, Shares

Option = tuple[float, str, Holder]  # cost of a parcel with the set, node code, node


class Wholes:
    """The cheapest nodes of each set of SKUs; sets are bits, the first SKU is 1."""

    def __init__(self, ask: Ask, holders: Sequence[Holder]) -> None:
        self._ask = ask
        self._all = (1 << len(ask.want)) - 1
        self._options: dict[int, list[Option]] = {}
        self._weights = [0]
        for want, grams in zip(ask.want, ask.weights_g, strict=True):
            self._weights += [weight + want * grams for weight in self._weights]
        self.add(holders)

    def add(self, holders: Iterable[Holder]) -> None:
        """Look up the sets of SKUs that nodes have all of."""
        for holder in holders:
            self._add(holder)

    def offer(self, weigh: Callable[[Shares], float]) -> None:
        """Offer every way of two parcels or more that may be the cheapest; ``weigh`` returns the cost to beat."""
        bar = inf
        best: tuple[float, tuple[int, ...]] | None = None
        for cost, sets in self._ways(self._all, self._ask.most_parcels, ()):
            if len(sets) < 2 or cost > bar + EQUAL:
                continue
            for shares in self._shares(sets):
                bar = min(bar, weigh(shares))
            if best is None or cost < best[0]:
                best = cost, sets
        if best:
            for shares in self._beside(best[1]):
                weigh(shares)

    def _add(self, holder: Holder) -> None:
        ask, has = self._ask, 0
        for place, (have, want) in enumerate(zip(holder.have, ask.want, strict=True)):
            if have == want:
                has |= 1 << place
        worth = _sums([want * yuan for want, yuan in zip(ask.want, holder.worth, strict=True)]) if has else []
        code, price, left = holder.lane.node.code, holder.lane.price, has
        while left:
            cost = price(self._weights[left], holder.leaves_after, ask.due, ask.urgency).cost
            self._keep(left, (cost + holder.load_cost + worth[left], code, holder))
            left = (left - 1) & has

    def _keep(self, items: int, option: Option) -> None:
        """Keep the two cheapest nodes of a set; equal costs go to the lower code."""
        kept = self._options.get(items)
        if kept is None:
            self._options[items] = [option]
        elif len(kept) == 1 or option[0] <= kept[1][0] + EQUAL:
            kept.append(option)
            kept.sort(key=_by_cost)
            del kept[2:]

    def _ways(self, left: int, parcels: int, sets: tuple[int, ...]) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Yield all ways to make up what is left of sets that some node has, with their costs."""
        if not left:
            yield -self._ask.split, sets
            return
        if not parcels:
            return
        lowest, rest = left & -left, left & (left - 1)
        others = rest
        while True:
            items = lowest | others
            options = self._options.get(items)
            if options:
                for cost, way in self._ways(left ^ items, parcels - 1, (*sets, items)):
                    yield cost + options[0][0] + self._ask.split, way
            if not others:
                return
            others = (others - 1) & rest

    def _shares(self, sets: Sequence[int]) -> Iterator[Shares]:
        """Yield each set from its cheapest node; where one node is that of two sets, also from the next."""
        firsts = [self._options[items][0][2] for items in sets]
        if len(set(firsts)) == len(sets):
            yield tuple((holder, self._units(items)) for holder, items in zip(firsts, sets, strict=True))
            return
        for options in product(*(self._options[items] for items in sets)):
            yield self._merged([holder for _cost, _code, holder in options], sets)

    def _beside(self, sets: Sequence[int]) -> Iterator[Shares]:
        """Yield the same sets with one of them from its second node."""
        firsts = [self._options[items][0][2] for items in sets]
        for place, items in enumerate(sets):
            for _cost, _code, holder in self._options[items][1:]:
                yield self._merged([*firsts[:place], holder, *firsts[place + 1 :]], sets)

    def _merged(self, holders: Sequence[Holder], sets: Sequence[int]) -> Shares:
        """Return one parcel for each node."""
        held: dict[Holder, int] = {}
        for holder, items in zip(holders, sets, strict=True):
            held[holder] = held.get(holder, 0) | items
        return tuple((holder, self._units(items)) for holder, items in held.items())

    def _units(self, items: int) -> tuple[int, ...]:
        return tuple(want if items >> place & 1 else 0 for place, want in enumerate(self._ask.want))


def _by_cost(option: Option) -> tuple[float, str]:
    return round(option[0], 6), option[1]


def _sums(parts: Sequence[float]) -> list[float]:
    """Return the sum of each set of parts, by the set's bits."""
    sums = [0.0]
    for part in parts:
        sums += [one + part for one in sums]
    return sums
