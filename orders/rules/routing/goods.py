"""What goods ask of the node that sends them, and where they must not go. Plain Python."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from orders.rules.routing.candidates import LACKS_CAPABILITY, RESTRICTED, Verdict
from orders.rules.routing.costs import Lane
from orders.rules.routing.facts import Goods, NodeFacts

USUAL: Final = Goods()  # what is known of a SKU that nobody has described


class Picky(NamedTuple):
    """A SKU that not every node may send: its place in the order, what it needs, whether it must not go there."""

    place: int
    sku_id: int
    needs: frozenset[str]
    is_forbidden: bool


def weights_g(goods: Mapping[int, Goods], skus: Iterable[int]) -> tuple[int, ...]:
    """Return what a unit of each SKU weighs in grams."""
    return tuple([goods.get(sku_id, USUAL).weight_g for sku_id in skus])


def picky(goods: Mapping[int, Goods], skus: Sequence[int], region: str) -> list[Picky]:
    """Return those of the SKUs that not every node may send to a region."""
    found = []
    for place, sku_id in enumerate(skus):
        one = goods.get(sku_id)
        if one and (one.needs or region in one.not_to):
            found.append(Picky(place, sku_id, one.needs, region in one.not_to))
    return found


def narrow(
    picky: Sequence[Picky], lanes: Sequence[Lane], haves: list[tuple[int, ...]], verdicts: dict[int, Verdict]
) -> None:
    """Take away what nodes may not send from what they have, and say why they can then not send everything."""
    for place, lane in enumerate(lanes):
        haves[place], against = _without(picky, lane.node, haves[place])
        if against:
            verdicts[place] = against


def _without(picky: Iterable[Picky], node: NodeFacts, have: tuple[int, ...]) -> tuple[tuple[int, ...], Verdict | None]:
    left, forbidden = list(have), []
    lacking: set[str] = set()
    for one in picky:
        missing = one.needs - node.capabilities
        if one.is_forbidden or missing:
            left[one.place] = 0
            lacking |= missing
        if one.is_forbidden:
            forbidden.append(one.sku_id)
    if forbidden:
        return tuple(left), Verdict(RESTRICTED, {"skus": forbidden})
    return tuple(left), Verdict(LACKS_CAPABILITY, {"needs": sorted(lacking)}) if lacking else None
