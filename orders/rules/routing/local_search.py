"""Plans for many orders without a solver: a greedy start at given prices, then chains of moves that make it cheaper.

A move gives one order the plan it would like best. Where that takes stock or room that others have, those are sent
away and planned again, and whom they meet in turn, a few times; the chain counts only when all of it together is
cheaper than before. Everything is done in a fixed order: the same input gives the same plans.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orders.rules.routing.columns import Family, Floats, Joint, Plan

LONGEST_CHAIN: Final = 6  # orders planned again for the sake of one
LEAST_GAIN: Final = 1e-6  # yuan


@dataclass
class Search:
    """Plans of all orders within what there is; ``plans[order]`` is None while an order is not sent."""

    joint: Joint
    unsent: Sequence[float]  # yuan that an order costs while it is not sent
    plans: list[Plan | None] = field(init=False)
    left: Floats = field(init=False)  # units of each stock row; the last row never runs out
    room: Floats = field(init=False)
    _family: list[tuple[Family, int]] = field(init=False)  # of each order, and its place there
    _users: list[set[int]] = field(init=False)  # of each row, then of each node: the orders that use it
    _uses: list[tuple[list[int], list[int]]] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing sent."""
        joint = self.joint
        self.plans = [None] * len(joint.wishes)
        self.left, self.room = np.append(joint.limits, inf), joint.rooms.copy()
        self._family = [None] * len(joint.wishes)  # type: ignore[list-item]  # every order is in one family
        for family in joint.families:
            for place, order in enumerate(family.places.tolist()):
                self._family[order] = (family, place)
        self._users = [set() for _ in range(len(joint.limits) + len(joint.rooms))]
        self._uses = [([], []) for _ in joint.wishes]

    @property
    def cost(self) -> float:
        """Return what all plans cost together in yuan."""
        return sum(self.cost_of(order) for order in range(len(self.plans)))

    def cost_of(self, order: int) -> float:
        """Return what one order's plan costs in yuan."""
        plan = self.plans[order]
        return self.unsent[order] if plan is None else self.joint.wishes[order].cost(plan)

    def put(self, order: int, plan: Plan | None) -> None:
        """Give an order another plan, whether what it needs is there or not; ``is_over`` says so."""
        self._take(order, 1.0)
        self.plans[order] = plan
        self._uses[order] = self.joint.uses(self.joint.wishes[order], plan) if plan else ([], [])
        self._take(order, -1.0)

    def over(self) -> list[int]:
        """Return the rows of which more is used than there is."""
        rows = np.flatnonzero(self.left < 0).tolist()
        return rows + (np.flatnonzero(self.room < 0) + len(self.joint.limits)).tolist()

    def fits(self, order: int, plan: Plan) -> bool:
        """Return whether a plan's units and room are left for an order that has none now."""
        rows, units = self.joint.uses(self.joint.wishes[order], plan)
        return all(self.free(row) >= wanted for row, wanted in zip(rows, units, strict=True))

    def best(self, order: int, prices: tuple[Floats, Floats], *, within: bool = True) -> tuple[float, Plan | None]:
        """Return the cheapest plan at these prices and its cost there, within what is left or whatever is left."""
        family, place = self._family[order]
        costs, rows = family.costs[place] + prices[1], family.rows[place]
        costs += np.einsum("cs,sn->cn", family.units, prices[0][rows])
        if within:
            enough = (self.left[rows][None, :, :] >= family.units[:, :, None]).all(axis=1) & (self.room >= 1)
            costs[~enough] = inf
        return _cheapest(family, costs, float(family.splits[place]))

    def free(self, row: int) -> float:
        """Return what is left of a row."""
        stock = len(self.joint.limits)
        return float(self.left[row] if row < stock else self.room[row - stock])

    def _take(self, order: int, sign: float) -> None:
        """Give back (1) or take (-1) what an order's plan uses."""
        stock = len(self.joint.limits)
        for row, units in zip(*self._uses[order], strict=True):
            if row < stock:
                self.left[row] += sign * units
            else:
                self.room[row - stock] += sign * units
            (self._users[row].discard if sign > 0 else self._users[row].add)(order)

    def users(self, row: int) -> list[int]:
        """Return the orders that use a row, in their order."""
        return sorted(self._users[row])


def _cheapest(family: Family, costs: Floats, split: float) -> tuple[float, Plan | None]:
    nodes: NDArray[np.intp] = costs.argmin(axis=1)
    least = costs[np.arange(len(nodes)), nodes]
    padded = np.append(least, 0.0)  # the part -1 costs nothing
    sums = padded[family.parts].sum(axis=1) + split * ((family.parts >= 0).sum(axis=1) - 1)
    for number in np.argsort(sums, kind="stable").tolist():
        if sums[number] == inf:
            break
        plan = tuple(sorted((int(nodes[content]), content) for content in family.shape.sums[number]))
        if len({node for node, _content in plan}) == len(plan):
            return float(sums[number]), plan
    return inf, None


def fill(search: Search, prices: tuple[Floats, Floats]) -> None:
    """Give each order without a plan the best at these prices, those first that would lose most by waiting."""
    waiting = [order for order, plan in enumerate(search.plans) if plan is None]
    urgency = {order: _regret(search, order, prices) for order in waiting}
    for order in sorted(waiting, key=lambda one: (-urgency[one], one)):
        _price, plan = search.best(order, prices)
        if plan is not None:
            search.put(order, plan)


def _regret(search: Search, order: int, prices: tuple[Floats, Floats]) -> float:
    """Return how much dearer than at these prices an order is as things stand: who is already squeezed goes first."""
    wanted, _plan = search.best(order, prices, within=False)
    there, _plan = search.best(order, prices)
    return min(there, search.unsent[order]) - wanted


def improve(search: Search, prices: tuple[Floats, Floats], is_over: Callable[[], bool]) -> int:
    """Make plans cheaper by chains of moves until none helps or time is over; returns how many chains counted."""
    chains, found = 0, True
    while found and not is_over():
        found = False
        for order in range(len(search.plans)):
            if is_over():
                break
            if _chain(search, order, prices):
                chains, found = chains + 1, True
    return chains


def _chain(search: Search, order: int, prices: tuple[Floats, Floats]) -> bool:
    """Try to give one order what it would like best, and those it displaces something else; True when it pays."""
    _cost, wanted = search.best(order, prices, within=False)
    if wanted is None or wanted == search.plans[order]:
        return False
    before: dict[int, Plan | None] = {order: search.plans[order]}
    saved = search.cost_of(order)
    search.put(order, wanted)
    saved -= search.cost_of(order)
    while len(before) <= LONGEST_CHAIN and (rows := search.over()):
        victim = _victim(search, rows[0], before, prices)
        if victim is None:
            break
        before[victim] = search.plans[victim]
        saved += search.cost_of(victim)
        search.put(victim, None)
        _price, plan = search.best(victim, prices)
        search.put(victim, plan)
        saved -= search.cost_of(victim)
    if saved > LEAST_GAIN and not search.over():
        return True
    for one in before:
        search.put(one, None)
    for one, plan in before.items():
        search.put(one, plan)
    return False


def _victim(search: Search, row: int, taken: dict[int, Plan | None], prices: tuple[Floats, Floats]) -> int | None:
    """Return the user of a row who is planned again most cheaply."""
    best, least = None, inf
    for user in search.users(row):
        if user in taken:
            continue
        plan = search.plans[user]
        search.put(user, None)
        _price, other = search.best(user, prices)
        search.put(user, plan)
        after = search.unsent[user] if other is None else search.joint.wishes[user].cost(other)
        dearer = after - search.cost_of(user)
        if dearer < least:
            best, least = user, dearer
    return best
