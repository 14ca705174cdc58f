"""Unpaid orders lose their stock when the channel's term has passed; a late payment allocates them again."""

from datetime import datetime

from audit.rules.actors import Actor
from audit.services.transactions import atomic_with_retry
from orders.models import Order
from orders.services import allocation
from orders.services import batch as batches
from orders.services.batch import Work
from orders.statuses import EventKind, MoneyState

EXPIRY = Actor("job", "expiry")


@atomic_with_retry
def expire_unpaid(*, at: datetime, limit: int = 500) -> int:
    """Give back the stock of unpaid orders whose term is over; returns how many orders lost it.

    An order on hold keeps its stock: somebody is looking at it.
    """
    due = Order.objects.filter(
        money_state=MoneyState.UNPAID, reserved_until__lte=at, open_holds=0, cancelled_at__isnull=True
    ).order_by("reserved_until")
    batch = batches.load(due.values_list("pk", flat=True)[:limit], at=at, actor=EXPIRY)
    batch.works = [work for work in batch.works if _is_due(work, at)]
    allocation.undo(batch, batch.works)
    for work in batch.works:
        work.order.reserved_until = None
        batch.tell(work, EventKind.RESERVATION_EXPIRED)
    batch.write()
    return len(batch.works)


def _is_due(work: Work, at: datetime) -> bool:
    """Look again under the lock: the order may have been paid, cancelled or held since it was found."""
    order = work.order
    return (
        order.money_state == MoneyState.UNPAID
        and order.reserved_until is not None
        and order.reserved_until <= at
        and order.cancelled_at is None
        and not work.holds
    )
