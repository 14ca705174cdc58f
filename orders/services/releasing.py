"""Releasing what has waited long enough for a better plan.

Parcels of a group with ``wait_minutes`` stay planned so long; then the whole order goes to its nodes. Orders on hold,
unpaid or short are left alone: they go on when that ends.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from audit.rules.actors import Actor
from audit.services.transactions import atomic_with_retry
from orders.models import Fulfillment
from orders.services import batch as batches
from orders.services import pipeline
from orders.statuses import FulfillmentStatus, GoodsState, MoneyState

RELEASES = Actor("job", "releases")
Place = tuple[datetime, int]  # release after, parcel id


def release_due(*, at: datetime, page: int = 200, max_pages: int = 50) -> int:
    """Release the orders whose parcels need not wait any longer, the longest waiting first; returns how many parcels.

    Each page is a transaction of its own. Safe to run twice, and beside the optimiser: orders are locked, and what was
    moved or released meanwhile is seen as it is then.
    """
    released, after = 0, None
    for _page in range(max_pages):
        found = _next(after, at, page)
        if not found:
            break
        released += _release_page(sorted({order_id for _until, _pk, order_id in found}), at)
        after = found[-1][:2]
    return released


def _next(after: Place | None, at: datetime, page: int) -> list[tuple[datetime, int, int]]:
    due = Fulfillment.objects.filter(
        status=FulfillmentStatus.PLANNED,
        release_after__lte=at,
        order__goods_state=GoodsState.ALLOCATED,
        order__money_state=MoneyState.PAID,
        order__open_holds=0,
    )
    if after is not None:
        due = due.filter(Q(release_after__gt=after[0]) | Q(release_after=after[0], pk__gt=after[1]))
    rows = due.order_by("release_after", "pk").values_list("release_after", "pk", "order_id")[:page]
    return [(until, pk, order_id) for until, pk, order_id in rows if until is not None]


@atomic_with_retry
def _release_page(order_ids: Sequence[int], at: datetime) -> int:
    batch = batches.load(order_ids, at=at, actor=RELEASES)
    before = {id(parcel) for work in batch.works for parcel in work.parcels if parcel.released_at}
    pipeline.walk(batch)
    batch.write()
    return sum(
        parcel.released_at is not None and id(parcel) not in before for work in batch.works for parcel in work.parcels
    )
