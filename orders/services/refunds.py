"""Refunds as their channels tell them, in whatever order the facts come.

Of a refund the newest view counts, and money that went back stays back however late that is told. An open refund stops
an order that has not left; one that was paid out before the goods left cancels what it is about. After the goods have
left it is kept and told on the timeline only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from audit.rules.sentences import Sentence, say
from channels.messages import IncomingOrder, IncomingRefund, RefundState
from channels.rules import texts
from orders.models import OrderLine, Refund
from orders.services import allocation, cancellation
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, HoldKind, RefundStatus

STOPS = RefundStatus.STOPS
TOLD: Mapping[RefundState, Sentence] = {
    RefundState.ASKED: say("The buyer asked for a refund."),
    RefundState.AGREED: say("A refund was agreed; the money is not back yet."),
}


def load(works: Iterable[Work]) -> None:
    """Put what is known of refunds on these known orders: one query for all."""
    known = {work.order.pk: work for work in works}
    for refund in Refund.objects.filter(order__in=known).order_by("order_id", "external_id") if known else ():
        known[refund.order_id].refunds[refund.external_id] = refund


def is_old_news(work: Work, says: IncomingRefund) -> bool:
    """Return whether something newer, or something final, is known of this refund."""
    known = work.refunds.get(says.refund_id)
    if known is None:
        return False
    if (says.state == RefundState.REFUNDED) != (known.status == RefundStatus.REFUNDED):
        return known.status == RefundStatus.REFUNDED
    return says.revision <= known.revision


def without_refunded(work: Work, says: IncomingOrder) -> IncomingOrder:
    """Return a channel's view of an order with the lines cancelled that were paid back: some channels list them on."""
    gone = {line.external_id for line in paid_back_lines(work)}
    if not gone:
        return says
    return replace(says, lines=tuple(replace(x, is_cancelled=True) if x.external_id in gone else x for x in says.lines))


def paid_back_lines(work: Work) -> list[OrderLine]:
    """Return the cancelled lines of which refunds paid back all units."""
    paid_back = [refund for refund in work.refunds.values() if refund.status == RefundStatus.REFUNDED]
    return [line for line in _named_lines(work, paid_back) if line.is_cancelled] if paid_back else []


def apply(batch: Batch, work: Work, says: IncomingRefund) -> None:
    """Take over what a channel says of a refund that is news, and do with the order what follows from it."""
    refund = work.refunds.get(says.refund_id)
    before = refund.status if refund else None
    if refund is None:
        refund = Refund(order=work.order, external_id=texts.fit(says.refund_id), received_at=batch.at)
        work.refunds[says.refund_id] = refund
    refund.revision, refund.status = says.revision, RefundStatus(says.state.value)
    refund.amount, refund.currency = max(says.amount, Decimal(0)), says.currency
    refund.lines = [{"line": line.external_line_id, "quantity": line.quantity} for line in says.lines]
    refund.reason, refund.goods_come_back = texts.fit(says.reason)[:200], says.goods_come_back
    refund.asked_at = says.asked_at or refund.asked_at
    if says.state == RefundState.REFUNDED:
        refund.refunded_at = refund.refunded_at or batch.at
    batch.refunds.append(refund)
    if refund.status != before:
        _tell(batch, work, refund)
    settle(batch, work)
    if refund.status == RefundStatus.REFUNDED != before:
        _ask_about_parts(batch, work, refund)


def settle(batch: Batch, work: Work) -> None:
    """Make the order what its refunds say: stopped, or without what was paid back; safe to run again."""
    if not work.refunds or work.order.cancelled_at:
        return
    _cancel_refunded(batch, work)
    if work.order.cancelled_at:
        return
    waiting = [refund for refund in work.refunds.values() if refund.status in STOPS]
    if waiting and not _has_left(work):
        state = RefundState(min(waiting, key=lambda refund: refund.status == RefundStatus.AGREED).status)
        to_do = say("Wait: the hold ends when the channel says so. Stop the parcel if a node already has it.")
        batch.hold(work, HoldKind.REFUND, TOLD[state], to_do)
    elif not waiting and HoldKind.REFUND in work.holds and not _is_in_part(work):
        batch.lift(work, HoldKind.REFUND)


def _cancel_refunded(batch: Batch, work: Work) -> None:
    """Cancel the lines that were paid back and have not left, or the order when all of it was paid back."""
    paid_back = [refund for refund in work.refunds.values() if refund.status == RefundStatus.REFUNDED]
    sent = _sent_lines(work)
    gone = [line for line in _named_lines(work, paid_back) if line.line_number not in sent and not line.is_cancelled]
    for line in gone:
        line.is_cancelled, work.is_priced = True, False
        batch.line_changed(line)
    is_all = _is_all(work, paid_back) and not sent
    is_empty = not work.sold_lines() or is_all
    if not gone and not is_empty:
        return
    shown = gone or work.lines
    why = say("Refunded before it was sent: %(lines)s.", lines=", ".join(line.title[:40] for line in shown)[:150])
    if work.is_at_a_node():
        _too_late(batch, work, why, is_empty=is_empty)
    elif is_all:
        cancellation.apply(batch, work, at=batch.at, reason="refunded", detail=why)
    elif is_empty:
        cancellation.close(batch, work, detail=why)
    else:
        allocation.undo(batch, [work])
        batch.tell(work, EventKind.CHANGED, why)


def _too_late(batch: Batch, work: Work, why: Sentence, *, is_empty: bool) -> None:
    """Hold an order of which a node has a parcel that must not leave as it is."""
    if not is_empty:
        to_do = say("Ask the node to change or stop the parcel, then lift the hold.")
        batch.hold(work, HoldKind.CHANGED, why, to_do)
    else:
        to_do = say("Stop the parcel at the node, or let it go and expect it back.")
        batch.hold(work, HoldKind.CANCEL_REQUESTED, why, to_do)


def _named_lines(work: Work, paid_back: Sequence[Refund]) -> list[OrderLine]:
    """Return the lines of which all units were paid back by refunds that name them."""
    units: dict[str, int] = {}
    sizes = {line.external_id: line.quantity for line in work.lines}
    for refund in paid_back:
        for told in refund.lines:
            whole = sizes.get(told["line"], 0)
            units[told["line"]] = units.get(told["line"], 0) + (whole if told["quantity"] is None else told["quantity"])
    return [line for line in work.lines if units.get(line.external_id, 0) >= line.quantity]


def _is_all(work: Work, paid_back: Sequence[Refund]) -> bool:
    """Return whether a refund of the whole order was paid out and the money that went back is all there was."""
    if not any(not refund.lines for refund in paid_back):
        return False
    named = {told["line"] for refund in paid_back for told in refund.lines}
    counted = [line for line in work.lines if not line.is_cancelled or line.external_id in named]
    goods = sum((line.quantity * line.unit_price - line.discount_amount for line in counted), Decimal(0))
    paid = work.order.paid_amount
    return sum((refund.amount for refund in paid_back), Decimal(0)) >= (min(goods, paid) if paid else goods)


def ask_again(batch: Batch, work: Work) -> None:
    """Ask about refunds of some units once more: an order that was closed and is open again has lost the question."""
    for refund in work.refunds.values():
        _ask_about_parts(batch, work, refund)


def _ask_about_parts(batch: Batch, work: Work, refund: Refund) -> None:
    """Stop an order of which some units of a line, and not all, were paid back: which to send, a person says."""
    if work.order.cancelled_at or _has_left(work) or not _is_in_part(work, [refund]):
        return
    why = say("Refund %(number)s is about some units of a line, not all.", number=refund.external_id)
    to_do = say("Cancel the order or agree with the buyer what is sent, then lift the hold.")
    batch.hold(work, HoldKind.REFUND, why, to_do)


def _is_in_part(work: Work, refunds: Sequence[Refund] | None = None) -> bool:
    chosen = list(work.refunds.values()) if refunds is None else refunds
    live = {line.external_id for line in work.live_lines()}
    return any(
        refund.status == RefundStatus.REFUNDED and any(told["line"] in live for told in refund.lines)
        for refund in chosen
    )


def _has_left(work: Work) -> bool:
    """Return whether everything of the order is on its way: then nothing can be stopped."""
    parcels = work.live_parcels()
    units = sum(line.quantity_allocated for line in work.live_lines())
    complete = units >= sum(line.quantity for line in work.live_lines())
    return bool(parcels) and complete and all(parcel.shipped_at for parcel in parcels)


def _sent_lines(work: Work) -> set[int]:
    return {number for number, _sku in work.units_in(parcel for parcel in work.parcels if parcel.shipped_at)}


def _tell(batch: Batch, work: Work, refund: Refund) -> None:
    told = {"number": refund.external_id, "amount": str(refund.amount), "currency": refund.currency}
    if refund.status == RefundStatus.REFUNDED:
        batch.tell(work, EventKind.REFUNDED, say("Refund %(number)s: %(amount)s %(currency)s went back.", **told))
    elif refund.status == RefundStatus.CLOSED:
        batch.tell(work, EventKind.CHANGED, say("Refund %(number)s was withdrawn or refused.", **told))
    elif refund.status == RefundStatus.AGREED:
        batch.tell(work, EventKind.CHANGED, say("Refund %(number)s: %(amount)s %(currency)s was agreed.", **told))
    else:
        batch.tell(work, EventKind.CHANGED, say("Refund %(number)s: %(amount)s %(currency)s was asked for.", **told))
