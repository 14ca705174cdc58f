"""Unpaid orders lose their stock when the channel's term has passed; a late payment allocates them again.

Stock that somebody works with stays: under an open hold, or when a node has accepted a parcel, the term goes on.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services.transactions import atomic_with_retry
from inventory.services import reservations
from orders.models import Fulfillment, Order
from orders.services import allocation
from orders.services import batch as batches
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, FulfillmentStatus, MoneyState
from promotions.services import limits

EXPIRY = Actor("job", "expiry")
SHORTEST_EXTENSION = timedelta(minutes=10)


@atomic_with_retry
def expire_unpaid(*, at: datetime, limit: int = 500) -> int:
    """Give back the stock of unpaid orders whose term is over; returns how many orders lost it.

    An order on hold, or with a parcel that a node has accepted, keeps its stock for another term of its channel.
    """
    batch = batches.load(_due(at).values_list("pk", flat=True)[:limit], at=at, actor=EXPIRY)
    batch.works = [work for work in batch.works if _is_due(work, at)]
    kept = [work for work in batch.works if work.holds or work.is_at_a_node()]
    over = [work for work in batch.works if not (work.holds or work.is_at_a_node())]
    _extend(batch, kept)
    limits.release([work.order.number for work in over], at=at)
    allocation.undo(batch, over)
    for work in over:
        work.order.reserved_until = None
        batch.tell(work, EventKind.RESERVATION_EXPIRED)
    batch.write()
    return len(over)


def _due(at: datetime) -> QuerySet[Order]:
    """Return the unpaid orders whose term is over, longest ago first; a held one only if it has stock."""
    parcels = Fulfillment.objects.filter(order=OuterRef("pk")).exclude(status=FulfillmentStatus.CANCELLED)
    return Order.objects.filter(
        Q(open_holds=0) | Exists(parcels),
        money_state=MoneyState.UNPAID,
        reserved_until__lte=at,
        cancelled_at__isnull=True,
    ).order_by("reserved_until")


def _is_due(work: Work, at: datetime) -> bool:
    """Look again under the lock: the order may have been paid or cancelled since it was found."""
    order = work.order
    return (
        order.money_state == MoneyState.UNPAID
        and order.reserved_until is not None
        and order.reserved_until <= at
        and order.cancelled_at is None
    )


def _extend(batch: Batch, works: Sequence[Work]) -> None:
    """Move the end of the orders and of their reservations on by a term; the timeline tells the first time only."""
    parcels: dict[datetime, list[str]] = defaultdict(list)
    for work in works:
        order = work.order
        term = timedelta(minutes=batch.channels[order.channel_id].unpaid_minutes)
        is_first = order.reserved_until is not None and order.reserved_until <= order.placed_at + term
        order.reserved_until = batch.at + max(term, SHORTEST_EXTENSION)
        parcels[order.reserved_until].extend(parcel.number for parcel in work.live_parcels())
        if is_first:
            batch.tell(work, EventKind.ALLOCATED, _why_kept(work))
    for end, numbers in parcels.items():
        reservations.extend(numbers, expires_at=end)


def _why_kept(work: Work) -> Sentence:
    if work.holds:
        return say("The stock stays reserved after the channel's term, because the order is on hold.")
    return say("The stock stays reserved after the channel's term, because a node has accepted the parcel.")
