"""Which changes of a better answer are worth making, and which belong together.

An answer may give a hundred orders other plans; many of them save nothing by themselves. First changes that save less
than the policy asks are taken back where the old plan still fits. What is left falls into sets: orders that need units
or room which another one gives up belong together and are moved in one transaction or not at all. A set is worth
making when it saves at least what the policies of its orders ask, added up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orders.rules.routing.columns import Joint, Plan
from orders.rules.routing.local_search import Search


@dataclass(frozen=True)
class Move:
    """One order's change and what it costs in yuan before and after. One may get dearer for another's sake."""

    order: int  # its place in the joint problem
    before: Plan
    after: Plan
    cost_before: float
    cost_after: float

    @property
    def saving(self) -> float:
        """Return what the change saves; negative when it costs."""
        return self.cost_before - self.cost_after


def worth_making(joint: Joint, plans: Sequence[Plan | None], least: Sequence[float]) -> list[tuple[Move, ...]]:
    """Return the sets of changes to make, the most saving first. ``least`` is what each order's policy asks in yuan.

    Orders without a kept plan, and those the answer does not send, are never changed.
    """
    search = Search(joint, [0.0] * len(joint.wishes))
    for order, wish in enumerate(joint.wishes):
        search.put(order, plans[order] or wish.kept)
    changed = [
        Move(order, wish.kept, after, wish.cost(wish.kept), wish.cost(after))
        for order, (wish, after) in enumerate(zip(joint.wishes, plans, strict=True))
        if wish.kept is not None and after is not None and after != wish.kept
    ]
    left = _without_small(search, changed, least)
    sets = _together(joint, left)
    worth = [one for one in sets if _saving(one) >= sum(least[move.order] for move in one)]
    return sorted(worth, key=lambda one: (-_saving(one), one[0].order))


def _saving(moves: Sequence[Move]) -> float:
    return sum(move.saving for move in moves)


def _without_small(search: Search, changed: Sequence[Move], least: Sequence[float]) -> list[Move]:
    """Take back the changes that save too little, the smallest first, as long as one more can be taken back."""
    left, again = sorted(changed, key=lambda move: (move.saving, move.order)), True
    while again:
        again, kept = False, []
        for move in left:
            search.put(move.order, None)
            if move.saving < least[move.order] and search.fits(move.order, move.before):
                search.put(move.order, move.before)
                again = True
            else:
                search.put(move.order, move.after)
                kept.append(move)
        left = kept
    return left


def _together(joint: Joint, moves: Sequence[Move]) -> list[tuple[Move, ...]]:
    """Join the moves over every row of which they take more than is free while all orders keep their plans."""
    base = Search(joint, [0.0] * len(joint.wishes))
    for order, wish in enumerate(joint.wishes):
        base.put(order, wish.kept)
    users: dict[int, list[tuple[int, int]]] = {}
    for move in moves:
        for row, units in _change(joint, move).items():
            users.setdefault(row, []).append((move.order, units))
    head = _Heads(move.order for move in moves)
    for row, listed in users.items():
        if sum(units for _order, units in listed if units > 0) > base.free(row):
            head.join([order for order, _units in listed])
    sets: dict[int, list[Move]] = {}
    for move in sorted(moves, key=lambda move: move.order):
        sets.setdefault(head.of(move.order), []).append(move)
    return [tuple(one) for one in sets.values()]


class _Heads:
    """Sets of orders, each known by one of them."""

    def __init__(self, orders: Iterable[int]) -> None:
        self._head = {order: order for order in orders}

    def of(self, order: int) -> int:
        """Return by whom an order's set is known."""
        while self._head[order] != order:
            order = self._head[order]
        return order

    def join(self, orders: Sequence[int]) -> None:
        """Make one set of those of these orders."""
        for order in orders[1:]:
            self._head[self.of(order)] = self.of(orders[0])


def _change(joint: Joint, move: Move) -> dict[int, int]:
    """Return the rows of which a move takes more (or gives back), with the units."""
    wish = joint.wishes[move.order]
    change: dict[int, int] = {}
    for plan, sign in ((move.after, 1), (move.before, -1)):
        for row, units in zip(*joint.uses(wish, plan), strict=True):
            change[row] = change.get(row, 0) + sign * units
    return {row: units for row, units in change.items() if units}
