"""Reading which orders wait and may be planned again together, and what they may use. Locks nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from channels import queries as channel_queries
from channels.models import Channel
from inventory.queries import lots, promise
from orders.models import Fulfillment, Order, RoutingDecision
from orders.queries import attempts
from orders.rules.routing.facts import Demand, Item, Situation, Stock
from orders.rules.routing.joining import Candidate
from orders.services import acting, moving, situations
from orders.services import batch as batches
from orders.services.batch import Work
from orders.statuses import FulfillmentStatus, GoodsState

MOST_ORDERS: Final = 4000  # in one round, those that are released soonest


@dataclass(frozen=True)
class Waiting:
    """An order as it was read, with its part of the joint problem."""

    work: Work
    candidate: Candidate
    is_pilot: bool


@dataclass
class Round:
    """What was read for one round."""

    situation: Situation
    stock: Stock
    waiting: dict[str, Waiting] = field(default_factory=dict)  # by the order's number


def read(*, at: datetime) -> Round:
    """Return the waiting orders and what they may use. Locks nothing; the number of queries does not depend on them."""
    orders = list(Order.objects.select_related("customer").filter(pk__in=order_ids(at, MOST_ORDERS)).order_by("pk"))
    works = [work for work in batches.works_of(orders) if moving.may_move(work, at=at)]
    sku_ids = {content.sku_id for work in works for content in work.contents}
    found = Round(situations.read(sku_ids, at=at), promise.promisable(sku_ids))
    serving = channel_queries.nodes_by_channel(work.order.channel_id for work in works)
    tried = attempts.of_orders([work.order.pk for work in works])
    groups = _groups([work.order.pk for work in works])
    needs, acts = lots.needs(sku_ids, timezone.localdate(at)), acting.read()
    codes = dict(Channel.objects.values_list("pk", "code"))
    for work in works:
        order, behind = work.order, tried.get(work.order.pk, attempts.Tried())
        channel = codes[order.channel_id]
        wanted = Demand(
            reference=order.number,
            region=order.region,
            city=order.city,
            items=_items(work),
            nodes=serving.get(order.channel_id),
            channel=channel,
            method=order.method,
            priority=order.priority,
            tier=order.customer.tier if order.customer else "",
            value=float(order.total_amount),
            deliver_by=order.deliver_by,
            refused_by=behind.nodes,
            attempts=behind.count,
        )
        wanted = replace(wanted, lives=needs.lives(channel, wanted.skus))
        policy, is_pilot = acts.of(order.number)
        candidate = Candidate(wanted, policy, groups.get(order.pk, ""), _shares(work))
        found.waiting[order.number] = Waiting(work, candidate, is_pilot)
    return found


def order_ids(at: datetime, limit: int) -> list[int]:
    """Return complete orders with planned parcels: those that are released soonest, then the newest without a time."""
    found = dict.fromkeys(_timed(at).values_list("order_id", flat=True)[: 2 * limit])
    if len(found) < limit:
        untimed = _planned().filter(release_after__isnull=True).order_by("-order_id")
        found |= dict.fromkeys(untimed.values_list("order_id", flat=True)[: 2 * limit])
    return list(found)[:limit]


def is_peak(at: datetime, limit: int) -> bool:
    """Return whether more parcels than this wait for their time; those without one are in no hurry."""
    return len(_timed(at).values_list("pk")[: limit + 1]) > limit


def _planned() -> QuerySet[Fulfillment]:
    return Fulfillment.objects.filter(
        status=FulfillmentStatus.PLANNED, order__cancelled_at__isnull=True, order__goods_state=GoodsState.ALLOCATED
    )


def _timed(at: datetime) -> QuerySet[Fulfillment]:
    return _planned().filter(release_after__gt=at + moving.SAFETY).order_by("release_after", "order_id")


def _groups(order_ids: Sequence[int]) -> dict[int, str]:
    """Return by which group of its policy each order was decided last."""
    newest = RoutingDecision.objects.filter(order__in=order_ids).order_by("order_id", "-pk").distinct("order_id")
    return dict(newest.values_list("order_id", "group"))


def _items(work: Work) -> tuple[Item, ...]:
    return tuple(Item(line, sku_id, units) for (line, sku_id), units in sorted(work.allocated().items()))


def _shares(work: Work) -> dict[int, dict[int, int]]:
    shares: dict[int, dict[int, int]] = {}
    live = {id(parcel) for parcel in work.live_parcels()}
    for content in work.contents:
        if id(content.fulfillment) in live:
            units = shares.setdefault(content.fulfillment.node_id, {})
            units[content.sku_id] = units.get(content.sku_id, 0) + content.quantity
    return shares
