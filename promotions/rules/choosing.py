"""Which offers of a lane a buyer gets when not all may stand together: the best for the buyer.

Of each group at most one stands, and an exclusive rule stands alone. Offers are added up, so the best of each group is
the best altogether, unless together they would take more off a line than it costs: then combinations are compared, all
of them while they are few.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Final

from promotions.rules.granting import Offer
from promotions.rules.matching import CompiledRule

MOST_COMBINATIONS: Final = 2_000


@dataclass(slots=True)
class Bid:
    """One rule's offer in its lane."""

    rule: CompiledRule
    offer: Offer

    @property
    def worth(self) -> tuple[int, tuple[int, str]]:
        """Sort by what it takes off, the most first, then by rank."""
        return -self.offer.total, self.rule.rank


@dataclass(frozen=True, slots=True)
class Chosen:
    """The bids that stand, in the order of their ranks; whether no combination could be better."""

    bids: tuple[Bid, ...]
    is_exact: bool = True


def choose(bids: Sequence[Bid], rooms: dict[int, int]) -> Chosen:
    """Choose for the buyer; ``rooms`` is what each line costs now, in cents.

    Of equal sets the one with the rule that ranks first wins.
    """
    if not any(bid.rule.published.rule.group or bid.rule.published.rule.is_exclusive for bid in bids):
        return Chosen(tuple(bids))
    together, is_exact = _best_together([bid for bid in bids if not bid.rule.published.rule.is_exclusive], rooms)
    alone = [(bid,) for bid in bids if bid.rule.published.rule.is_exclusive]
    best = min([*alone, *([together] if together else [])], key=lambda bids: _merit(bids, rooms))
    return Chosen(tuple(sorted(best, key=lambda bid: bid.rule.rank)), is_exact)


def taken_off(bids: Iterable[Bid], rooms: dict[int, int]) -> int:
    """Return what these offers take off together, no line below nothing."""
    sums: dict[int, int] = {}
    shipping = 0
    for bid in bids:
        shipping += bid.offer.shipping_off
        for number, cents in bid.offer.off.items():
            sums[number] = sums.get(number, 0) + cents
    return shipping + sum(min(cents, rooms[number]) for number, cents in sums.items())


def _best_together(bids: Sequence[Bid], rooms: dict[int, int]) -> tuple[tuple[Bid, ...], bool]:
    groups: dict[str, list[Bid]] = {}
    free: list[Bid] = []
    for bid in bids:
        group = bid.rule.published.rule.group
        if group:
            groups.setdefault(group, []).append(bid)
        else:
            free.append(bid)
    for members in groups.values():
        members.sort(key=lambda bid: bid.worth)
    best = (*free, *(members[0] for members in groups.values()))
    if taken_off(best, rooms) == sum(bid.offer.total for bid in best):
        return best, True  # nothing was cut, so each group's best is the best altogether
    combinations = prod(len(members) for members in groups.values())
    tried = islice(product(*groups.values()), MOST_COMBINATIONS)
    found = min(((*free, *members) for members in tried), key=lambda bids: _merit(bids, rooms))
    return found, combinations <= MOST_COMBINATIONS


def _merit(bids: Sequence[Bid], rooms: dict[int, int]) -> tuple[int, list[tuple[int, str]]]:
    return -taken_off(bids, rooms), sorted(bid.rule.rank for bid in bids)
