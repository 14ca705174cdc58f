"""All ways in which orders may be sent, as columns of one joint problem over shared stock and room.

An order wants units of a few SKUs; a parcel holds some of them (its *content*), and a plan is a set of parcels whose
contents add up to the order. Every plan counts, also those that split a line between nodes: contents are vectors of
units per SKU, and plans are the ways to write the order's own vector as a sum of contents. For an order of three lines
of one unit these are 7 contents, 5 sums and 50³ plans over 50 nodes, of which nobody ever lists more than a few: at
given prices of stock and room the best plan of each sum takes each content to its cheapest node, so the cheapest plan
of all is found exactly by a minimum over nodes and one over sums (``Joint.price``). This is what makes the bound of the
optimiser a bound over all plans and not over those somebody thought of.

Orders of very many units travel by whole lines, those of very many lines in at most two parcels; beyond that they are
not planned together (``shape_of`` returns None).

Costs are in yuan; whatever is not allowed costs ``inf``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import inf, prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Content = tuple[int, ...]  # units per SKU of the order, in the order of ``Wish.skus``
Plan = tuple[tuple[int, int], ...]  # (place of the node, number of the content), sorted: the parcels of an order

MOST_CONTENTS: Final = 48  # of an order whose lines may be split
MOST_LINES: Final = 6  # of an order that travels by whole lines
MOST_LINES_IN_PAIRS: Final = 8  # of an order that travels by whole lines in at most two parcels


@dataclass(frozen=True)
class Shape:
    """What all orders of the same quantities have in common: their contents, and the sums that make up the order."""

    contents: tuple[Content, ...]
    sums: tuple[tuple[int, ...], ...]  # numbers of contents; fewest parcels first

    @property
    def whole(self) -> int:
        """Return the number of the content that is the whole order."""
        return len(self.contents) - 1


@dataclass(frozen=True)
class Wish:
    """One order of the joint problem. ``costs[content, node]`` is what a parcel costs there, ``inf`` where it may not.

    ``kept`` is the plan it has now, if it has one; its units and room must be among what the joint problem may use.
    """

    reference: str
    skus: tuple[int, ...]
    shape: Shape
    costs: Floats
    split: float = 0.0  # yuan for each parcel after the first
    kept: Plan | None = None

    def cost(self, plan: Plan) -> float:
        """Return what a plan of this order costs in yuan."""
        return float(sum(self.costs[content, node] for node, content in plan)) + self.split * (len(plan) - 1)

    def units(self, plan: Plan) -> Iterable[tuple[int, int, int]]:
        """Return what a plan takes: (SKU id, place of the node, units)."""
        for node, content in plan:
            for sku_id, units in zip(self.skus, self.shape.contents[content], strict=True):
                if units:
                    yield sku_id, node, units


@lru_cache(maxsize=512)
def shape_of(quantities: tuple[int, ...], most_parcels: int) -> Shape | None:
    """Return the contents and sums of an order that wants so many units of each SKU; None when they are too many."""
    if prod(quantity + 1 for quantity in quantities) <= MOST_CONTENTS:
        steps = [range(quantity + 1) for quantity in quantities]
    elif len(quantities) <= MOST_LINES_IN_PAIRS:
        steps = [range(0, quantity + 1, quantity) for quantity in quantities]
        most_parcels = most_parcels if len(quantities) <= MOST_LINES else min(2, most_parcels)
    else:
        return None
    contents = sorted((content for content in product(*steps) if any(content)), key=lambda one: (sum(one), one))
    number = {content: place for place, content in enumerate(contents)}
    sums = _sums(contents[-1], len(contents) - 1, most_parcels, contents, number)
    return Shape(tuple(contents), tuple(sorted(sums, key=lambda one: (len(one), one))))


def _sums(
    left: Content, largest: int, parcels: int, contents: Sequence[Content], number: Mapping[Content, int]
) -> list[tuple[int, ...]]:
    """Return the ways to write ``left`` as a sum of contents, each no larger (by number) than the one before."""
    if parcels == 0:
        return []
    found: list[tuple[int, ...]] = []
    if left in number and number[left] <= largest:
        found.append((number[left],))
    for place in range(largest + 1):
        rest = tuple(have - units for have, units in zip(left, contents[place], strict=True))
        if min(rest) >= 0 and any(rest):
            found += [(place, *others) for others in _sums(rest, place, parcels - 1, contents, number)]
    return found


class FamilyPriced(NamedTuple):
    """What one family costs at some prices."""

    sums: Floats  # order × sum
    nodes: NDArray[np.intp]  # order × content → the cheapest node
    at_prices: Floats  # order × content × node


@dataclass
class Family:
    """The orders of one shape, as arrays: what is asked of one is worked out for all of them at once."""

    shape: Shape
    places: NDArray[np.intp]  # of its orders among the joint problem's
    costs: Floats  # order × content × node
    splits: Floats  # order
    rows: NDArray[np.intp]  # order × SKU × node → row of the stock; the last row stands for what never runs out
    units: Floats = field(init=False)  # content × SKU
    parts: NDArray[np.intp] = field(init=False)  # sum × parcel → number of the content; -1 where there are fewer

    def __post_init__(self) -> None:
        """Keep contents and sums as arrays."""
        self.units = np.array(self.shape.contents, dtype=float)
        longest = max(len(one) for one in self.shape.sums)
        self.parts = np.array([[*one, *[-1] * (longest - len(one))] for one in self.shape.sums])

    def cheapest(self, stock: Floats, room: Floats) -> "FamilyPriced":
        """Return what sums and contents cost at these prices."""
        at_prices = self.costs + room
        worth = stock[self.rows]
        for number, content in enumerate(self.shape.contents):  # a product of matrices would start threads for this
            for place, units in enumerate(content):
                if units:
                    at_prices[:, number] += worth[:, place] if units == 1 else worth[:, place] * units
        nodes = at_prices.argmin(axis=2)
        best = np.take_along_axis(at_prices, nodes[:, :, None], axis=2)[:, :, 0]
        sums = [best[:, parts].sum(axis=1) + self.splits * (len(parts) - 1) for parts in map(list, self.shape.sums)]
        return FamilyPriced(np.stack(sums, axis=1), nodes, at_prices)


@dataclass
class Joint:
    """Orders, and the stock and room they share. Rows that all orders together cannot use up are left out."""

    wishes: Sequence[Wish]
    stock: Mapping[tuple[int, int], int]  # (SKU id, place of the node) → units
    room: Sequence[int]  # parcels that each node can still take
    families: list[Family] = field(init=False)
    row: dict[tuple[int, int], int] = field(init=False)  # of the stock that may run out
    limits: Floats = field(init=False)  # of these rows
    rooms: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Find the rows that may run out and put the orders into families."""
        self.row = {}
        for key, wanted in sorted(self._wanted().items()):
            if wanted > self.stock.get(key, 0):
                self.row[key] = len(self.row)
        self.limits = np.array([self.stock.get(key, 0) for key in self.row], dtype=float)
        self.rooms = np.array(self.room, dtype=float)
        by_shape: dict[Shape, list[int]] = {}
        for place, wish in enumerate(self.wishes):
            by_shape.setdefault(wish.shape, []).append(place)
        self.families = [self._family(shape, places) for shape, places in by_shape.items()]

    def price(self, stock: Floats, room: Floats) -> "Priced":
        """Return the cheapest plans of every order at these prices of stock rows and room."""
        padded = np.append(stock, 0.0)
        return Priced(self, [family.cheapest(padded, room) for family in self.families])

    def uses(self, wish: Wish, plan: Plan) -> tuple[list[int], list[int]]:
        """Return the scarce rows that a plan uses and the units of each; rooms come after the stock's rows."""
        used: dict[int, int] = {}
        for sku_id, node, units in wish.units(plan):
            place = self.row.get((sku_id, node))
            if place is not None:
                used[place] = used.get(place, 0) + units
        for node, _content in plan:
            place = len(self.row) + node
            used[place] = used.get(place, 0) + 1
        return list(used), list(used.values())

    def _wanted(self) -> dict[tuple[int, int], int]:
        """Return how many units of a SKU could be wanted of a node at most."""
        wanted: dict[tuple[int, int], int] = {}
        for wish in self.wishes:
            nodes = np.flatnonzero(np.isfinite(wish.costs).any(axis=0)).tolist()
            for sku_id, units in zip(wish.skus, wish.shape.contents[-1], strict=True):
                for node in nodes:
                    wanted[sku_id, node] = wanted.get((sku_id, node), 0) + units
        return wanted

    def _family(self, shape: Shape, places: Sequence[int]) -> Family:
        """Lay orders of one shape side by side; a content that a node has not enough stock for costs ``inf`` there."""
        wishes = [self.wishes[place] for place in places]
        never_out, nodes = len(self.row), range(len(self.room))
        rows = np.array([[[self.row.get((sku, node), never_out) for node in nodes] for sku in w.skus] for w in wishes])
        costs = np.stack([wish.costs for wish in wishes])
        units = np.array(shape.contents, dtype=float)
        limits = np.append(self.limits, inf)
        for place in range(units.shape[1]):
            costs[units[:, place, None] > limits[rows[:, place, None, :]]] = inf
        costs[:, :, self.rooms < 1] = inf
        return Family(shape, np.array(places), costs, np.array([wish.split for wish in wishes]), rows)


@dataclass
class Priced:
    """The cheapest plans at some prices."""

    joint: Joint
    families: list[FamilyPriced]

    def least(self) -> Floats:
        """Return per order the cost of its cheapest plan at these prices; ``inf`` when it has none."""
        least = np.full(len(self.joint.wishes), inf)
        for family, (sums, *_rest) in zip(self.joint.families, self.families, strict=True):
            least[family.places] = sums.min(axis=1)
        return least

    def usage(self) -> tuple[Floats, Floats]:
        """Return what the cheapest plans of all orders together take of the scarce stock and of each node's room."""
        stock = np.zeros(len(self.joint.limits) + 1)
        room = np.zeros(len(self.joint.rooms))
        for family, (sums, nodes, _at) in zip(self.joint.families, self.families, strict=True):
            best = sums.argmin(axis=1)
            parts = family.parts[best]  # order × parcel; -1 where a sum has fewer
            orders, slots = np.nonzero(parts >= 0)
            contents = parts[orders, slots]
            chosen = nodes[orders, contents]
            room += np.bincount(chosen, minlength=len(room))
            rows, units = family.rows[orders, :, chosen], family.units[contents]
            stock += np.bincount(rows.ravel(), weights=units.ravel(), minlength=len(stock))
        return stock[:-1], room

    def near(self, slack: float, most: int) -> list[tuple[int, Plan]]:
        """Return the plans of each order within ``slack`` yuan of its cheapest at these prices, at most ``most``."""
        found: list[tuple[int, Plan]] = []
        for family, (sums, _nodes, at_prices) in zip(self.joint.families, self.families, strict=True):
            ranks = np.argsort(at_prices, axis=2, kind="stable")[:, :, : nodes_looked_at(most)]
            values = np.take_along_axis(at_prices, ranks, axis=2)
            for place, order in enumerate(family.places.tolist()):
                limit = float(sums[place].min()) + slack
                nodes, costs = ranks[place].tolist(), values[place].tolist()
                listed: list[tuple[float, Plan]] = []
                for number in np.flatnonzero(sums[place] <= limit).tolist():
                    parts = family.shape.sums[number]
                    start = float(family.splits[place]) * (len(parts) - 1)
                    listed += _within(parts, nodes, costs, limit, start)
                found += [(order, plan) for _cost, plan in sorted(set(listed))[:most]]
        return found


def nodes_looked_at(most: int) -> int:
    """Return at how many nodes of each content ``near`` looks at most to list so many plans."""
    return max(8, most // 2)


def _within(
    parts: Sequence[int], nodes: Sequence[Sequence[int]], costs: Sequence[Sequence[float]], limit: float, start: float
) -> list[tuple[float, Plan]]:
    """Return the ways to give the parts of a sum to different nodes that cost at most ``limit``."""
    least_after = [0.0]
    for content in reversed(parts):
        least_after.append(least_after[-1] + costs[content][0])
    ways: list[tuple[float, Plan]] = [(start, ())]
    for place, content in enumerate(parts):
        rest = least_after[len(parts) - place - 1]
        ways = [
            (cost + more, (*plan, (node, content)))
            for cost, plan in ways
            for node, more in zip(nodes[content], costs[content], strict=True)
            if cost + more + rest <= limit and all(node != other for other, _content in plan)
        ]
    return [(cost, tuple(sorted(plan))) for cost, plan in ways if cost < inf]
