"""What nodes do with a parcel: pick, pack, ship, deliver, or stop. Each verb takes many parcels at once.

A parcel of an order on hold does not move by any of them, and a parcel only makes the moves of
``FulfillmentStatus.MOVES``; the others of the same call go through, each refusal with its reason.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from audit.services.transactions import atomic_with_retry
from channels.adapters import registry
from channels.messages import ShipmentNotice, ShippedLine
from channels.services import outbox
from channels.statuses import Lane
from inventory.models import Sku
from inventory.services import reservations
from inventory.statuses import MovementKind
from orders.models import Fulfillment
from orders.rules import demand
from orders.services import allocation, bookkeeping, cancellation, following, oversells, recalling, rerouting, standing
from orders.services import batch as batches
from orders.services.batch import Batch, Work
from orders.services.rerouting import Failure
from orders.statuses import AttemptOutcome, EventKind, FulfillmentStatus, HoldKind

COUNT_NEEDED: Final = "count_needed"
ONLY_WHEN = {
    FulfillmentStatus.PICKING: say("Picking begins only on a released parcel."),
    FulfillmentStatus.PACKED: say("Only a parcel that is released or being picked can be packed."),
    FulfillmentStatus.SHIPPED: say("Only a packed parcel can be shipped."),
    FulfillmentStatus.DELIVERED: say("Only a shipped parcel can be delivered."),
    FulfillmentStatus.CANCELLED: say("A parcel that has left, or was stopped before, cannot be stopped."),
}


@dataclass(frozen=True)
class Handover:
    """With whom a parcel left: the carrier's code and the number on its label."""

    carrier_code: str
    tracking_number: str


@dataclass
class Moved:
    """Parcel numbers that moved, and why the others did not."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, Sentence] = field(default_factory=dict)


@dataclass(frozen=True)
class _Entry:
    work: Work
    parcel: Fulfillment


@dataclass(frozen=True)
class _Stopped:
    """What is said of a parcel that was taken back: in the timeline, as the hold's reason, and what to do."""

    told: Sentence
    why: Sentence
    to_do: Sentence


def pick(parcel_ids: Sequence[int], *, actor: Actor, at: datetime) -> Moved:
    """Say that picking of these parcels has begun."""

    def begin(batch: Batch, entries: Sequence[_Entry]) -> None:
        _tell(batch, entries, EventKind.PICKING)

    return _move(parcel_ids, FulfillmentStatus.PICKING, begin, actor=actor, at=at)


def pack(parcel_ids: Sequence[int], *, actor: Actor, at: datetime) -> Moved:
    """Say that these parcels are packed."""

    def close(batch: Batch, entries: Sequence[_Entry]) -> None:
        for entry in entries:
            entry.parcel.packed_at = at
        _tell(batch, entries, EventKind.PACKED)

    return _move(parcel_ids, FulfillmentStatus.PACKED, close, actor=actor, at=at)


def ship(handovers: Mapping[int, Handover], *, actor: Actor, at: datetime) -> Moved:
    """Hand parcels (id → carrier and number) over: stock leaves the node.

    The channel, the books and whoever follows the carrier's parcels are told through the outbox.
    """

    def leave(batch: Batch, entries: Sequence[_Entry]) -> None:
        numbers = [entry.parcel.number for entry in entries]
        reservations.consume(numbers, kind=MovementKind.SHIPMENT, actor=actor, at=at)
        for entry in entries:
            _leave(batch, entry, handovers[entry.parcel.pk])
        sent = [(entry.work, entry.parcel) for entry in entries]
        bookkeeping.book(batch, sent)
        following.follow(batch, sent)

    return _move(list(handovers), FulfillmentStatus.SHIPPED, leave, actor=actor, at=at)


def deliver(parcel_ids: Sequence[int], *, actor: Actor, at: datetime) -> Moved:
    """Say that the buyers have these parcels."""

    def arrive(batch: Batch, entries: Sequence[_Entry]) -> None:
        for entry in entries:
            entry.parcel.delivered_at = at
            if all(parcel.delivered_at for parcel in entry.work.live_parcels()):
                entry.work.order.delivered_at = at
        _tell(batch, entries, EventKind.DELIVERED)

    return _move(parcel_ids, FulfillmentStatus.DELIVERED, arrive, actor=actor, at=at)


def stop(parcel_ids: Sequence[int], *, reason: str, actor: Actor, at: datetime) -> Moved:
    """Take parcels back from their nodes before they leave; their stock is free again.

    An order that its channel cancelled is cancelled with its last parcel; any other is held, so that a person decides.
    """

    why = say("A parcel was stopped: %(reason)s", reason=reason[:150] or "–")
    to_do = say("Cancel the order, or lift the hold to plan it again.")

    def take_back(batch: Batch, entries: Sequence[_Entry]) -> None:
        _free(batch, entries)
        if actor.kind == "person":  # a node that stopped it knows
            recalling.recall(batch, [entry.parcel for entry in entries], reason=reason)
        for entry in entries:
            told = say("Parcel %(number)s was stopped: %(reason)s",
                       number=entry.parcel.number, reason=reason[:150] or "–")  # fmt: skip
            _after_stop(batch, entry, reason, _Stopped(told, why, to_do))

    return _move(parcel_ids, FulfillmentStatus.CANCELLED, take_back, actor=actor, at=at)


def reject(
    parcel_ids: Sequence[int],
    *,
    reason: str,
    actor: Actor,
    at: datetime,
    outcome: AttemptOutcome = AttemptOutcome.REJECTED,
) -> Moved:
    """Say that nodes will not send parcels they have: other nodes send them, as far as any can.

    The orders do not go to these nodes again by themselves, and the nodes are trusted less for a while.
    """

    def give_away(batch: Batch, entries: Sequence[_Entry]) -> None:
        rerouting.again(batch, [(entry.work, entry.parcel) for entry in entries], Failure(outcome, reason))

    return _move(parcel_ids, FulfillmentStatus.CANCELLED, give_away, actor=actor, at=at, why_not=_why_not_refused)


def stop_unfound(parcel_ids: Sequence[int], *, sku_ids: Collection[int], actor: Actor, at: datetime) -> Moved:
    """Give parcels to other nodes whose nodes cannot find some of their SKUs; those units are oversold by ourselves.

    The whole parcel goes. A case asks for a count at the node, because its books say that the units are there.
    """
    codes = ", ".join(Sku.objects.filter(pk__in=list(sku_ids)).order_by("code").values_list("code", flat=True))[:150]

    def give_away(batch: Batch, entries: Sequence[_Entry]) -> None:
        pairs = [(entry.work, entry.parcel) for entry in entries]
        oversells.note_unfound(batch, pairs, sku_ids)
        batch.troubles.extend(_to_count(entry.parcel, codes) for entry in entries)
        rerouting.again(batch, pairs, Failure(AttemptOutcome.SHORT_PICK, f"not found: {codes}"))

    return _move(parcel_ids, FulfillmentStatus.CANCELLED, give_away, actor=actor, at=at)


def _to_count(parcel: Fulfillment, codes: str) -> cases.Trouble:
    return cases.Trouble(
        kind=COUNT_NEEDED,
        subject=parcel.number,
        why=say("The node did not find %(skus)s of parcel %(number)s.", skus=codes, number=parcel.number),
        suggestion=say("Count the SKU at the node: its books say that the units are there."),
        subject_url=f"/admin/orders/fulfillment/{parcel.pk}/change/",
    )


@atomic_with_retry
def _move(
    parcel_ids: Sequence[int],
    target: FulfillmentStatus,
    effect: Callable[[Batch, Sequence[_Entry]], None],
    *,
    actor: Actor,
    at: datetime,
    why_not: Callable[[_Entry, FulfillmentStatus], Sentence | None] | None = None,
) -> Moved:
    """Lock the parcels' orders, sort out those that may not move, move the others and write."""
    order_ids = Fulfillment.objects.filter(pk__in=list(parcel_ids)).values_list("order_id", flat=True)
    batch = batches.load(set(order_ids), at=at, actor=actor)
    wanted = set(parcel_ids)
    entries = [_Entry(work, parcel) for work in batch.works for parcel in work.parcels if parcel.pk in wanted]
    moved = Moved()
    going = []
    for entry in entries:
        refusal = (why_not or _why_not)(entry, target)
        if refusal:
            moved.refused[entry.parcel.number] = refusal
            continue
        entry.parcel.status = target
        batch.parcel_changed(entry.parcel)
        going.append(entry)
        moved.done.append(entry.parcel.number)
    effect(batch, going)
    batch.write()
    return moved


def _why_not(entry: _Entry, target: FulfillmentStatus) -> Sentence | None:
    if target not in FulfillmentStatus.MOVES[entry.parcel.status]:
        return ONLY_WHEN[target]
    moves_goods_on = target not in (FulfillmentStatus.CANCELLED, FulfillmentStatus.DELIVERED)
    if moves_goods_on and entry.work.holds:
        return say("The order is on hold: lift the hold first.")
    return None


def _why_not_refused(entry: _Entry, target: FulfillmentStatus) -> Sentence | None:
    if entry.parcel.status == FulfillmentStatus.PLANNED:
        return say("No node has the parcel yet.")
    return _why_not(entry, target)


def _tell(batch: Batch, entries: Sequence[_Entry], kind: EventKind) -> None:
    for entry in entries:
        batch.tell(entry.work, kind, say("Parcel %(number)s", number=entry.parcel.number))


def _leave(batch: Batch, entry: _Entry, handover: Handover) -> None:
    work, parcel = entry.work, entry.parcel
    parcel.shipped_at = batch.at
    parcel.carrier_code, parcel.tracking_number = handover.carrier_code, handover.tracking_number
    work.order.shipped_at = work.order.shipped_at or batch.at
    _count_shipped(batch, work)
    batch.node_deeds.append((parcel.node_id, standing.SENT))
    detail = say(
        "Parcel %(number)s with %(carrier)s %(tracking)s",
        number=parcel.number,
        carrier=handover.carrier_code,
        tracking=handover.tracking_number,
    )
    batch.tell(work, EventKind.SHIPPED, detail)
    notice = _notice(work, parcel)
    channel = batch.channels[work.order.channel_id]
    if registry.BY_NAME[channel.adapter].capabilities.ship_confirm:
        batch.drafts.append(
            outbox.Draft(
                channel_id=channel.pk,
                lane=Lane.SHIPMENTS,
                subject=parcel.number,
                key=f"shipment-notice:{parcel.number}",
                message=notice,
            )
        )


def _count_shipped(batch: Batch, work: Work) -> None:
    """A line is shipped as far as its units are in parcels that left; a bundle, when all of its parts have left."""
    wanted = {line.line_number: line for line in work.wanted()}
    left = work.units_in(parcel for parcel in work.live_parcels() if parcel.shipped_at)
    for line in work.live_lines():
        if line.line_number in wanted:
            line.quantity_shipped = demand.whole_units(wanted[line.line_number], batch.parts, left)
            batch.line_changed(line)


def _notice(work: Work, parcel: Fulfillment) -> ShipmentNotice:
    units: dict[str, int] = {}
    for content in work.contents:
        if content.fulfillment is parcel and not content.order_line.promotion_code:  # the channel knows no gift of ours
            line = content.order_line
            units[line.external_id] = min(line.quantity, units.get(line.external_id, 0) + content.quantity)
    return ShipmentNotice(
        order_external_id=work.order.external_id,
        parcel_number=parcel.number,
        carrier_code=parcel.carrier_code,
        tracking_number=parcel.tracking_number,
        shipped_at=parcel.shipped_at or parcel.planned_at,
        lines=tuple(ShippedLine(external_id, quantity) for external_id, quantity in units.items()),
        is_partial=len(work.live_parcels()) > 1,
    )


def _free(batch: Batch, entries: Sequence[_Entry]) -> None:
    reservations.release([entry.parcel.number for entry in entries], at=batch.at)
    allocation.give_room_back([entry.parcel for entry in entries])


def _after_stop(batch: Batch, entry: _Entry, reason: str, stopped: _Stopped) -> None:
    work = entry.work
    allocation.count_allocated(batch, work)
    batch.tell(work, EventKind.CHANGED, stopped.told)
    if work.order.cancelled_at:  # with another parcel of this call
        return
    if HoldKind.CANCEL_REQUESTED in work.holds and not work.is_at_a_node():
        cancellation.apply(batch, work, at=batch.at, reason=reason)
    elif HoldKind.CANCEL_REQUESTED not in work.holds:
        batch.hold(work, HoldKind.MANUAL, stopped.why, stopped.to_do)
