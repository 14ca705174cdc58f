"""Which offers of a lane a buyer gets when not all may stand together: the best for the buyer.

Of each group at most one stands, and an exclusive rule stands alone. Offers are added up, so the best of each group is
the best altogether, unless together they would take more off a line than it costs: then combinations are compared, all
of them while there are at most ``MOST_COMBINATIONS``; beyond, one member at a time is exchanged while that helps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final

from msgspec import Struct

from promotions.rules.matching import CompiledRule
from promotions.rules.offers import Offer

MOST_COMBINATIONS: Final = 500
MOST_EXCHANGES: Final = 50


class Bid(Struct, eq=False, gc=False):
    """One rule's offer in its lane."""

    rule: CompiledRule
    offer: Offer


@dataclass(frozen=True, slots=True)
class Chosen:
    """The bids that stand, in the order of their ranks; whether no combination could be better."""

    bids: tuple[Bid, ...]
    is_exact: bool = True


def choose(bids: Sequence[Bid], rooms: dict[int, int]) -> Chosen:
    """Choose for the buyer; ``rooms`` is what each line (and shipping) costs now, in cents.

    Of equal sets the one with the rule that ranks first wins.
    """
    if not any(bid.rule.group or bid.rule.is_exclusive for bid in bids):
        return Chosen(tuple(bids))
    others = [bid for bid in bids if not bid.rule.is_exclusive]
    together, is_exact = _best_together(others, rooms)
    sets = [(bid,) for bid in bids if bid.rule.is_exclusive]
    best = min([*sets, together] if together else sets, key=lambda bids: _merit(bids, rooms)) if sets else together
    return Chosen(tuple(sorted(best, key=_rank)), is_exact)


def taken_off(bids: Iterable[Bid], rooms: dict[int, int]) -> int:
    """Return what these offers take off together, no line below nothing."""
    sums: dict[int, int] = {}
    for bid in bids:
        for number, cents in bid.offer.off.items():
            sums[number] = sums.get(number, 0) + cents
    return sum([min(cents, rooms[number]) for number, cents in sums.items()])


def _best_together(bids: Sequence[Bid], rooms: dict[int, int]) -> tuple[tuple[Bid, ...], bool]:
    groups: dict[str, list[Bid]] = {}
    free: list[Bid] = []
    for bid in bids:
        if bid.rule.group:
            groups.setdefault(bid.rule.group, []).append(bid)
        else:
            free.append(bid)
    for members in groups.values():
        if len(members) > 1:
            members.sort(key=_worth)
    best = (*free, *(members[0] for members in groups.values()))
    if taken_off(best, rooms) == sum([bid.offer.total for bid in best]):
        return best, True  # nothing was cut, so each group's best is the best altogether
    choices = list(groups.values())
    if prod(map(len, choices)) > MOST_COMBINATIONS:
        return _exchanged(free, choices, rooms), False
    return min(((*free, *members) for members in product(*choices)), key=lambda bids: _merit(bids, rooms)), True


def _exchanged(free: Sequence[Bid], choices: Sequence[Sequence[Bid]], rooms: dict[int, int]) -> tuple[Bid, ...]:
    """Begin with the best of each group and exchange one member at a time while that takes more off."""
    members = [group[0] for group in choices]
    merit = _merit((*free, *members), rooms)
    for _round in range(MOST_EXCHANGES):
        tried = [
            (*members[:place], other, *members[place + 1 :])
            for place, group in enumerate(choices)
            for other in group
            if other is not members[place]
        ]
        best = min(tried, key=lambda changed: _merit((*free, *changed), rooms))
        better = _merit((*free, *best), rooms)
        if better >= merit:
            break
        members, merit = list(best), better
    return (*free, *members)


def _rank(bid: Bid) -> tuple[int, str]:
    return bid.rule.rank


def _worth(bid: Bid) -> tuple[int, tuple[int, str]]:
    return -bid.offer.total, bid.rule.rank


def _merit(bids: Sequence[Bid], rooms: dict[int, int]) -> tuple[int, list[tuple[int, str]]]:
    return -taken_off(bids, rooms), sorted(map(_rank, bids))
