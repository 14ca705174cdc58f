"""Step three: reserve and route in one step.

Plans are made on an unlocked snapshot of stock and capacity, then claimed under locks. A plan that loses the race is
made again on fresh numbers; what nobody has after that is a backorder, never a minus.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils import timezone

from audit.models import rows
from audit.rules.sentences import say
from inventory.services import capacity, reservations
from orders.models import Fulfillment, FulfillmentLine, RoutingDecision
from orders.rules import demand, reasons
from orders.services import oversells, planning, shortness
from orders.services.batch import Batch, Work
from orders.services.planning import Planned
from orders.statuses import EventKind, FulfillmentStatus, HoldKind

MAX_ROUNDS: Final = 4  # a plan may lose this many races before the rest becomes a backorder
TRY_AGAIN: Final = say("Receive or move stock, then choose “Try again”; the hub also retries by itself.")


def allocate(batch: Batch, works: Sequence[Work]) -> None:
    """Reserve stock at the chosen nodes for every order, as far as stock and capacity go."""
    first_timers, open_works = oversells.first_timers(works), list(works)
    for round_number in range(1, MAX_ROUNDS + 1):
        planned = planning.plan(batch, open_works)
        lost = _claim(batch, [entry for entry in planned if entry.plan.parcels])
        for entry in planned:
            if entry.work.order.number not in lost:
                _settle(batch, entry)
        open_works = [entry.work for entry in planned if entry.work.order.number in lost]
        if not open_works:
            break
        if round_number == MAX_ROUNDS:
            _give_up(batch, open_works)
    oversells.note(batch, first_timers)


def undo(batch: Batch, works: Sequence[Work]) -> None:
    """Take planned parcels back: reservations are released, node capacity returned, lines are unallocated again.

    Parcels that a node already has are left alone.
    """
    planned = [p for work in works for p in work.live_parcels() if p.status == FulfillmentStatus.PLANNED]
    reservations.release([parcel.number for parcel in planned], at=batch.at)
    give_room_back(planned)
    for parcel in planned:
        parcel.status = FulfillmentStatus.CANCELLED
        batch.parcel_changed(parcel)
    for work in works:
        count_allocated(batch, work)
        tell_arrival(work)
        work.is_short = False
        batch.settle(work, "backordered")


def give_room_back(parcels: Sequence[Fulfillment]) -> None:
    """Return the parcels' room at their nodes on the day they were planned for."""
    by_day: dict[date, Counter[int]] = {}
    for parcel in parcels:
        by_day.setdefault(timezone.localdate(parcel.planned_at), Counter())[parcel.node_id] -= 1
    for day_date in sorted(by_day):
        capacity.claim(by_day[day_date], day_date=day_date)


def _claim(batch: Batch, planned: Sequence[Planned]) -> set[str]:
    """Reserve the plans' units, then their room at the nodes; returns the order numbers that got nothing."""
    for entry in planned:
        _add_parcels(batch, entry)
    claims = [_claim_of(entry, batch.channels[entry.work.order.channel_id].code) for entry in planned]
    outcome = reservations.reserve_all(claims, at=batch.at)
    granted = [entry for entry in planned if entry.work.order.number in outcome.granted]
    counts = Counter(parcel.node_id for entry in granted for parcel in entry.plan.parcels)
    full = capacity.claim(counts, day_date=timezone.localdate(batch.at))
    crowded_out = [entry for entry in granted if any(parcel.node_id in full for parcel in entry.plan.parcels)]
    if crowded_out:
        _give_back(batch, crowded_out, full)
    lost = {*outcome.refused, *(entry.work.order.number for entry in crowded_out)}
    for entry in planned:
        if entry.work.order.number in lost:
            _drop_parcels(batch, entry)
    return lost


def _add_parcels(batch: Batch, entry: Planned) -> None:
    work = entry.work
    lines = {line.line_number: line for line in work.lines}
    for planned in entry.plan.parcels:
        parcel = rows.new(
            Fulfillment,
            number=f"{work.order.number}-{len(work.parcels) + 1}",
            order=work.order,
            node_id=planned.node_id,
            planned_at=batch.at,
            planned_carrier=planned.carrier_code,
            planned_cost=_money(planned.cost),
            distance_km=planned.distance_km,
            arrives_from=planned.arrives_from,
            arrives_until=planned.arrives_until,
        )
        work.parcels.append(parcel)
        work.contents.extend(
            rows.new(
                FulfillmentLine,
                fulfillment=parcel,
                order_line=lines[item.line_number],
                sku_id=item.sku_id,
                quantity=item.quantity,
            )
            for item in planned.items
        )


def _drop_parcels(batch: Batch, entry: Planned) -> None:
    """Forget the parcels of a plan that was not granted; none of them was stored."""
    count = len(entry.plan.parcels)
    dropped = {id(parcel) for parcel in entry.work.parcels[-count:]}
    del entry.work.parcels[-count:]
    entry.work.contents = [content for content in entry.work.contents if id(content.fulfillment) not in dropped]


def _claim_of(entry: Planned, channel: str) -> reservations.Claim:
    order = entry.work.order
    parcels = entry.work.parcels[-len(entry.plan.parcels) :]
    return reservations.Claim(
        owner=order.number,
        wants=tuple(
            reservations.Want(
                key=f"{parcel.number}/{item.line_number}/{item.sku_id}",
                reference=parcel.number,
                sku_id=item.sku_id,
                node_id=planned.node_id,
                quantity=item.quantity,
            )
            for parcel, planned in zip(parcels, entry.plan.parcels, strict=True)
            for item in planned.items
        ),
        expires_at=order.reserved_until,
        channel=channel,
    )


def _give_back(batch: Batch, crowded_out: Sequence[Planned], full: set[int]) -> None:
    """Undo the claims of plans that found one of their nodes full."""
    parcels = [parcel for entry in crowded_out for parcel in entry.work.parcels[-len(entry.plan.parcels) :]]
    reservations.forget([parcel.number for parcel in parcels], at=batch.at)
    room = Counter({parcel.node_id: 0 for parcel in parcels})
    for parcel in parcels:
        if parcel.node_id not in full:
            room[parcel.node_id] -= 1
    capacity.claim(room, day_date=timezone.localdate(batch.at))


def _settle(batch: Batch, entry: Planned) -> None:
    """Keep what was granted: parcels, contents, the decision with its reasons, and what is missing."""
    work, plan = entry.work, entry.plan
    count = len(plan.parcels)
    fresh = work.parcels[-count:] if count else []
    batch.new_parcels.extend(fresh)
    ids = {id(parcel) for parcel in fresh}
    batch.new_contents.extend(content for content in work.contents if id(content.fulfillment) in ids)
    if fresh:
        until = planning.release_after(entry, at=batch.at)
        for parcel in planning.together(work, until):
            batch.parcel_changed(parcel)
    count_allocated(batch, work)
    tell_arrival(work)
    was_short, work.is_short = work.is_short, bool(plan.missing)
    if fresh or not was_short:
        batch.decisions.append(_decision(batch, entry))
    if fresh:
        nodes = ", ".join(parcel.node_code for parcel in plan.parcels)
        batch.tell(work, EventKind.ALLOCATED, say("From %(nodes)s", nodes=nodes))
    if not plan.missing:
        if was_short:
            batch.settle(work, "backordered")
        return
    _tell_missing(batch, entry, was_short=was_short)


def _tell_missing(batch: Batch, entry: Planned, *, was_short: bool) -> None:
    work = entry.work
    reason = shortness.why(entry.plan, entry.beyond_share)
    if shortness.needs_person(entry.plan):
        batch.hold(work, HoldKind.NO_NODE, reason, shortness.WAY_OUT)
        work.is_short = False
        batch.settle(work, "backordered")
    elif not was_short:
        batch.tell(work, EventKind.BACKORDERED, reason)
        batch.trouble(work, "backordered", reason, TRY_AGAIN)


def _give_up(batch: Batch, works: Sequence[Work]) -> None:
    for work in works:
        reason = say("Other orders took the stock while this one was planned.")
        work.is_short = True
        batch.tell(work, EventKind.BACKORDERED, reason)
        batch.trouble(work, "backordered", reason, TRY_AGAIN)


def tell_arrival(work: Work) -> None:
    """Bring the days between which the order comes to those of its live parcels; none while nothing is planned."""
    parcels = work.live_parcels()
    first = [parcel.arrives_from for parcel in parcels if parcel.arrives_from]
    last = [parcel.arrives_until for parcel in parcels if parcel.arrives_until]
    work.order.arrives_from, work.order.arrives_until = min(first, default=None), max(last, default=None)


def count_allocated(batch: Batch, work: Work) -> None:
    """Bring each line's allocated quantity to what is in live parcels; a cancelled line has nothing."""
    allocated = work.allocated()
    lines: Mapping[int, demand.WantedLine] = {wanted.line_number: wanted for wanted in work.wanted()}
    for line in work.lines:
        wanted = lines.get(line.line_number)
        line.quantity_allocated = demand.whole_units(wanted, batch.parts, allocated) if wanted else 0
        batch.line_changed(line)


def _decision(batch: Batch, entry: Planned) -> RoutingDecision:
    plan = entry.plan
    outcome = "backordered" if plan.missing else ("split" if len(plan.parcels) > 1 else "single")
    return rows.new(
        RoutingDecision,
        order=entry.work.order,
        decided_at=batch.at,
        policy=plan.policy,
        outcome=outcome,
        cost=_money(plan.cost) if plan.parcels else None,
        explanation=reasons.of(plan),
        group=plan.group,
        is_pilot=entry.is_pilot,
        run=entry.run,
    )


def _money(yuan: float) -> Decimal:
    return Decimal(f"{yuan:.2f}")
