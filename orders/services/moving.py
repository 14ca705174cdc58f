"""Moving planned parcels to other nodes, a whole set of orders or none of it.

The plans were made before on an unlocked snapshot. Here the orders are locked and looked at again: when one of them is
not what it was (released, cancelled, changed, moved by somebody else), or a unit or a place that the set needs is gone,
nothing of the set is changed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from audit.models import rows
from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services.transactions import atomic_with_retry
from inventory.models import Reservation
from inventory.services import capacity, levels, pools, reservations
from inventory.services.reservations import Claim, Want
from inventory.statuses import ReservationStatus
from orders.models import Fulfillment, FulfillmentLine, RoutingDecision
from orders.rules import reasons
from orders.rules.routing.plans import Parcel, Plan
from orders.services import allocation
from orders.services import batch as batches
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, FulfillmentStatus, HoldKind, MoneyState, RoutingKind

SAFETY: Final = timedelta(seconds=30)  # a parcel that is released so soon stays where it is
ALLOWED_HOLDS: Final = {HoldKind.CHANNEL, HoldKind.REFUND, HoldKind.GIFT}  # goods stay set aside meanwhile


@dataclass(frozen=True)
class NewPlan:
    """Where an order shall be sent from instead, and what the snapshot said it has now.

    ``parcels`` are the keys of its planned parcels then, ``contents`` what they held: (line, SKU id) → units.
    """

    order_id: int
    parcels: frozenset[int]
    contents: Mapping[tuple[int, int], int]
    plan: Plan
    is_pilot: bool = False
    told: Mapping[str, Any] | None = None  # what the decision says beside the plan's own reasons


class NotMoved(Exception):
    """A set that was left as it is; carries the number of the order and why: changed, released or taken."""

    def __init__(self, number: str, why: str) -> None:
        super().__init__(f"{number}: {why}")
        self.number, self.why = number, why


def may_move(work: Work, *, at: datetime) -> bool:
    """Return whether an order's parcels may go to other nodes: all of it is planned, nothing waits to be released now.

    An order that lacks units is left alone: what it has must not become less.
    """
    live = work.live_parcels()
    return (
        bool(live)
        and work.order.cancelled_at is None
        and set(work.holds) <= ALLOWED_HOLDS
        and all(parcel.status == FulfillmentStatus.PLANNED for parcel in live)
        and all(line.quantity_allocated >= line.quantity for line in work.live_lines())
        and all(_has_time(work, parcel, at) for parcel in live)
    )


def _has_time(work: Work, parcel: Fulfillment, at: datetime) -> bool:
    """Return whether a parcel is not released in a moment; one without a time waits for money or for a hold's end."""
    if parcel.release_after is not None:
        return parcel.release_after > at + SAFETY
    return work.order.money_state != MoneyState.PAID or bool(work.holds)


@atomic_with_retry
def move(plans: Sequence[NewPlan], *, actor: Actor, at: datetime) -> None:
    """Move the parcels of these orders to the nodes of their new plans, all or none.

    Raises ``NotMoved`` with the first order that is not what it was, or finds its stock or room gone; nothing is
    changed then.
    """
    wanted = {plan.order_id: plan for plan in plans}
    batch = batches.load(wanted, at=at, actor=actor)
    if len(batch.works) != len(wanted):
        raise NotMoved("", "changed")
    for work in batch.works:
        _must_be_as_read(work, wanted[work.order.pk], at)
    _lock(batch, plans)
    until = {work.order.pk: _release_after(work) for work in batch.works}
    allocation.undo(batch, batch.works)
    for work in batch.works:
        _open(batch, work, wanted[work.order.pk].plan, until[work.order.pk])
    _claim(batch, wanted)
    for work in batch.works:
        allocation.count_allocated(batch, work)
        allocation.tell_arrival(work)
        _tell(batch, work, wanted[work.order.pk])
    batch.write()


def _lock(batch: Batch, plans: Sequence[NewPlan]) -> None:
    """Lock what is given up and what is taken before anything is written, in the order of docs/locking.md."""
    numbers = [parcel.number for work in batch.works for parcel in work.live_parcels()]
    held = Reservation.objects.select_for_update(no_key=True).filter(
        reference__in=numbers, status=ReservationStatus.ACTIVE
    )
    here = {(row.sku_id, row.node_id) for row in held.order_by("pk")}
    there = {(item.sku_id, one.node_id) for new in plans for one in new.plan.parcels for item in one.items}
    pools.lock({sku_id for sku_id, _node_id in here})
    levels.lock_levels(here | there)


def _must_be_as_read(work: Work, new: NewPlan, at: datetime) -> None:
    live = work.live_parcels()
    if {parcel.pk for parcel in live} != new.parcels or work.allocated() != dict(new.contents):
        raise NotMoved(work.order.number, "changed")
    if not may_move(work, at=at):
        raise NotMoved(work.order.number, "released")


def _release_after(work: Work) -> datetime | None:
    """Return when the order is released: a move never makes it wait longer."""
    return min((p.release_after for p in work.live_parcels() if p.release_after is not None), default=None)


def _open(batch: Batch, work: Work, plan: Plan, until: datetime | None) -> None:
    """Add the new plan's parcels to the order."""
    lines = {line.line_number: line for line in work.lines}
    for planned in plan.parcels:
        parcel = _parcel(batch, work, planned, until)
        work.parcels.append(parcel)
        batch.new_parcels.append(parcel)
        contents = [
            rows.new(
                FulfillmentLine,
                fulfillment=parcel,
                order_line=lines[item.line_number],
                sku_id=item.sku_id,
                quantity=item.quantity,
            )
            for item in planned.items
        ]
        work.contents.extend(contents)
        batch.new_contents.extend(contents)


def _parcel(batch: Batch, work: Work, planned: Parcel, until: datetime | None) -> Fulfillment:
    parcel: Fulfillment = rows.new(
        Fulfillment,
        number=f"{work.order.number}-{len(work.parcels) + 1}",
        order=work.order,
        node_id=planned.node_id,
        planned_at=batch.at,
        release_after=until,
        planned_carrier=planned.carrier_code,
        planned_cost=Decimal(f"{planned.cost:.2f}"),
        distance_km=planned.distance_km,
        arrives_from=planned.arrives_from,
        arrives_until=planned.arrives_until,
    )
    return parcel


def _claim(batch: Batch, wanted: Mapping[int, NewPlan]) -> None:
    """Reserve all units and all room of the new plans. Raises ``NotMoved`` for the first order that lacks any."""
    fresh = {id(parcel) for parcel in batch.new_parcels}
    outcome = reservations.reserve_all([_claim_of(batch, work, fresh) for work in batch.works], at=batch.at)
    if outcome.refused:
        raise NotMoved(min(outcome.refused), "taken")
    counts = Counter(parcel.node_id for parcel in batch.new_parcels)
    full = capacity.claim(counts, day_date=timezone.localdate(batch.at))
    if full:
        crowded = [
            w.order.number for w in batch.works if any(p.node_id in full for p in wanted[w.order.pk].plan.parcels)
        ]
        raise NotMoved(min(crowded), "taken")


def _claim_of(batch: Batch, work: Work, fresh: set[int]) -> Claim:
    return Claim(
        owner=work.order.number,
        wants=tuple(
            Want(
                key=f"{content.fulfillment.number}/{content.order_line.line_number}/{content.sku_id}",
                reference=content.fulfillment.number,
                sku_id=content.sku_id,
                node_id=content.fulfillment.node_id,
                quantity=content.quantity,
            )
            for content in work.contents
            if id(content.fulfillment) in fresh
        ),
        expires_at=work.order.reserved_until,
        channel=batch.channels[work.order.channel_id].code,
    )


def _tell(batch: Batch, work: Work, new: NewPlan) -> None:
    """Keep the decision with its reasons, and say in the order's timeline where it is sent from now."""
    plan = new.plan
    batch.decisions.append(
        rows.new(
            RoutingDecision,
            order=work.order,
            decided_at=batch.at,
            policy=plan.policy,
            outcome="split" if len(plan.parcels) > 1 else "single",
            cost=Decimal(f"{plan.cost:.2f}"),
            explanation=reasons.of(plan) | dict(new.told or {}),
            kind=RoutingKind.BATCH,
            group=plan.group,
            is_pilot=new.is_pilot,
            decided_by=batch.actor.label[:80],
        )
    )
    nodes = ", ".join(parcel.node_code for parcel in plan.parcels)
    batch.tell(work, EventKind.ALLOCATED, say("Planned again together with other orders: from %(nodes)s", nodes=nodes))
