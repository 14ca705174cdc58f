"""What would have changed a decision: the single things that stood between another node and the order. Plain Python.

Each change names one obstacle; a node that two things keep away is not told. What is told, the greatest saving first:

- units: with so many more units a node would have sent everything, in one parcel and cheaper;
- room, backlog, refused: the node has everything, but no room, too much that waits, or it refused the order before;
- cut_off: given to the node before its cut-off, the parcel would have left the same day and won;
- price: by how much the runner-up is too dear. Told last, with what it lacks to a saving as a negative one.

Of an order that is not complete the nodes that lack least are told, with no saving: they would have completed it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from orders.rules.routing.candidates import BACKLOG, FULL, REFUSED_BEFORE, SHORT
from orders.rules.routing.costs import Lane
from orders.rules.routing.holders import Units
from orders.rules.routing.judged import HAS_EVERYTHING, Judged, Row
from orders.rules.routing.promising import backlog_hours, is_past_cut_off

MOST: Final = 3  # changes that are told, beside the price of the runner-up
OBSTACLES: Final = {FULL: "room", BACKLOG: "backlog", REFUSED_BEFORE: "refused"}
CENT: Final = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would have led to another decision; ``lacks`` are SKU ids with the units missing."""

    kind: str  # units | room | backlog | refused | cut_off | price
    nodes: tuple[str, ...]
    saving: float | None  # yuan against the plan; None: the order would have been complete
    parcels: int = 1
    lacks: tuple[tuple[int, int], ...] = ()

    @property
    def units(self) -> int:
        """Return how many units are missing in all."""
        return sum(units for _sku, units in self.lacks)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided, as far as changes are told against it."""

    cost: float
    missing: int
    nodes: tuple[str, ...]
    second: tuple[tuple[str, ...], float, int] | None = None  # nodes, cost and missing units of the runner-up


def changes(judged: Judged, answer: Answer) -> tuple[Change, ...]:
    """Return what would have changed a decision, at most ``MOST`` and the runner-up's price."""
    if answer.missing:
        found = sorted(_completing(judged), key=lambda change: (change.units, change.nodes))
        return tuple(found[:MOST])
    found = [change for change in _cheaper(judged, answer) if change.saving is not None and change.saving >= CENT]
    found.sort(key=lambda change: (-(change.saving or 0.0), change.kind, change.nodes))
    return (*found[:MOST], *_price(answer))


def _completing(judged: Judged) -> Iterator[Change]:
    for row in judged.rows:
        if row.verdict.code == SHORT and any(row.have):
            yield Change("units", (row.lane.node.code,), None, lacks=_lacks(judged, row.have))


def _cheaper(judged: Judged, answer: Answer) -> Iterator[Change]:
    """Yield what kept each node from sending all of it in one parcel, with what that would have saved."""
    want = judged.ask.want
    for row in judged.rows:
        code, verdict = row.lane.node.code, row.verdict.code
        saving = round(answer.cost - judged.cost(row), 2)
        if verdict == SHORT:
            yield Change("units", (code,), saving, lacks=_lacks(judged, row.have))
        elif verdict in OBSTACLES and row.have == want:
            yield Change(OBSTACLES[verdict], (code,), saving)
        elif answer.nodes != (code,) and row.have == want and is_past_cut_off(row.lane.node, judged.situation.at):
            yield _before_cut_off(judged, answer, row.lane, row.load_cost)
    for lane, have in zip(judged.reach.late, judged.late_haves, strict=True):
        if have == want:
            yield _before_cut_off(judged, answer, lane, 0.0)


def _before_cut_off(judged: Judged, answer: Answer, lane: Lane, load_cost: float) -> Change:
    now = next(node for node in judged.situation.nodes if node.node_id == lane.node_id)  # lanes may be older
    ready = backlog_hours(now, now.backlog)
    row = Row(lane, HAS_EVERYTHING, judged.ask.want, ready, load_cost)
    return Change("cut_off", (lane.node.code,), round(answer.cost - judged.cost(row), 2))


def _price(answer: Answer) -> Iterator[Change]:
    if answer.second and not answer.second[2]:
        nodes, cost, _missing = answer.second
        yield Change("price", nodes, round(answer.cost - cost, 2), parcels=len(nodes))


def _lacks(judged: Judged, have: Units) -> tuple[tuple[int, int], ...]:
    ask = judged.ask
    return tuple((sku, want - units) for sku, want, units in zip(ask.skus, ask.want, have, strict=True) if units < want)
