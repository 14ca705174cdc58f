"""What would have happened otherwise: recorded rounds of routing decided again with changes. No stock, no order moves.

Asked for by a person, worked off by a job, read on its page. Beside the variants every run is decided unchanged: what
comes out must be the decisions as they were, and the page says how many of them are (parity).
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import Node
from orders.models import Order, RoutingDecision, RoutingRun, WhatIf, WhatIfDifference, WhatIfVariant
from orders.rules.routing import variants
from orders.rules.routing.facts import Demand
from orders.rules.routing.kpis import Kpis
from orders.rules.routing.plans import Plan
from orders.rules.routing.variants import MOST_FACTOR, Changes, Drift
from orders.services import routing_records
from orders.services.routing_records import Inputs, Parity
from orders.statuses import BacktestStatus, RoutingKind, WhatIfSource

MOST_DAYS: Final = 31
MOST_VARIANTS: Final = 6
MOST_RUNS: Final = 100_000
MOST_DIFFERENCES: Final = 500  # of a variant, the biggest first
PAGE: Final = 100  # runs between two looks at whether somebody stopped it
OPEN: Final = (BacktestStatus.WAITING, BacktestStatus.RUNNING)


class NotTried(Exception):
    """A what-if run that cannot be made as asked."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Wanted:
    """What a person wants to try: a name, the time of the decisions, and the variants by name."""

    name: str
    starts_at: datetime
    ends_at: datetime
    variants: Mapping[str, Changes]


@dataclass
class _Trial:
    """One variant while it is worked out. ``differences`` is a heap with the smallest saving first."""

    row: WhatIfVariant
    changes: Changes
    kpis: Kpis = field(default_factory=Kpis)
    drift: Drift = field(default_factory=Drift)
    changed: int = 0
    differences: list[tuple[float, int, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)


@dataclass
class _Round:
    """One recorded run: what it was told, what it decided, and which of its decisions were carried out."""

    inputs: Inputs
    plans: dict[str, Plan]
    kept: Mapping[str, Mapping[str, Any]]  # order number → explanation


@transaction.atomic
def ask(wanted: Wanted, *, actor: Actor, at: datetime) -> WhatIf:
    """Ask for a what-if run. Raises ``NotTried`` with what to change."""
    why_not = _why_not(wanted)
    if why_not:
        raise NotTried(why_not)
    asked = WhatIf.objects.create(
        name=wanted.name[:80],
        source=WhatIfSource.HISTORY,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        asked_by=actor.label[:80],
        asked_at=at,
    )
    WhatIfVariant.objects.bulk_create(
        WhatIfVariant(
            what_if=asked,
            position=place,
            name=name[:80],
            changes=variants.to_json(changes) | {"digest": changes.digest},
        )
        for place, (name, changes) in enumerate(wanted.variants.items(), start=1)
    )
    return asked


def stop(what_if_id: int, *, at: datetime) -> bool:
    """Stop a run that waits or runs; returns whether there was one."""
    open_ones = WhatIf.objects.filter(pk=what_if_id, status__in=OPEN)
    return bool(open_ones.update(status=BacktestStatus.STOPPED, finished_at=at))


def run_waiting(*, at: Callable[[], datetime] = timezone.now) -> int:
    """Work off the runs that wait, the oldest first; returns how many were finished. One worker at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('orders.whatif'))")
        if not cursor.fetchone()[0]:
            return 0
        try:  # whoever has the lock is alone: what runs without it was left by a worker that died
            WhatIf.objects.filter(status=BacktestStatus.RUNNING).update(status=BacktestStatus.WAITING)
            done = 0
            while asked := WhatIf.objects.filter(status=BacktestStatus.WAITING).order_by("pk").first():
                _run(asked, at)
                done += 1
            return done
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('orders.whatif'))")


def _why_not(wanted: Wanted) -> Sentence | None:
    if wanted.starts_at >= wanted.ends_at:
        return say("The end must be after the start.")
    if wanted.ends_at - wanted.starts_at > timedelta(days=MOST_DAYS):
        return say("Choose at most %(days)s days.", days=MOST_DAYS)
    if not 0 < len(wanted.variants) <= MOST_VARIANTS:
        return say("Give between 1 and %(most)s variants.", most=MOST_VARIANTS)
    if not _runs(wanted.starts_at, wanted.ends_at).exists():
        return say("No routing decision of that time is kept with what it was decided on. Choose a later time.")
    return next((why for name, changes in wanted.variants.items() if (why := _speaks_against(name, changes))), None)


def _speaks_against(name: str, changes: Changes) -> Sentence | None:
    factors = (changes.stock_factor, changes.capacity_factor, changes.demand_factor)
    if not all(0 <= factor <= MOST_FACTOR for factor in factors) or changes.demand_factor < 1:
        return say(
            "“%(name)s”: factors of stock and capacity go from 0 to %(most)s, that of orders from 1.",
            name=name, most=int(MOST_FACTOR),
        )  # fmt: skip
    known = set(Node.objects.filter(code__in=changes.nodes_off).values_list("code", flat=True))
    unknown = sorted(set(changes.nodes_off) - known)
    if unknown:
        return say("“%(name)s”: there is no node %(codes)s.", name=name, codes=", ".join(unknown)[:200])
    return None


def _runs(starts_at: datetime, ends_at: datetime) -> Any:
    return RoutingRun.objects.filter(
        decided_at__gte=starts_at, decided_at__lt=ends_at, kind=RoutingKind.ONLINE, situation__isnull=False
    )


def _run(asked: WhatIf, at: Callable[[], datetime]) -> None:
    try:
        _work_off(asked, at)
    except (ValueError, KeyError, msgspec.MsgspecError) as trouble:
        why = say("It could not be worked out: %(why)s", why=f"{type(trouble).__name__}: {trouble}"[:200])
        _still_wanted(asked).update(status=BacktestStatus.FAILED, why=why.stored(), finished_at=at())


def _work_off(asked: WhatIf, at: Callable[[], datetime]) -> None:
    """Decide every recorded round again, unchanged and by each variant; say how far it is and ask whether to go on."""
    keys = list(_runs(asked.starts_at, asked.ends_at).order_by("pk").values_list("pk", flat=True)[:MOST_RUNS])
    WhatIf.objects.filter(pk=asked.pk, status=BacktestStatus.WAITING).update(
        status=BacktestStatus.RUNNING, steps_total=len(keys), steps_done=0
    )
    trials = [_Trial(row, variants.from_json(row.changes)) for row in asked.variants.order_by("position")]
    was, parity, done = Kpis(), Parity(), 0
    for page in _pages(keys):
        for told in _rounds(page):
            _count(told, was, parity)
            for trial in trials:
                _try(told, trial)
        done += len(page)
        if not _still_wanted(asked).update(steps_done=done):
            return
    _store(asked, trials, was, parity, at())


def _pages(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + PAGE] for start in range(0, len(keys), PAGE))


def _rounds(keys: Sequence[int]) -> Iterator[_Round]:
    """Return recorded rounds with the decisions that were carried out: two queries for a page."""
    kept: dict[int, dict[str, Mapping[str, Any]]] = {key: {} for key in keys}
    decisions = RoutingDecision.objects.filter(run__in=keys).select_related("order")
    for decision in decisions.only("run_id", "explanation", "order__number"):
        kept[decision.run_id or 0][decision.order.number] = decision.explanation
    for run in RoutingRun.objects.filter(pk__in=keys).select_related("situation").order_by("pk"):
        inputs = routing_records.read(run)
        before = {sku_id: dict(level) for sku_id, level in inputs.stock.items()}
        plans = {plan.reference: plan for plan in routing_records.decide(inputs)}
        yield _Round(_again(inputs, before, run), plans, kept[run.pk])


def _again(inputs: Inputs, before: dict[int, dict[int, int]], run: RoutingRun) -> Inputs:
    """Return the inputs as they were before they were decided on: planning counts stock and lots down."""
    shelves = routing_records.read(run).shelves if inputs.shelves else {}
    return Inputs(inputs.situation, inputs.demands, inputs.policies, before, shelves)


def _count(told: _Round, was: Kpis, parity: Parity) -> None:
    for demand in told.inputs.demands:
        explanation = told.kept.get(demand.reference)
        if explanation is not None:
            plan = told.plans[demand.reference]
            was.add(demand, plan)
            routing_records.compare(parity, plan, explanation)


def _try(told: _Round, trial: _Trial) -> None:
    """Decide one round as a variant finds it, and carry over what it took elsewhere."""
    changes, drift = trial.changes, trial.drift
    drift.of_day(timezone.localdate(told.inputs.situation.at))
    carried_out = [demand for demand in told.inputs.demands if demand.reference in told.kept]
    policies = {
        demand.reference: policy for demand, policy in zip(told.inputs.demands, told.inputs.policies, strict=True)
    }
    wanted = variants.demands(carried_out if _is_changed(changes) else told.inputs.demands, changes)
    plans = routing_records.decide(
        Inputs(
            situation=variants.situation(told.inputs.situation, changes, drift),
            demands=wanted,
            policies=[variants.policy(policies[demand.reference.partition("~")[0]], changes) for demand in wanted],
            stock=variants.stock(told.inputs.stock, changes, drift),
            shelves={key: list(shelf) for key, shelf in told.inputs.shelves.items()},
        )
    )
    settled = [
        (demand, plan)
        for demand, plan in zip(wanted, plans, strict=True)
        if demand.reference.partition("~")[0] in told.kept
    ]
    for demand, plan in settled:
        trial.kpis.add(demand, plan)
        if demand.reference in told.kept:
            _compare(trial, demand, told.plans[demand.reference], plan)
    drift.count((told.plans[demand.reference] for demand in carried_out), (plan for _demand, plan in settled))


def _is_changed(changes: Changes) -> bool:
    """Return whether a variant is another than what was: those that lost their stock then are left out of it."""
    return changes != Changes(digest=changes.digest)


def _compare(trial: _Trial, demand: Demand, before: Plan, after: Plan) -> None:
    if _nodes(before) == _nodes(after) and before.missing == after.missing:
        return
    trial.changed += 1
    saving = round(before.cost - after.cost, 2)
    entry = (abs(saving), trial.changed, demand.reference, _told(before), _told(after))
    if len(trial.differences) < MOST_DIFFERENCES:
        heapq.heappush(trial.differences, entry)
    else:
        heapq.heappushpop(trial.differences, entry)


def _nodes(plan: Plan) -> list[tuple[int, Any]]:
    return sorted((parcel.node_id, parcel.items) for parcel in plan.parcels)


def _told(plan: Plan) -> dict[str, Any]:
    last: date | None = max((parcel.arrives_until for parcel in plan.parcels if parcel.arrives_until), default=None)
    return {
        "nodes": [parcel.node_code for parcel in plan.parcels],
        "cost": plan.cost,
        "km": round(sum(parcel.distance_km for parcel in plan.parcels)),
        "missing": sum(item.quantity for item in plan.missing),
        "arrives_until": str(last) if last else "",
        "group": plan.group,
    }


@transaction.atomic
def _store(asked: WhatIf, trials: Sequence[_Trial], was: Kpis, parity: Parity, at: datetime) -> None:
    if not _still_wanted(asked).update(status=BacktestStatus.DONE, finished_at=at):
        return
    numbers = {entry[2] for trial in trials for entry in trial.differences}
    keys = dict(Order.objects.filter(number__in=numbers).values_list("number", "pk"))
    told = {"decisions": parity.decisions, "same": parity.same, "different": parity.different}
    for trial in trials:
        trial.row.result = trial.kpis.stored() | {"was": was.stored(), "parity": told, "changed": trial.changed}
    WhatIfVariant.objects.bulk_update([trial.row for trial in trials], ["result"])
    WhatIfDifference.objects.bulk_create(
        [
            WhatIfDifference(
                variant=trial.row,
                order_id=keys.get(number),
                reference=number,
                before=before,
                after=after,
                saving=Decimal(str(round(before["cost"] - after["cost"], 2))),
            )
            for trial in trials
            for _size, _place, number, before, after in trial.differences
        ],
        batch_size=1000,
    )


def _still_wanted(asked: WhatIf) -> Any:
    return WhatIf.objects.filter(pk=asked.pk, status=BacktestStatus.RUNNING)
