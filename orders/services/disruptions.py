"""Storms, closed roads, stopped carriers, nodes that are down: what they are, and planning again what they touch.

Routing reads the disruptions in force by itself. ``follow`` brings the past up to them: planned parcels that were
planned before something began, changed or ended are planned again, and parcels that nodes already have are a case.
It reads only rows, so that it may run twice, late, or on several workers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases, trail
from inventory.models import Node
from inventory.rules.geography import REGIONS
from orders.models import Disruption, Fulfillment
from orders.services import rerouting
from orders.services.rerouting import Failure
from orders.statuses import AttemptOutcome, DisruptionEffect, FulfillmentStatus

CLOCK: Final = Actor("job", "disruptions")
AT_A_NODE: Final = "disrupted_parcels"  # kind of case
REMEMBERED: Final = timedelta(days=1)  # an end longer ago has been followed
MOST: Final = 200  # disruptions looked at in one run
HELD_FREE: Final = Q(order__open_holds=0)  # the others are planned again when they are lifted


@dataclass(frozen=True)
class Draft:
    """What people say of a disruption. Regions are province codes; what is left empty is everywhere or everybody."""

    name: str
    effect: str
    starts_at: datetime
    ends_at: datetime | None = None
    from_regions: tuple[str, ...] = ()
    to_regions: tuple[str, ...] = ()
    node_ids: tuple[int, ...] = ()
    carrier_code: str = ""
    delay_hours: float = 0.0
    severity: int = 1


@dataclass(frozen=True)
class Touched:
    """How many open orders and parcels a disruption touches."""

    planned_orders: int = 0
    planned_parcels: int = 0
    parcels_at_nodes: int = 0
    nodes: tuple[tuple[str, int], ...] = ()  # code, open parcels; the most touched first


class NotGood(Exception):
    """A disruption that cannot stand as it was described."""

    def __init__(self, wrong: Sequence[Sentence]) -> None:
        super().__init__("; ".join(str(sentence) for sentence in wrong))
        self.wrong = list(wrong)


@transaction.atomic
def start(draft: Draft, *, reason: str, actor: Actor, source: str = "") -> Disruption:
    """Write a disruption down; from ``starts_at`` on routing knows it. Raises ``NotGood``."""
    _refuse_bad(draft)
    row = Disruption(code=_next_code(draft.starts_at), source=source)
    return _write(row, draft, reason=reason, actor=actor)


@transaction.atomic
def change(disruption_id: int, draft: Draft, *, reason: str, actor: Actor, at: datetime) -> Disruption:
    """Describe a disruption anew. Raises ``NotGood``, also for one that is over."""
    row = _locked(disruption_id)
    _refuse_over(row, at)
    _refuse_bad(draft)
    return _write(row, draft, reason=reason, actor=actor)


@transaction.atomic
def end(disruption_id: int, *, reason: str, actor: Actor, at: datetime) -> Disruption:
    """End a disruption now; one that has not begun ends as it begins. Raises ``NotGood`` for one that is over."""
    row = _locked(disruption_id)
    _refuse_over(row, at)
    row.ends_at, row.ended_by = max(at, row.starts_at + timedelta(seconds=1)), actor.label[:80]
    trail.because(row, actor=actor, reason=reason).save()
    _settle([row.code], actor=actor, at=at)
    return row


def preview(draft: Draft) -> Touched:
    """Return what open work a disruption would touch: three queries, nothing is written."""
    touched = _touched(draft)
    planned = touched.filter(status=FulfillmentStatus.PLANNED)
    counts = planned.aggregate(parcels=Count("pk"), orders=Count("order", distinct=True))
    by_node = touched.values_list("node__code").annotate(parcels=Count("pk")).order_by("-parcels", "node__code")[:10]
    return Touched(
        planned_orders=counts["orders"],
        planned_parcels=counts["parcels"],
        parcels_at_nodes=touched.exclude(status=FulfillmentStatus.PLANNED).count(),
        nodes=tuple(by_node),
    )


def follow(*, at: datetime, limit: int = 2000) -> int:
    """Plan again what disruptions and nodes that are down touch; returns how many orders were planned again."""
    count = _leave_nodes_down(at, limit)
    for row, described_at in _recent(at):
        is_over = row.ends_at is not None and row.ends_at <= at
        parcels = _since_end(row) if is_over else _since_begin(row, described_at)
        found = list(parcels.filter(HELD_FREE).order_by("pk").values_list("pk", "order_id")[:limit])
        failure = Failure(None, row.name)
        count += rerouting.in_pieces(found, failure, actor=CLOCK, at=at, still=_is_planned)
        _tell_of_released(row, at, is_over=is_over)
    return count


def draft_of(row: Disruption) -> Draft:
    """Return a stored disruption as people describe it."""
    return Draft(
        name=row.name,
        effect=row.effect,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        from_regions=tuple(row.from_regions),
        to_regions=tuple(row.to_regions),
        node_ids=tuple(sorted(node.pk for node in row.nodes.all())),
        carrier_code=row.carrier_code,
        delay_hours=row.delay_hours,
        severity=row.severity,
    )


def complaints(draft: Draft) -> list[Sentence]:
    """Return what is wrong with a description; empty when it can stand."""
    wrong = []
    if not draft.name.strip():
        wrong.append(say("Give it a name that people recognise."))
    if draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        wrong.append(say("It must end after it begins."))
    if draft.effect == DisruptionEffect.DELAYS and draft.delay_hours <= 0:
        wrong.append(say("Say by how many hours parcels are later."))
    if not (draft.from_regions or draft.to_regions or draft.node_ids or draft.carrier_code):
        wrong.append(say("Name regions, nodes or a carrier: nothing named would stop everything everywhere."))
    unknown = sorted({*draft.from_regions, *draft.to_regions} - set(REGIONS))
    if unknown:
        wrong.append(say("No region has the code %(codes)s.", codes=", ".join(unknown)))
    return wrong


def _refuse_bad(draft: Draft) -> None:
    if wrong := complaints(draft):
        raise NotGood(wrong)


def _refuse_over(row: Disruption, at: datetime) -> None:
    if row.ends_at is not None and row.ends_at <= at:
        raise NotGood([say("It is over. Enter a new one.")])


def _locked(disruption_id: int) -> Disruption:
    return Disruption.objects.select_for_update(no_key=True).get(pk=disruption_id)


def _next_code(starts_at: datetime) -> str:
    """Return "D20261110-2": the day on which it begins, and the first number free on it."""
    day = f"D{timezone.localdate(starts_at):%Y%m%d}-"
    numbers = [int(code.removeprefix(day)) for code in
               Disruption.objects.filter(code__regex=f"^{day}[0-9]+$").values_list("code", flat=True)]  # fmt: skip
    return f"{day}{max(numbers, default=0) + 1}"


def _write(row: Disruption, draft: Draft, *, reason: str, actor: Actor) -> Disruption:
    row.name, row.effect = draft.name.strip()[:120], draft.effect
    row.starts_at, row.ends_at = draft.starts_at, draft.ends_at
    row.from_regions, row.to_regions = list(draft.from_regions), list(draft.to_regions)
    row.carrier_code, row.severity = draft.carrier_code, draft.severity
    row.delay_hours = draft.delay_hours if draft.effect == DisruptionEffect.DELAYS else 0.0
    trail.because(row, actor=actor, reason=reason).save()
    row.nodes.set(draft.node_ids)
    return row


def _touched(draft: Draft) -> QuerySet[Fulfillment]:
    """Return the open parcels that a disruption touches, whatever its time."""
    parcels = Fulfillment.objects.filter(status__in=FulfillmentStatus.OPEN).order_by()
    if draft.from_regions:
        parcels = parcels.filter(node__region__in=draft.from_regions)
    if draft.to_regions:
        parcels = parcels.filter(order__region__in=draft.to_regions)
    if draft.node_ids:
        parcels = parcels.filter(node__in=draft.node_ids)
    if draft.carrier_code:
        parcels = parcels.filter(planned_carrier=draft.carrier_code)
    return parcels


def _recent(at: datetime) -> list[tuple[Disruption, datetime]]:
    """Return the disruptions in force, and those that ended a short while ago, each with when it was last described."""
    rows = Disruption.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at - REMEMBERED), starts_at__lte=at)
    found = list(rows.prefetch_related("nodes").order_by("pk")[:MOST])
    past = Disruption.history.filter(id__in=[row.pk for row in found], history_date__lte=at).order_by()
    described = dict(past.values_list("id").annotate(Max("history_date")))
    return [(row, described.get(row.pk, row.starts_at)) for row in found]


def _since_begin(row: Disruption, described_at: datetime) -> QuerySet[Fulfillment]:
    """Return the planned parcels in it that were planned before it began or was described anew."""
    since = max(row.starts_at, described_at)
    return _touched(draft_of(row)).filter(status=FulfillmentStatus.PLANNED, planned_at__lt=since)


def _since_end(row: Disruption) -> QuerySet[Fulfillment]:
    """Return the planned parcels that go where it was and were planned meanwhile: others may send them better now."""
    parcels = Fulfillment.objects.filter(
        status=FulfillmentStatus.PLANNED, planned_at__gte=row.starts_at, planned_at__lt=row.ends_at
    )
    return parcels.filter(order__region__in=row.to_regions) if row.to_regions else parcels


def _is_planned(parcel: Fulfillment) -> bool:
    return parcel.status == FulfillmentStatus.PLANNED


def _leave_nodes_down(at: datetime, limit: int) -> int:
    """Plan again what nodes have not begun that are down."""
    down = dict(Node.objects.filter(down_until__gt=at).values_list("pk", "down_reason"))
    if not down:
        return 0
    waiting = Fulfillment.objects.filter(HELD_FREE, node__in=down, status__in=rerouting.NOT_BEGUN)
    found = list(waiting.order_by("pk").values_list("pk", "order_id", "node_id")[:limit])
    count = 0
    for node_id, reason in sorted(down.items()):
        parcels = [(pk, order_id) for pk, order_id, at_node in found if at_node == node_id]
        failure = Failure(AttemptOutcome.NODE_DOWN, reason or "down")
        count += rerouting.in_pieces(parcels, failure, actor=CLOCK, at=at)
    return count


def _tell_of_released(row: Disruption, at: datetime, *, is_over: bool) -> None:
    """Open a case for parcels in it that nodes already have, or close it when there are none any more."""
    stuck = 0
    if not is_over and row.effect == DisruptionEffect.BLOCKS:
        stuck = _touched(draft_of(row)).exclude(status=FulfillmentStatus.PLANNED).count()
    if not stuck:
        _settle([row.code], actor=CLOCK, at=at)
        return
    why = say("%(count)s parcels that nodes already have cannot be sent: %(name)s.", count=stuck, name=row.name)
    to_do = say("Let the nodes wait, or reject the parcels, so that other nodes send them.")
    trouble = cases.Trouble(AT_A_NODE, row.code, why, to_do, f"/admin/orders/disruption/{row.pk}/change/")
    cases.open_cases([trouble], at=at)


def _settle(codes: Collection[str], *, actor: Actor, at: datetime) -> None:
    cases.resolve(list(codes), kinds=[AT_A_NODE], actor=actor, resolution="", at=at)
