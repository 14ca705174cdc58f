"""Cancelling before a node has the parcel: the stock goes back at once.

An order of which every line was cancelled is closed, not cancelled for good: a newer view of it may sell lines again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services.transactions import atomic_with_retry
from orders.models import Order
from orders.services import allocation
from orders.services import batch as batches
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, HoldKind, MoneyState
from promotions.services import limits

CLOSED: Final = "no line was left"


@dataclass
class Cancelled:
    """Order numbers that are cancelled now, and why the others are not."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, Sentence] = field(default_factory=dict)


@atomic_with_retry
def cancel(order_ids: Sequence[int], *, reason: str, actor: Actor, at: datetime) -> Cancelled:
    """Cancel orders that no node has yet: reservations are released, parcels and holds closed.

    Orders whose parcel is at a node are refused, each with its reason; the others go through.
    """
    batch = batches.load(order_ids, at=at, actor=actor)
    outcome = Cancelled()
    limits.release([work.order.number for work in batch.works if _why_not(work) is None], at=at)
    for work in batch.works:
        why_not = _why_not(work)
        if why_not:
            outcome.refused[work.order.number] = why_not
        else:
            apply(batch, work, at=at, reason=reason, detail=say("%(reason)s", reason=reason[:200] or "–"))
            outcome.done.append(work.order.number)
    batch.write()
    return outcome


def _why_not(work: Work) -> Sentence | None:
    if work.order.cancelled_at:
        return say("The order is cancelled already.")
    if work.is_at_a_node():
        return say("A node already has the parcel: stop it there first.")
    return None


def apply(batch: Batch, work: Work, *, at: datetime, reason: str = "", detail: Sentence | None = None) -> None:
    """Cancel an order of a batch: planned parcels are undone, holds lifted; no node may have a parcel of it."""
    allocation.undo(batch, [work])
    batch.given_up.append(work.order.number)
    work.order.cancelled_at, work.order.cancel_reason = at, reason[:200]
    work.order.reserved_until = None
    for kind in list(work.holds):
        batch.lift(work, HoldKind(kind))
    batch.tell(work, EventKind.CANCELLED, detail)


def close(batch: Batch, work: Work, *, detail: Sentence) -> None:
    """Cancel an order of which no line is left, until one is; what a person holds it for stays, for then."""
    by_person = work.holds.pop(HoldKind.MANUAL, None)
    apply(batch, work, at=batch.at, reason=CLOSED, detail=detail)
    if by_person:
        work.holds[HoldKind.MANUAL] = by_person


def is_closed(order: Order) -> bool:
    """Return whether an order is cancelled only because none of its lines was left."""
    return order.cancelled_at is not None and order.cancel_reason == CLOSED


def reopen(batch: Batch, work: Work) -> None:
    """Take back that an order was closed; in the same batch nobody hears of it. No node has a parcel of such an order.

    An unpaid one has the term that it would have had.
    """
    order = work.order
    order.cancelled_at, order.cancel_reason = None, ""
    if order.money_state == MoneyState.UNPAID:
        order.reserved_until = order.placed_at + timedelta(minutes=batch.channels[order.channel_id].unpaid_minutes)
    batch.given_up = [number for number in batch.given_up if number != order.number]
    batch.events = [one for one in batch.events if one.order is not order or one.kind != EventKind.CANCELLED]
    work.is_priced = False
    batch.tell(work, EventKind.CHANGED, say("The channel sells lines of this order again."))
