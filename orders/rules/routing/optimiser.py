"""Plans for many orders together over shared stock and room, near the optimum and with a proof of how near.

1. Prices of scarce stock and room, and with them a bound that no plan can beat (`bounding.py`); with a solver, the
   linear relaxation over ever more plans sharpens both.
2. A start: what the orders have now, or plans one by one at these prices, then chains of moves (`local_search.py`).
3. With a solver: a small problem is solved whole. Every plan that could be part of a cheaper answer is listed: its
   price is above its order's cheapest by no more than the start is above the bound. So the best of the listed is the
   optimum. Of a middling problem the plans nearest to their orders' cheapest are chosen among all at once. Then, and
   of a large problem only this, neighbours that want the same stock and room are freed together and chosen again by
   the solver, group by group, until a round brings nothing.

The answer is never dearer than the start. The same input gives the same answer unless time runs out.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

import numpy as np

from orders.rules.routing import bounding, local_search, master
from orders.rules.routing.bounding import Prices
from orders.rules.routing.columns import Floats, Joint, Plan, nodes_looked_at
from orders.rules.routing.local_search import Search
from orders.rules.routing.master import Choice, Limits, Table

SMALL: Final = 150  # orders that are solved whole
MIDDLING: Final = 2000  # orders of which the nearest plans are chosen among all at once, before groups
LARGEST_RELAXED: Final = 4000  # orders; of more, the prices' bound has to do
MOST_LISTED: Final = 60_000  # plans of a problem that is solved whole
GROUP: Final = 80  # orders chosen again together
PER_ORDER: Final = 24  # plans listed of each
ROUNDS: Final = 4
SLACK: Final = 6.0  # yuan above an order's cheapest at the prices up to which its plans are listed for groups
NEAREST: Final = 4.0  # the same where all orders are chosen at once
WORTH_GOING_ON: Final = 2e-4  # of the cost: a round that brings less is the last


@dataclass(frozen=True)
class Answer:
    """Plans in the order of the wishes (None: not sent), what they cost, and what is proven about that, in yuan."""

    plans: tuple[Plan | None, ...]
    cost: float
    bound: float
    start: float  # what the plans cost that the search began with
    how: str  # "proven" | "near" | "time" | "no_solver"
    seconds: float

    @property
    def gap(self) -> float:
        """Return how far above the bound the cost is, as a share of the bound."""
        return max(0.0, self.cost - self.bound) / self.bound if self.bound > 0 else 0.0


def solve(
    joint: Joint,
    unsent: Floats,
    *,
    seconds: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    with_solver: bool = master.IS_THERE,
) -> Answer:
    """Return plans for all orders. ``unsent`` is what each order costs in yuan while it is not sent.

    Orders whose wish has a plan already begin with it; together those plans must fit.
    """
    if not joint.wishes:
        return Answer((), 0.0, 0.0, 0.0, "proven", 0.0)
    return _Run(joint, unsent, clock() + seconds, clock, with_solver=with_solver).answer()


class _Run:
    """One search with its clock."""

    def __init__(
        self, joint: Joint, unsent: Floats, until: float, clock: Callable[[], float], *, with_solver: bool
    ) -> None:
        self.joint, self.unsent, self.clock, self.with_solver = joint, unsent, clock, with_solver
        self.began, self.until = clock(), until
        self.prices = bounding.free(joint)
        self.search = Search(joint, unsent.tolist())
        self.is_proven = False

    def answer(self) -> Answer:
        """Run the steps and say what came of it."""
        self.prices = bounding.ascend(self.joint, self.unsent, self.is_over)
        if self.with_solver and len(self.joint.wishes) <= LARGEST_RELAXED:
            self._sharpen()
        start = self._start()
        local_search.improve(self.search, self.prices.padded, self.is_over)
        if self.with_solver:
            self._choose_again()
        cost = self.search.cost
        bound = cost if self.is_proven else min(cost, self.prices.bound)
        return Answer(tuple(self.search.plans), cost, bound, start, self._how(), self.clock() - self.began)

    def is_over(self) -> bool:
        """Return whether the time is over."""
        return self.clock() >= self.until

    def left(self) -> float:
        """Return the seconds that are left."""
        return max(0.0, self.until - self.clock())

    def _how(self) -> str:
        if self.is_proven:
            return "proven"
        if not self.with_solver:
            return "no_solver"
        return "time" if self.is_over() else "near"

    def _sharpen(self) -> None:
        """Raise the bound to that of the linear relaxation, as far as a few rounds over more plans bring it."""
        listed: dict[Choice, None] = {}
        everything = np.concatenate([self.joint.limits, self.joint.rooms])
        at = self.prices
        is_small = len(self.joint.wishes) <= SMALL  # then each yuan of the bound saves listing plans
        rounds, worth = (3 * ROUNDS, 1e-7) if is_small else (ROUNDS, WORTH_GOING_ON)
        for _round in range(rounds):
            priced = self.joint.price(at.stock, at.room)
            before = len(listed)
            listed.update(dict.fromkeys(priced.near(1.0 if listed else 3.0, 8 if listed else PER_ORDER)))
            if len(listed) == before or self.left() < 1.0:
                return
            relaxed = Table(self.joint, list(listed), self.unsent, everything).relax(self.left() / 4)
            if relaxed is None:
                return
            at = Prices(-inf, relaxed.stock, relaxed.room)
            bound = bounding.bound_of(self.joint, self.joint.price(at.stock, at.room), at, self.unsent)
            if bound > self.prices.bound:
                self.prices = Prices(bound, at.stock, at.room)
            if relaxed.cost - self.prices.bound <= worth * relaxed.cost:
                return

    def _start(self) -> float:
        """Begin with the kept plans, or with plans one by one at the prices when those are cheaper; return the cost."""
        for order, wish in enumerate(self.joint.wishes):
            self.search.put(order, wish.kept)
        fresh = Search(self.joint, self.unsent.tolist())
        local_search.fill(fresh, self.prices.padded)
        local_search.fill(self.search, self.prices.padded)
        start = self.search.cost
        if fresh.cost < start:
            self.search = fresh
        return start

    def _choose_again(self) -> None:
        """Let the solver choose: all at once, or group after group."""
        orders = range(len(self.joint.wishes))
        if len(orders) <= SMALL and self._choose_all():
            return
        priced = self.joint.price(self.prices.stock, self.prices.room)
        if len(orders) <= MIDDLING:
            self._choose(orders, priced.near(NEAREST, PER_ORDER), Limits(0.5 * self.left(), nodes=500))
        choices = priced.near(SLACK, PER_ORDER)
        of_order: dict[int, list[Choice]] = {}
        for choice in choices:
            of_order.setdefault(choice[0], []).append(choice)
        for number in range(ROUNDS):
            before = self.search.cost
            for group in groups(choices, self.joint, number):
                if self.left() < 0.2:
                    return
                listed = [choice for order in group for choice in of_order[order]]
                self._choose(group, listed, Limits(min(self.left(), 2.0), gap=1e-3))
            local_search.improve(self.search, self.prices.padded, self.is_over)
            if before - self.search.cost < WORTH_GOING_ON * before:
                return

    def _choose_all(self) -> bool:
        """Solve the problem whole; True when the optimum is proven."""
        orders, most = range(len(self.joint.wishes)), MOST_LISTED // max(1, len(self.joint.wishes))
        priced = self.joint.price(self.prices.stock, self.prices.room)
        for slack in (2.0, 5.0, inf):
            before = self.search.cost
            slack = min(slack, before - self.prices.bound + 1e-6)
            choices = priced.near(slack, most)
            is_best = self._choose(orders, choices, Limits(self.left(), nodes=50_000, gap=0.0))
            fullest = max(Counter(order for order, _plan in choices).values(), default=0)
            is_complete = fullest < most and len(self.joint.room) <= nodes_looked_at(most)
            if is_best and is_complete and slack >= before - self.prices.bound:
                self.is_proven = True
                return True
        return False

    def _choose(self, group: Sequence[int], choices: Sequence[Choice], limits: Limits) -> bool:
        """Choose again for a group, all others staying; True when the best of the listed is proven."""
        freed = set(group)
        before = {order: self.search.plans[order] for order in group}
        listed = list(
            dict.fromkeys(
                [choice for choice in choices if choice[0] in freed]
                + [(order, plan) for order, plan in before.items() if plan]
            )
        )
        for order in group:
            self.search.put(order, None)
        left = np.concatenate([self.search.left[:-1], self.search.room])
        table = Table(self.joint, listed, self.unsent, left)
        number = {choice: place for place, choice in enumerate(listed)}
        start = [None if (plan := before[order]) is None else number[order, plan] for order in table.orders]
        chosen = table.choose(start, limits)
        after = dict(before)
        if chosen is not None:
            after |= {o: None if c is None else listed[c][1] for o, c in zip(table.orders, chosen.choices, strict=True)}
        for order, plan in after.items():
            self.search.put(order, plan)
        if self.search.over():
            for order, plan in before.items():
                self.search.put(order, plan)
        return chosen is not None and chosen.is_proven


def groups(choices: Sequence[Choice], joint: Joint, number: int) -> list[list[int]]:
    """Return the orders in groups that want the same: nodes in even rounds, goods in odd ones; each is in one group."""
    first: dict[int, tuple[int, int]] = {}
    for order, plan in choices:
        wish = joint.wishes[order]
        first.setdefault(order, (wish.skus[-1], plan[0][0]) if number % 2 else (plan[0][0], wish.skus[0]))
    ranked = sorted(first, key=lambda order: (first[order], order))
    offset = GROUP // 2 if number >= 2 else 0
    cuts = [0, *range(offset or GROUP, len(ranked), GROUP), len(ranked)]
    return [ranked[begin:end] for begin, end in pairwise(cuts) if begin < end]
