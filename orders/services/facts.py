"""Newer facts about a known order: paid, cancelled, another address, other lines.

Facts overtake each other, so the end must not depend on their order: the newest view of the whole order says what was
ordered and where it goes, also when it comes after the cancel, and paid and cancelled stay true however late they come.
An order that was closed line by line is open again when a newer view sells one of its lines.
Before release the plan is undone and made again; a node that already has the parcel is not overruled: the order is
held and a person decides.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from audit.models import rows
from audit.rules.sentences import say
from channels.messages import Address, IncomingChange, IncomingLine, IncomingOrder
from inventory.rules.geography import find_region
from inventory.services import reservations
from orders.models import Order, OrderLine
from orders.services import allocation, cancellation, checks, pricing
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, HoldKind, MoneyState

NOTHING = Decimal(0)


def set_address(order: Order, address: Address) -> None:
    """Put where and to whom on the order; an unknown province leaves ``region`` empty."""
    order.country = address.country[:2].upper() or "CN"
    order.region = find_region(address.province, address.country) or ""
    order.city, order.district = address.city[:60], address.district[:60]
    order.recipient_name, order.recipient_phone = address.name, address.phone
    order.recipient_address, order.recipient_token = address.line, address.token


def new_line(work: Work, number: int, says: IncomingLine, skus: dict[tuple[int, str], int]) -> OrderLine:
    """Build one order line; its SKU stays empty when nobody knows the channel's code."""
    return rows.new(
        OrderLine,
        order=work.order,
        line_number=number,
        external_id=says.external_id,
        external_sku=says.sku_code,
        sku_id=skus.get((work.order.channel_id, says.sku_code)),
        title=says.title,
        quantity=says.quantity,
        unit_price=says.unit_price,
        discount_amount=says.discount,
        is_cancelled=says.is_cancelled,
    )


def apply_order(batch: Batch, work: Work, says: IncomingOrder, skus: dict[tuple[int, str], int]) -> None:
    """Bring an order up to the channel's newer view of it."""
    order = work.order
    order.revision, order.seller_note = says.revision, says.seller_note
    _note(order, says.buyer_note, says.revision)
    if says.paid_at:
        _pay(batch, work, says.paid_at)
    if order.paid_at:  # how much that is, this view may tell although a change told it first
        note_paid_amount(batch, work, says.paid_amount)
    order.shipping_amount, order.ship_by = says.shipping_amount, says.ship_by or order.ship_by
    order.deliver_by = order.deliver_by or says.deliver_by  # a promise is never moved
    if not (says.cancelled_at and work.is_at_a_node()):
        _change_lines(batch, work, lines_of(says), skus)
        if not says.cancelled_at or find_region(says.address.province, says.address.country):  # masked when it is over
            _change_address(batch, work, says.address, says.revision)
    if _is_over(batch, work, says):
        return
    checks.check(batch, work)
    checks.wait_if_sent_elsewhere(batch, work, says.shipped_at)
    if says.must_not_ship:
        checks.wait_for_channel(batch, work, says.must_not_ship)
    else:
        batch.lift(work, HoldKind.CHANNEL)


def _is_over(batch: Batch, work: Work, says: IncomingOrder) -> bool:
    """Cancel, close or open the order as its newest view says; returns whether it does not go on."""
    if says.cancelled_at:
        _cancel(batch, work, says.cancelled_at, says.cancel_reason)
        return True
    if cancellation.is_closed(work.order) and work.sold_lines():
        cancellation.reopen(batch, work)
    return work.order.cancelled_at is not None or cancel_if_empty(batch, work)


def lines_of(says: IncomingOrder) -> tuple[IncomingLine, ...]:
    """Return a view's lines; those that were all cancelled with their order keep telling what it was about."""
    if says.cancelled_at and all(line.is_cancelled for line in says.lines):
        return tuple(replace(line, is_cancelled=False) for line in says.lines)
    return says.lines


def apply_change(batch: Batch, work: Work, says: IncomingChange) -> None:
    """Apply what a change message tells.

    Paid and cancelled stay true however late they come. An address and a note each hold until something newer is said
    about them; none of the four keeps a late view of the whole order out.
    """
    order = work.order
    if says.paid_at:
        _pay(batch, work, says.paid_at)
    if says.buyer_note is not None:
        _note(order, says.buyer_note, says.revision)
    if says.address:
        _change_address(batch, work, says.address, says.revision)
        if order.cancelled_at is None:
            checks.check(batch, work)
    if says.cancelled_at:
        _cancel(batch, work, says.cancelled_at, says.cancel_reason)


def is_old_news(order: Order, says: IncomingChange) -> bool:
    """Return whether something newer is known about everything that this change tells."""
    if says.paid_at or says.cancelled_at:
        return False
    newer_address = says.address is None or says.revision < order.address_revision
    return newer_address and (says.buyer_note is None or says.revision < order.note_revision)


def cancel_if_empty(batch: Batch, work: Work) -> bool:
    """Close an order of which every line was cancelled; returns whether it was."""
    if work.sold_lines() or work.is_at_a_node():
        return False
    cancellation.close(batch, work, detail=say("Every line was cancelled on the channel."))
    return True


def _note(order: Order, note: str, revision: int) -> None:
    if revision >= order.note_revision:
        order.buyer_note, order.note_revision = note, revision


def note_paid_amount(batch: Batch, work: Work, told: Decimal | None) -> None:
    """Keep what the channel was paid; when it does not tell, that is all it costs as soon as the order is priced."""
    if told is not None:
        work.is_paid_in_full, work.order.paid_amount = False, told
        return
    everything = pricing.with_refunded(batch, work)
    work.is_paid_in_full = work.is_paid_in_full or work.order.paid_amount in (0, everything)
    if work.is_paid_in_full:
        work.order.paid_amount = everything


def _pay(batch: Batch, work: Work, paid_at: datetime) -> None:
    order = work.order
    if order.paid_at:
        return
    channel = batch.channels[order.channel_id]
    if order.reserved_until is None and not work.is_new:  # its term was over and it gave back what it had
        work.is_priced = False
    batch.paid.append(order.number)
    order.money_state, order.paid_at, order.reserved_until = MoneyState.PAID, paid_at, None
    note_paid_amount(batch, work, None)
    order.ship_by = order.ship_by or paid_at + timedelta(hours=channel.ship_within_hours)
    reservations.extend([parcel.number for parcel in work.live_parcels()], expires_at=None)
    batch.tell(work, EventKind.PAID)


def _cancel(batch: Batch, work: Work, cancelled_at: datetime, reason: str) -> None:
    if work.order.cancelled_at and not cancellation.is_closed(work.order):
        return
    if work.is_at_a_node():
        batch.hold(
            work,
            HoldKind.CANCEL_REQUESTED,
            say("The channel cancelled the order, but a node already has the parcel."),
            say("Stop the parcel at the node, or let it go and expect it back."),
        )
        return
    detail = say("Cancelled on the channel: %(reason)s", reason=reason[:200] or "–")
    cancellation.apply(batch, work, at=cancelled_at, reason=reason, detail=detail)


def _change_address(batch: Batch, work: Work, address: Address, revision: int) -> None:
    order = work.order
    if revision < order.address_revision:
        return
    order.address_revision = revision
    before = _where(work)
    set_address(order, address)
    if _where(work) == before:
        return
    if work.is_at_a_node():
        _changed_too_late(batch, work)
    elif _where(work)[:2] != before[:2]:
        allocation.undo(batch, [work])
    batch.tell(work, EventKind.CHANGED, say("The address changed."))


def _where(work: Work) -> tuple[str, str, str, str, str, str]:
    order = work.order
    return (
        order.region, order.city, order.district, order.recipient_address, order.recipient_name, order.recipient_phone
    )  # fmt: skip


def _change_lines(batch: Batch, work: Work, says: tuple[IncomingLine, ...], skus: dict[tuple[int, str], int]) -> None:
    """Take over quantities, added, cancelled and vanished lines; undo the plan when units changed."""
    known = {line.external_id: line for line in work.lines}
    units_before = [(line.external_id, line.quantity, line.is_cancelled, line.sku_id) for line in work.lines]
    vanished = [line for line in work.sold_lines() if line.external_id not in {told.external_id for told in says}]
    if work.is_at_a_node():
        if vanished or any(_differs(known.get(line.external_id), line) for line in says):
            _changed_too_late(batch, work)
        return
    for gone in vanished:
        gone.is_cancelled = True
        batch.line_changed(gone)
    for line in says:
        if line.external_id in known:
            _update_line(batch, known[line.external_id], line, skus.get((work.order.channel_id, line.sku_code)))
        else:
            fresh = new_line(work, max((other.line_number for other in work.lines), default=0) + 1, line, skus)
            work.lines.append(fresh)
            if not work.is_new:  # a new order brings its lines along
                batch.new_lines.append(fresh)
    if units_before != [(line.external_id, line.quantity, line.is_cancelled, line.sku_id) for line in work.lines]:
        allocation.undo(batch, [work])
        batch.tell(work, EventKind.CHANGED, say("The lines changed."))
    work.is_priced = False


def _differs(known: OrderLine | None, says: IncomingLine) -> bool:
    return known is None or (known.quantity, known.is_cancelled) != (says.quantity, says.is_cancelled)


def _update_line(batch: Batch, line: OrderLine, says: IncomingLine, sku_id: int | None) -> None:
    if says.quantity != line.quantity:
        line.quantity_allocated = 0
    line.quantity, line.unit_price, line.discount_amount = says.quantity, says.unit_price, says.discount
    line.promotion_amount = NOTHING  # granted again when the order is priced
    line.is_cancelled, line.sku_id = says.is_cancelled, line.sku_id or sku_id
    batch.line_changed(line)


def _changed_too_late(batch: Batch, work: Work) -> None:
    batch.hold(
        work,
        HoldKind.CHANGED,
        say("The channel changed the order after a node had the parcel."),
        say("Ask the node to change or stop the parcel, then lift the hold."),
    )
