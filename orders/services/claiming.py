"""The claim window: a parcel that its node does not begin in time goes to another node.

``release`` sets ``claim_by`` for nodes that have minutes to begin; this is the other end of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from audit.rules.actors import Actor
from orders.models import Fulfillment
from orders.services import rerouting
from orders.services.rerouting import Failure
from orders.statuses import AttemptOutcome, FulfillmentStatus

CLOCK: Final = Actor("job", "claims")


def claim_back(*, at: datetime, limit: int = 2000) -> int:
    """Give parcels that their nodes did not begin in time to others; returns how many were taken back.

    A node cannot begin a parcel of an order on hold, so its time starts again.
    """
    waiting = Fulfillment.objects.filter(status=FulfillmentStatus.RELEASED, claim_by__lte=at)
    rows = list(waiting.order_by("claim_by", "pk").values_list("pk", "order_id", "order__open_holds")[:limit])
    _begin_again([pk for pk, _order, open_holds in rows if open_holds], at)
    late = [(pk, order_id) for pk, order_id, open_holds in rows if not open_holds]
    failure = Failure(AttemptOutcome.TIMED_OUT, "not begun in time")

    def is_late(parcel: Fulfillment) -> bool:
        return parcel.status == FulfillmentStatus.RELEASED and parcel.claim_by is not None and parcel.claim_by <= at

    return rerouting.in_pieces(late, failure, actor=CLOCK, at=at, still=is_late)


def _begin_again(parcel_ids: Sequence[int], at: datetime) -> None:
    """Start the nodes' time anew for parcels of orders on hold."""
    if not parcel_ids:
        return
    for minutes, ids in _by_minutes(parcel_ids).items():
        later = at + timedelta(minutes=minutes)
        Fulfillment.objects.filter(pk__in=ids, status=FulfillmentStatus.RELEASED).update(claim_by=later)


def _by_minutes(parcel_ids: Sequence[int]) -> dict[int, list[int]]:
    by_minutes: dict[int, list[int]] = {}
    for pk, minutes in Fulfillment.objects.filter(pk__in=parcel_ids).values_list("pk", "node__claim_minutes"):
        by_minutes.setdefault(minutes or 60, []).append(pk)
    return by_minutes
