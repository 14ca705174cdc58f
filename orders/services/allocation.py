"""Step three: reserve and route in one step.

Plans are made on an unlocked snapshot of stock and capacity, then claimed under locks. A plan that loses the race is
made again on fresh numbers; what nobody has after that is a backorder, never a minus.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone

from audit.models import rows
from audit.rules.sentences import Sentence, say
from channels import queries as channel_queries
from inventory.models import Node
from inventory.queries import lots, promise, shares
from inventory.rules.geography import MAINLAND
from inventory.rules.lots import Needs
from inventory.rules.shares import Shared
from inventory.services import capacity, presales, reservations
from orders.models import Fulfillment, FulfillmentLine, RoutingDecision
from orders.queries import attempts
from orders.rules import demand, sharing
from orders.rules.routing import nearest as routing
from orders.services import oversells
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, FulfillmentStatus, HoldKind

POLICY = routing.Policy()
MAX_ROUNDS = 4  # a plan may lose this many races before the rest becomes a backorder
TRY_AGAIN = say("Receive or move stock, then choose “Try again”; the hub also retries by itself.")


@dataclass(frozen=True)
class _Planned:
    work: Work
    plan: routing.Plan
    beyond_share: int = 0  # of the plan's missing units, those that the channel's share did not have


def allocate(batch: Batch, works: Sequence[Work]) -> None:
    """Reserve stock at the chosen nodes for every order, as far as stock and capacity go."""
    first_timers, open_works = oversells.first_timers(works), list(works)
    for round_number in range(1, MAX_ROUNDS + 1):
        planned = _plan(batch, open_works)
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
        work.is_short = False
        batch.settle(work, "backordered")


def give_room_back(parcels: Sequence[Fulfillment]) -> None:
    """Return the parcels' room at their nodes on the day they were planned for."""
    by_day: dict[date, Counter[int]] = {}
    for parcel in parcels:
        by_day.setdefault(timezone.localdate(parcel.planned_at), Counter())[parcel.node_id] -= 1
    for day_date in sorted(by_day):
        capacity.claim(by_day[day_date], day_date=day_date)


def _plan(batch: Batch, works: Sequence[Work]) -> list[_Planned]:
    demands = _demands(batch, works)
    sku_ids = {item.sku_id for _channel, wanted in demands for item in wanted.items}
    needs = lots.needs(sku_ids, timezone.localdate(batch.at))
    shared = _shared(batch, works, sku_ids)
    cut = sharing.within_shares(_with_lives(demands, needs), shared)
    wants, shelves = [wanted for wanted, _beyond in cut], lots.shelves(needs.categories)
    plans = routing.plan(wants, _nodes(batch), promise.promisable(sku_ids), POLICY, shelves)
    return [
        _Planned(work, replace(plan, missing=plan.missing + beyond), sum(item.quantity for item in beyond))
        for work, plan, (_wanted, beyond) in zip(works, plans, cut, strict=True)
    ]


def _shared(batch: Batch, works: Sequence[Work], sku_ids: Collection[int]) -> Mapping[int, Shared]:
    """Return what channels' shares leave; what presales promised to these orders before is theirs to reserve now."""
    shared = shares.read(sku_ids)
    if not shared:
        return shared
    presales.lock(shared)
    presales.forget((work.order.number for work in works if not work.is_new), at=batch.at)
    return shares.read(sku_ids)


def _demands(batch: Batch, works: Sequence[Work]) -> list[tuple[str, routing.Demand]]:
    """Return what each order still wants, with the code of the channel that sold it."""
    serving = channel_queries.nodes_by_channel(work.order.channel_id for work in works)
    tried = attempts.of_orders([work.order.pk for work in works if work.parcels])
    every = frozenset(Node.objects.values_list("pk", flat=True)) if tried else frozenset()
    return [
        (
            batch.channels[work.order.channel_id].code,
            routing.Demand(
                reference=work.order.number,
                region=work.order.region,
                city=work.order.city,
                items=demand.items_wanted(work.wanted(), batch.parts, work.allocated() if work.parcels else {}),
                nodes=serving.get(work.order.channel_id, every) - tried[work.order.pk].nodes
                if work.order.pk in tried
                else serving.get(work.order.channel_id),
            ),
        )
        for work in works
    ]


def _with_lives(demands: Sequence[tuple[str, routing.Demand]], needs: Needs) -> list[tuple[str, routing.Demand]]:
    """Add how long goods with lots must keep for each demand's channel."""
    if not needs.categories:
        return list(demands)
    return [
        (channel, replace(wanted, lives=lives) if (lives := needs.lives(channel, wanted.skus)) else wanted)
        for channel, wanted in demands
    ]


def _nodes(batch: Batch) -> list[routing.NodeFacts]:
    return [
        routing.NodeFacts(
            node_id=node.pk,
            code=node.code,
            region=node.region,
            latitude=node.latitude,
            longitude=node.longitude,
            serves=frozenset(node.serves) or MAINLAND,
            is_active=node.is_active,
            parcels_left=room,
        )
        for node, room in promise.nodes_with_room(timezone.localdate(batch.at))
    ]


def _claim(batch: Batch, planned: Sequence[_Planned]) -> set[str]:
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


def _add_parcels(batch: Batch, entry: _Planned) -> None:
    work = entry.work
    lines = {line.line_number: line for line in work.lines}
    for planned in entry.plan.parcels:
        parcel = rows.new(
            Fulfillment,
            number=f"{work.order.number}-{len(work.parcels) + 1}",
            order=work.order,
            node_id=planned.node_id,
            planned_at=batch.at,
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


def _drop_parcels(batch: Batch, entry: _Planned) -> None:
    """Forget the parcels of a plan that was not granted; none of them was stored."""
    count = len(entry.plan.parcels)
    dropped = {id(parcel) for parcel in entry.work.parcels[-count:]}
    del entry.work.parcels[-count:]
    entry.work.contents = [content for content in entry.work.contents if id(content.fulfillment) not in dropped]


def _claim_of(entry: _Planned, channel: str) -> reservations.Claim:
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


def _give_back(batch: Batch, crowded_out: Sequence[_Planned], full: set[int]) -> None:
    """Undo the claims of plans that found one of their nodes full."""
    parcels = [parcel for entry in crowded_out for parcel in entry.work.parcels[-len(entry.plan.parcels) :]]
    reservations.forget([parcel.number for parcel in parcels], at=batch.at)
    room = Counter({parcel.node_id: 0 for parcel in parcels})
    for parcel in parcels:
        if parcel.node_id not in full:
            room[parcel.node_id] -= 1
    capacity.claim(room, day_date=timezone.localdate(batch.at))


def _settle(batch: Batch, entry: _Planned) -> None:
    """Keep what was granted: parcels, contents, the decision with its reasons, and what is missing."""
    work, plan = entry.work, entry.plan
    count = len(plan.parcels)
    fresh = work.parcels[-count:] if count else []
    batch.new_parcels.extend(fresh)
    ids = {id(parcel) for parcel in fresh}
    batch.new_contents.extend(content for content in work.contents if id(content.fulfillment) in ids)
    count_allocated(batch, work)
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


def _tell_missing(batch: Batch, entry: _Planned, *, was_short: bool) -> None:
    work, plan = entry.work, entry.plan
    reason = _why_missing(entry)
    if not (plan.verdicts.able or plan.verdicts.short or plan.verdicts.full):
        batch.hold(
            work,
            HoldKind.NO_NODE,
            reason,
            say("Let a node serve this destination or change the address, then choose “Try again”."),
        )
        work.is_short = False
        batch.settle(work, "backordered")
    elif not was_short:
        batch.tell(work, EventKind.BACKORDERED, reason)
        batch.trouble(work, "backordered", reason, TRY_AGAIN)


def _why_missing(entry: _Planned) -> Sentence:
    plan = entry.plan
    units = sum(item.quantity for item in plan.missing)
    if entry.beyond_share == units:
        return say("%(units)s units are beyond what the channel's share of the stock still has.", units=units)
    if plan.too_short == units:
        return say("%(units)s units are in stock, but do not keep long enough for this channel.", units=units)
    if plan.verdicts.full and not plan.verdicts.short:
        return say("Every node that serves this destination is full today.")
    if not plan.verdicts.short:
        return say("No active node serves this destination.")
    return say("%(units)s units are not in stock at any node that serves this destination.", units=units)


def _give_up(batch: Batch, works: Sequence[Work]) -> None:
    for work in works:
        reason = say("Other orders took the stock while this one was planned.")
        work.is_short = True
        batch.tell(work, EventKind.BACKORDERED, reason)
        batch.trouble(work, "backordered", reason, TRY_AGAIN)


def count_allocated(batch: Batch, work: Work) -> None:
    """Bring each line's allocated quantity to what is in live parcels; a cancelled line has nothing."""
    allocated = work.allocated()
    lines: Mapping[int, demand.WantedLine] = {wanted.line_number: wanted for wanted in work.wanted()}
    for line in work.lines:
        wanted = lines.get(line.line_number)
        line.quantity_allocated = demand.whole_units(wanted, batch.parts, allocated) if wanted else 0
        batch.line_changed(line)


def _decision(batch: Batch, entry: _Planned) -> RoutingDecision:
    plan = entry.plan
    outcome = "backordered" if plan.missing else ("split" if len(plan.parcels) > 1 else "single")
    verdicts = plan.verdicts
    return rows.new(
        RoutingDecision,
        order=entry.work.order,
        decided_at=batch.at,
        policy=POLICY.name,
        outcome=outcome,
        cost=plan.cost if plan.parcels else None,
        explanation={
            "parcels": [
                [parcel.node_code, parcel.distance_km, parcel.cost, sum(item.quantity for item in parcel.items)]
                for parcel in plan.parcels
            ],
            "missing": [[item.line_number, item.sku_id, item.quantity] for item in plan.missing],
            "able": verdicts.able,
            "short": verdicts.short,
            "full": verdicts.full,
            "not_serving": verdicts.not_serving,
            "inactive": verdicts.inactive,
        },
    )
