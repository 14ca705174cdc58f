"""What routing was told, kept so that it can be decided again: the same inputs must give the same plans for ever.

A run is one round of planning. Its body holds what moves: the demands in the order in which they were decided, the
stock and the lots as they were before, room, backlog and standing of the nodes. What moves seldom (nodes, tariffs,
disruptions, and the policies themselves) is a ``RoutingSituation``, kept once under its digest. Both are msgpack,
compressed. Runs are kept for ``ROUTING_RUN_DAYS`` days; decisions outlive them.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import transaction

from audit.models import rows
from inventory.rules.lots import LotUnits
from orders.models import RoutingDecision, RoutingRun, RoutingSituation
from orders.rules import reasons
from orders.rules.routing.candidates import Reaches
from orders.rules.routing.facts import (
    CarrierOption,
    Demand,
    Disruption,
    Goods,
    NodeFacts,
    Position,
    Shelves,
    Situation,
    Stock,
)
from orders.rules.routing.planner import Plan, Planner
from orders.rules.routing.policy import Policy, PublishedPolicy
from orders.statuses import RoutingKind

Carriers = Mapping[tuple[str, str], tuple[CarrierOption, ...]]
PAGE: Final = 200  # runs that are deleted at once
MOST_NAMED: Final = 50  # orders that a parity figure names
_MOVING: Final = ("parcels_left", "backlog", "is_down", "standing")
_NODE: Final = tuple(one.name for one in fields(NodeFacts) if one.name not in _MOVING)
_DISRUPTION: Final = tuple(one.name for one in fields(Disruption))
_pack: Final = msgspec.msgpack.Encoder().encode


class _Ground(msgspec.Struct, frozen=True):
    """What moves seldom."""

    nodes: tuple[NodeFacts, ...]
    disruptions: tuple[Disruption, ...]
    carriers: dict[tuple[str, str], tuple[CarrierOption, ...]]
    policies: dict[str, Policy]


class _Body(msgspec.Struct, frozen=True):
    """What moves: one round's own."""

    at: datetime
    demands: tuple[Demand, ...]
    policies: tuple[str, ...]  # by place: the policy of each demand
    stock: dict[int, dict[int, int]]
    shelves: dict[tuple[int, int], tuple[LotUnits, ...]]
    moving: dict[int, tuple[int, int, bool, float]]  # node id → what ``_MOVING`` names
    goods: dict[int, Goods]
    positions: dict[tuple[int, int], Position]


_read_ground: Final = msgspec.msgpack.Decoder(_Ground).decode
_read_body: Final = msgspec.msgpack.Decoder(_Body).decode


@dataclass(frozen=True)
class Inputs:
    """Everything that one round of planning was told."""

    situation: Situation
    demands: Sequence[Demand]
    policies: Sequence[PublishedPolicy]  # of each demand
    stock: Stock
    shelves: Shelves = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """Inputs as bytes, taken before planning counts stock and lots down."""

    at: datetime
    orders_count: int
    body: bytes
    ground: bytes


@dataclass
class Parity:
    """How many decisions came out the same when they were decided again."""

    decisions: int = 0
    same: int = 0
    different: list[str] = field(default_factory=list)  # order numbers, the first few

    @property
    def percent(self) -> float:
        """Return the share of the same ones; 100 when there was nothing to compare."""
        return 100.0 * self.same / self.decisions if self.decisions else 100.0


@dataclass
class _Encoded:
    """The tariffs that were packed last: thousands of entries that stay the same for days."""

    carriers: Carriers = field(default_factory=dict)
    packed: bytes = b"\x80"


_last: Final = _Encoded()


def take(inputs: Inputs) -> Record:
    """Return the inputs as bytes: call it before planning, which counts stock and lots down in place."""
    situation = inputs.situation
    moving = {node.node_id: tuple(getattr(node, name) for name in _MOVING) for node in situation.nodes}
    body = {
        "at": situation.at,
        "demands": inputs.demands,
        "policies": [policy.name for policy in inputs.policies],
        "stock": inputs.stock,
        "shelves": inputs.shelves,
        "moving": moving,
        "goods": situation.goods,
        "positions": situation.positions,
    }
    return Record(situation.at, len(inputs.demands), _pack(body), _ground(situation, inputs.policies))


def run_of(record: Record, *, milliseconds: float, kind: RoutingKind = RoutingKind.ONLINE) -> RoutingRun:
    """Return an unsaved run; ``save`` stores it with its situation."""
    run: RoutingRun = rows.new(
        RoutingRun,
        kind=kind,
        decided_at=record.at,
        orders_count=record.orders_count,
        milliseconds=round(milliseconds),
        body=zlib.compress(record.body, 1),
    )
    run._ground = record.ground  # type: ignore[attr-defined]
    return run


def save(runs: Sequence[RoutingRun]) -> None:
    """Store runs of ``run_of``, and their situations where they are not known yet."""
    if not runs:
        return
    grounds = {hashlib.sha256(run._ground).hexdigest(): run._ground for run in runs}  # type: ignore[attr-defined]
    known = dict(RoutingSituation.objects.filter(digest__in=grounds).values_list("digest", "pk"))
    fresh = [
        RoutingSituation(digest=digest, body=zlib.compress(ground, 6), first_seen_at=runs[0].decided_at)
        for digest, ground in sorted(grounds.items())
        if digest not in known
    ]
    if fresh:  # another worker may store the same at the same moment
        RoutingSituation.objects.bulk_create(fresh, ignore_conflicts=True)
        known = dict(RoutingSituation.objects.filter(digest__in=grounds).values_list("digest", "pk"))
    for run in runs:
        run.situation_id = known[hashlib.sha256(run._ground).hexdigest()]  # type: ignore[attr-defined]
    rows.insert(runs)


def read(run: RoutingRun) -> Inputs:
    """Return exactly what the round was told. Raises ``ValueError`` for a run that was kept without inputs."""
    if run.situation is None or not run.body:
        raise ValueError(f"run {run.pk} was kept without its inputs")
    body = _read_body(zlib.decompress(run.body))
    ground = _read_ground(zlib.decompress(run.situation.body))
    situation = Situation(
        at=body.at,
        nodes=tuple(_as_it_stood(node, body.moving[node.node_id]) for node in ground.nodes),
        goods=body.goods,
        carriers=ground.carriers,
        disruptions=ground.disruptions,
        positions=body.positions,
    )
    policies = {name: _published(name, policy) for name, policy in ground.policies.items()}
    return Inputs(
        situation=situation,
        demands=body.demands,
        policies=[policies[name] for name in body.policies],
        stock=body.stock,
        shelves={key: list(shelf) for key, shelf in body.shelves.items()},
    )


def decide(inputs: Inputs, reaches: Reaches | None = None) -> list[Plan]:
    """Return a plan for each demand in the order in which they are given; stock and lots are counted down in place.

    ``reaches`` may be those of a situation in which the same nodes stood the same way; they only save time.
    """
    planner = Planner(inputs.situation, inputs.stock, inputs.shelves, reaches)
    return [planner.plan(demand, policy) for demand, policy in zip(inputs.demands, inputs.policies, strict=True)]


def decide_again(run: RoutingRun) -> list[Plan]:
    """Return what the production code decides now on what the round was told then. Raises ``ValueError``."""
    return decide(read(run))


def parity(runs: Iterable[RoutingRun]) -> Parity:
    """Decide runs again and compare with the decisions as they were kept: to the cent, the candidate and the reason.

    Orders of a run that lost their stock to others were planned again in the next round, which has their decision.
    """
    figure = Parity()
    for run in runs:
        kept = RoutingDecision.objects.filter(run=run).select_related("order").only("explanation", "order__number")
        told = {decision.order.number: decision.explanation for decision in kept}
        for plan in decide_again(run):
            if plan.reference in told:
                compare(figure, plan, told[plan.reference])
    return figure


def prune(*, at: datetime) -> int:
    """Delete runs past their days and situations that nobody needs any more; returns how many runs that were."""
    oldest = at - timedelta(days=settings.ROUTING_RUN_DAYS)
    pruned = 0
    while keys := list(
        RoutingRun.objects.filter(decided_at__lt=oldest).order_by("pk").values_list("pk", flat=True)[:PAGE]
    ):
        with transaction.atomic():
            RoutingDecision.objects.filter(run__in=keys).update(run=None)
            RoutingRun.objects.filter(pk__in=keys).delete()
        pruned += len(keys)
    RoutingSituation.objects.filter(first_seen_at__lt=oldest, runs__isnull=True).delete()
    return pruned


def _ground(situation: Situation, policies: Iterable[PublishedPolicy]) -> bytes:
    """Return what moves seldom as bytes that are equal when it is: sets have no order of their own."""
    if situation.carriers is not _last.carriers:
        _last.carriers, _last.packed = situation.carriers, _pack(dict(sorted(situation.carriers.items())))
    ground = {
        "nodes": [_ordered(node, _NODE) | {"parcels_left": 0} for node in situation.nodes],
        "disruptions": [_ordered(one, _DISRUPTION) for one in situation.disruptions],
        "carriers": msgspec.Raw(_last.packed),
        "policies": {policy.name: policy.policy for policy in sorted(set(policies), key=attrgetter("name"))},
    }
    return _pack(ground)


def _as_it_stood(node: NodeFacts, moving: tuple[int, int, bool, float]) -> NodeFacts:
    parcels_left, backlog, is_down, standing = moving
    return replace(node, parcels_left=parcels_left, backlog=backlog, is_down=is_down, standing=standing)


def _ordered(row: Any, names: Iterable[str]) -> dict[str, Any]:
    values = ((name, getattr(row, name)) for name in names)
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values}


def _published(name: str, policy: Policy) -> PublishedPolicy:
    code, _slash, number = name.rpartition("/")
    return PublishedPolicy(code, int(number), policy)


def compare(figure: Parity, plan: Plan, kept: Mapping[str, Any]) -> None:
    """Count whether a plan is the decision that was kept: to the cent, the candidate and the reason."""
    figure.decisions += 1
    again = msgspec.json.decode(msgspec.json.encode(reasons.of(plan)))
    if all(kept.get(name) == value for name, value in again.items()):
        figure.same += 1
    elif len(figure.different) < MOST_NAMED:
        figure.different.append(plan.reference)
