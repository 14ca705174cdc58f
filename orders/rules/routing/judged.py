"""Every node as it stood when an order was decided on, told in full when somebody asks. Plain Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from orders.rules.routing.candidates import ABLE, SHORT, Detail, Reach, Verdict
from orders.rules.routing.costs import Lane, terms
from orders.rules.routing.facts import Position, Situation
from orders.rules.routing.holders import Ask, Holder, Units

NO_POSITION = Position()
HAS_EVERYTHING = Verdict(ABLE)
HAS_TOO_LITTLE = Verdict(SHORT)
Positions = Mapping[tuple[int, int], Position]


@dataclass(frozen=True)
class Candidate:
    """A node as it was judged. ``cost`` and ``terms`` are those of one parcel with the whole order, if it had it all.

    ``lacks`` is what it has too few of: (SKU id, units). ``detail`` holds the values behind the verdict, and under
    "place" where the distance is measured from when that is not the node's own coordinates.
    """

    node_code: str
    verdict: str
    km: float | None = None
    cost: float | None = None
    lacks: tuple[tuple[int, int], ...] = ()
    terms: Mapping[str, float] = field(default_factory=dict)
    detail: Detail = field(default_factory=dict)


class Row(NamedTuple):
    """An open node as it stood when it was judged."""

    lane: Lane
    verdict: Verdict
    have: Units
    leaves_after: float
    load_cost: float
    extra: tuple[float, ...] = ()  # what a unit of each SKU is worth beyond its position


@dataclass(frozen=True)
class Judged:
    """What a plan was decided on: of each open node, by its place in the reach, what it had and how it stood.

    ``verdicts`` are those that do not follow from what the nodes have.
    """

    situation: Situation
    ask: Ask
    reach: Reach
    haves: Sequence[Units]
    leaves_after: Sequence[float]
    load_costs: Sequence[float]
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)
    late_haves: Sequence[Units] = ()  # what the nodes have that are passed over for their cut-off

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Return the open nodes as they stood, in the order of the reach."""
        want, verdicts = self.ask.want, self.verdicts
        said = (
            verdicts.get(place) or (HAS_EVERYTHING if have == want else HAS_TOO_LITTLE)
            for place, have in enumerate(self.haves)
        )
        return tuple(map(Row, self.reach.lanes, said, self.haves, self.leaves_after, self.load_costs))

    def candidates(self) -> tuple[Candidate, ...]:
        """Return every node with its verdict: those that may send first, the cheapest first."""
        opened = [self._candidate(row) for row in self.rows]
        opened.sort(key=lambda one: (one.verdict != ABLE, one.cost or 0.0, one.node_code))
        closed = [
            Candidate(one.node_code, one.verdict.code, one.km, detail=one.verdict.detail) for one in self.reach.refusals
        ]
        return (*opened, *closed)

    def _candidate(self, row: Row) -> Candidate:
        told = self.terms(row, self.ask.want)
        lacks = tuple(
            (sku_id, want - have)
            for sku_id, want, have in zip(self.ask.skus, self.ask.want, row.have, strict=True)
            if have < want
        )
        detail = row.verdict.detail
        if row.lane.place != "own":
            detail = {**detail, "place": row.lane.place}
        cost = round(sum(told.values()), 2)
        return Candidate(row.lane.node.code, row.verdict.code, round(row.lane.km, 1), cost, lacks, told, detail)

    def cost(self, row: Row) -> float:
        """Return what the whole order in one parcel from a node costs, whether it has it all or not."""
        ask = self.ask
        cost = row.lane.price(self._weight_g, row.leaves_after, ask.due, ask.urgency).cost + row.load_cost
        if self.situation.positions:
            cost += sum(worth_of(row, ask.want, ask.skus, self.situation.positions))
        return cost

    @cached_property
    def _weight_g(self) -> int:
        return sum(want * grams for want, grams in zip(self.ask.want, self.ask.weights_g, strict=True))

    def terms(self, row: Row, units: Units) -> dict[str, float]:
        """Return the terms of one parcel of these units from a node, whether it has them or not."""
        holder = Holder(row.lane, units, row.leaves_after, row.load_cost, ())
        price = holder.price(units, self.ask)
        balance, markdown = worth_of(row, units, self.ask.skus, self.situation.positions)
        return terms(row.lane, price, row.load_cost, balance, markdown)


def worth_of(row: Row, units: Units, skus: tuple[int, ...], positions: Positions) -> tuple[float, float]:
    """Return what the units taken are worth to others, and (negative) what it is worth to be rid of them."""
    weights, node_id = row.lane.weights, row.lane.node_id
    balance = markdown = 0.0
    for place, (sku_id, quantity) in enumerate(zip(skus, units, strict=True)):
        position = positions.get((sku_id, node_id), NO_POSITION)
        balance += quantity * (weights.balance * position.shadow_price + (row.extra[place] if row.extra else 0.0))
        markdown -= quantity * weights.markdown * position.is_markdown
    return balance, markdown
