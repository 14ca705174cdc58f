"""Planning many waiting orders again together, every few minutes and at peaks.

1. Read, without a lock: the orders whose parcels are all planned and wait, what is free, and this moment's situation.
2. Solve, outside of any transaction: the joint problem over what is free and what these orders hold (`optimiser`).
3. Choose the sets of changes that save what the policies ask (`moves`).
4. Make each set in a transaction of its own (`moving`): a set that meets a release, a cancellation or somebody who
   took its stock is left as it is.
5. Keep a run with both sides: cost, parcels, late orders and kilometres as they were and as they are.

One at a time: whoever finds another at work goes away.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection

from audit.rules.actors import Actor
from orders.models import RoutingDecision, RoutingRun
from orders.rules.routing import joining, moves, optimiser
from orders.rules.routing.candidates import Reaches
from orders.rules.routing.facts import Stock
from orders.rules.routing.joining import Candidate, Joined
from orders.rules.routing.moves import Move
from orders.rules.routing.optimiser import Answer
from orders.rules.routing.planner import Planner
from orders.rules.routing.plans import Plan
from orders.services import gathering, joint_results, moving
from orders.services.gathering import Round
from orders.services.joint_results import Made
from orders.services.moving import NewPlan, NotMoved
from orders.statuses import RoutingKind

OPTIMISER: Final = Actor("job", "optimiser")
PAUSE: Final = timedelta(minutes=2)  # between two rounds when there is no rush
_TURN: Final = "SELECT pg_try_advisory_lock(hashtext('orders.reoptimising'), 0)"
_TURN_OVER: Final = "SELECT pg_advisory_unlock(hashtext('orders.reoptimising'), 0)"


def run_if_due(*, at: datetime) -> RoutingRun | None:
    """Plan again if the last round is long enough ago, or at once while more parcels wait than ``ROUTING_PEAK``."""
    last = RoutingRun.objects.filter(kind=RoutingKind.BATCH).order_by("-decided_at", "-pk").first()
    if last is not None and at - last.decided_at < PAUSE and not gathering.is_peak(at, settings.ROUTING_PEAK):
        return None
    return run(at=at, actor=OPTIMISER)


def run(*, at: datetime, actor: Actor, seconds: float | None = None) -> RoutingRun | None:
    """Plan all waiting orders again together and move those whose saving is worth it.

    Returns the run with both sides; None when nothing waits or another round is under way.
    """
    with _turn() as is_ours:
        if not is_ours:
            return None
        began = time.monotonic()
        found = gathering.read(at=at)
        if not found.waiting:
            return None
        joined, answer = solve(found, seconds=seconds or settings.ROUTING_BATCH_SECONDS)
        made, refused = apply(found, joined, answer, actor, at)
        return _keep(found, joined, answer, Made(made, refused, time.monotonic() - began), at)


def solve(found: Round, *, seconds: float) -> tuple[Joined, Answer]:
    """Return the joint problem and its answer; no transaction is open meanwhile."""
    joined = joining.join([one.candidate for one in found.waiting.values()], found.situation, found.stock)
    return joined, optimiser.solve(joined.joint, joined.unsent, seconds=seconds)


def apply(
    found: Round, joined: Joined, answer: Answer, actor: Actor, at: datetime
) -> tuple[list[tuple[Move, Plan]], Counter[str]]:
    """Make the sets of changes that are worth it; returns those that were made, and why others were not."""
    least = [candidate.policy.policy.least_saving for candidate in joined.candidates]
    made: list[tuple[Move, Plan]] = []
    refused: Counter[str] = Counter()
    plans = Plans(found, joined)
    for chosen in moves.worth_making(joined.joint, answer.plans, least):
        news = [(move, plans.new(move, len(chosen))) for move in chosen]
        if any(new is None for _move, new in news):
            refused["changed"] += 1
            continue
        ready = [(move, new) for move, new in news if new is not None]
        try:
            moving.move([new for _move, new in ready], actor=actor, at=at)
        except NotMoved as not_moved:
            refused[not_moved.why] += 1
        else:
            made += [(move, new.plan) for move, new in ready]
    return made, refused


class Plans:
    """Turns moves of the joint problem into the planner's plans, with carriers, dates, terms and reasons."""

    def __init__(self, found: Round, joined: Joined) -> None:
        self.found, self.joined = found, joined
        room = {node.node_id: left for node, left in zip(joined.nodes, joined.joint.room, strict=True)}
        nodes = tuple(replace(node, parcels_left=room[node.node_id]) for node in found.situation.nodes)
        self.situation = replace(found.situation, nodes=nodes)
        self.reaches = Reaches(self.situation)

    def new(self, move: Move, together: int) -> NewPlan | None:
        """Return the new plan of one order; None when the planner would not send it that way after all."""
        waiting = self.found.waiting[self.joined.candidates[move.order].demand.reference]
        candidate = waiting.candidate
        shares = self.joined.shares(move.order, move.after)
        exact: Stock = {}
        for node_id, units in shares.items():
            for sku_id, quantity in units.items():
                exact.setdefault(sku_id, {})[node_id] = quantity
        plan = Planner(self.situation, exact, None, self.reaches).plan(candidate.demand, candidate.policy)
        if plan.missing or {parcel.node_id for parcel in plan.parcels} != set(shares):
            return None
        alone = self._alone(candidate)
        live = waiting.work.live_parcels()
        codes = {node.node_id: node.code for node in self.situation.nodes}
        told = {
            "batch": {
                "from": sorted(codes[parcel.node_id] for parcel in live),
                "cost_before": round(move.cost_before, 2),
                "cost_after": round(move.cost_after, 2),
                "together": together,
                "alone": [[parcel.node_code for parcel in alone.parcels], alone.cost],
            }
        }
        return NewPlan(
            order_id=waiting.work.order.pk,
            parcels=frozenset(parcel.pk for parcel in live),
            contents=waiting.work.allocated(),
            plan=replace(plan, judged=alone.judged, runner_up=alone.runner_up),
            is_pilot=waiting.is_pilot,
            told=told,
        )

    def _alone(self, candidate: Candidate) -> Plan:
        """Return what the order would get by itself from what is free and what it holds."""
        stock = {sku_id: dict(self.found.stock.get(sku_id, {})) for sku_id in candidate.demand.skus}
        for node_id, units in (candidate.kept or {}).items():
            for sku_id, quantity in units.items():
                stock[sku_id][node_id] = stock[sku_id].get(node_id, 0) + quantity
        return Planner(self.situation, stock, None, self.reaches).plan(candidate.demand, candidate.policy)


def _keep(found: Round, joined: Joined, answer: Answer, made: Made, at: datetime) -> RoutingRun:
    """Store the run with both sides and point the decisions of its moves at it."""
    names = [joined.candidates[move.order].demand.reference for move, _plan in made.moved]
    run = RoutingRun.objects.create(
        kind=RoutingKind.BATCH,
        decided_at=at,
        orders_count=len(joined.joint.wishes),
        milliseconds=round(made.seconds * 1000),
        body=b"",
        result=joint_results.of(found, joined, answer, made),
    )
    order_ids = [found.waiting[name].work.order.pk for name in names]
    fresh = RoutingDecision.objects.filter(order__in=order_ids, kind=RoutingKind.BATCH, decided_at=at, run=None)
    fresh.update(run=run)
    return run


@contextmanager
def _turn() -> Iterator[bool]:
    """Hold the turn of the one that plans together; gives False when somebody else has it."""
    with connection.cursor() as cursor:
        cursor.execute(_TURN)
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute(_TURN_OVER)
