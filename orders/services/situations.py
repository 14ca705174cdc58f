"""Reading the moment that routing decides on: nodes, tariffs and lanes, what is disrupted, what lies where.

A handful of queries, whatever the number of orders. Tariffs and learned lanes are kept per process until a row of
theirs changes, which one query tells; the work that waits at nodes, a soft figure, is counted every few seconds.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Count, F, FilteredRelation, Q
from django.utils import timezone

from inventory.models import Node, Sku, StockPosition
from inventory.rules.geography import MAINLAND
from orders.models import CarrierLane, FreightTariff, Fulfillment
from orders.models import Disruption as DisruptionRow
from orders.rules import standing
from orders.rules.routing.facts import ANYWHERE, CarrierOption, Disruption, Goods, NodeFacts, Position, Situation
from orders.statuses import FulfillmentStatus

Carriers = Mapping[tuple[str, str], tuple[CarrierOption, ...]]
Way = tuple[str, str]  # from region, to region
Offer = tuple[str, str]  # carrier, method
BACKLOG_SECONDS: Final = 5.0
# Every insert, update and delete changes a row's place or writer. Each table is a few thousand rows.
_STAMP: Final = """
SELECT count(*), sum(hashtext(ctid::text || xmin::text)) FROM orders_freighttariff
UNION ALL
SELECT count(*), sum(hashtext(ctid::text || xmin::text)) FROM orders_carrierlane
"""


@dataclass
class _Kept:
    """What a process remembers between two rounds."""

    stamp: tuple[Any, ...] = ()
    carriers: Carriers = field(default_factory=dict)
    counted_at: float = 0.0
    counted_of: tuple[int, ...] = ()
    backlog: Mapping[int, int] = field(default_factory=dict)


_kept: Final = _Kept()


def read(sku_ids: Collection[int], *, at: datetime) -> Situation:
    """Return everything that moves, at this moment, as far as orders for these SKUs need it. Locks nothing.

    Seven queries at most while tariffs stay as they are; two more after they changed.
    """
    return Situation(
        at=at,
        nodes=_nodes(at),
        goods=_goods(sku_ids),
        carriers=carriers(timezone.localdate(at)),
        disruptions=disruptions(at),
        positions=_positions(sku_ids),
    )


def forget() -> None:
    """Count the work that waits at nodes anew the next time, although a few seconds have not passed."""
    _kept.counted_at = 0.0


def carriers(day: date) -> Carriers:
    """Return what carriers offer on a day: by pair of regions, with learned hours where there are any."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP)
        stamp = (day, *cursor.fetchall())
    if stamp != _kept.stamp:
        _kept.carriers, _kept.stamp = _carriers(day), stamp
    return _kept.carriers


def disruptions(at: datetime) -> tuple[Disruption, ...]:
    """Return the disruptions in force at a moment: one query, two when there are any."""
    rows = DisruptionRow.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), starts_at__lte=at)
    return tuple(
        Disruption(
            code=row.code,
            name=row.name,
            effect=row.effect,
            from_regions=frozenset(row.from_regions),
            to_regions=frozenset(row.to_regions),
            node_ids=frozenset(node.pk for node in row.nodes.all()),
            carrier_code=row.carrier_code,
            delay_hours=row.delay_hours,
        )
        for row in rows.prefetch_related("nodes").order_by("code")
    )


def _nodes(at: datetime) -> tuple[NodeFacts, ...]:
    today = FilteredRelation("nodeday", condition=Q(nodeday__day_date=timezone.localdate(at)))
    rows = list(
        Node.objects.annotate(
            today=today, room=F("today__capacity") - F("today__used"), score=F("standing__score"),
            scored_at=F("standing__changed_at"),
        ).order_by("code")
    )  # fmt: skip
    backlog = _backlog(tuple(sorted(row.pk for row in rows)))
    return tuple(_node(row, at, backlog.get(row.pk, 0)) for row in rows)


def _node(row: Any, at: datetime, backlog: int) -> NodeFacts:
    return NodeFacts(
        node_id=row.pk,
        code=row.code,
        region=row.region,
        latitude=row.latitude,
        longitude=row.longitude,
        serves=frozenset(row.serves) or MAINLAND,
        is_active=row.is_active,
        parcels_left=row.parcels_per_day if row.room is None else row.room,
        kind=row.kind,
        city=row.city,
        groups=frozenset(row.groups),
        capabilities=frozenset(row.capabilities),
        cut_off_minute=None if row.cut_off is None else row.cut_off.hour * 60 + row.cut_off.minute,
        parcels_per_hour=row.parcels_per_hour,
        backlog=backlog,
        is_down=row.down_until is not None and row.down_until > at,
        pick_cost=float(row.pick_cost),
        standing=1.0 if row.score is None else round(standing.recovered(row.score, row.scored_at, at), 4),
    )


def _backlog(node_ids: tuple[int, ...]) -> Mapping[int, int]:
    """Return the open parcels per node, counted once in a few seconds."""
    now = time.monotonic()
    if node_ids != _kept.counted_of or now - _kept.counted_at > BACKLOG_SECONDS:
        # order_by() without columns: the count is an index-only scan per node
        waiting = Fulfillment.objects.filter(node__in=node_ids, status__in=FulfillmentStatus.OPEN).order_by()
        _kept.backlog = dict(waiting.values_list("node_id").annotate(Count("pk")))
        _kept.counted_of, _kept.counted_at = node_ids, now
    return _kept.backlog


def _goods(sku_ids: Collection[int]) -> dict[int, Goods]:
    rows = Sku.objects.filter(pk__in=sku_ids).values_list("pk", "weight_g", "needs", "not_to")
    return {pk: Goods(weight, frozenset(needs), frozenset(not_to)) for pk, weight, needs, not_to in rows.order_by("pk")}


def _positions(sku_ids: Collection[int]) -> dict[tuple[int, int], Position]:
    rows = StockPosition.objects.filter(Q(shadow_price__gt=0) | Q(is_markdown=True), sku__in=sku_ids)
    told = rows.order_by("sku_id", "node_id").values_list("sku_id", "node_id", "shadow_price", "is_markdown")
    return {(sku, node): Position(float(price), is_markdown) for sku, node, price, is_markdown in told}


def _carriers(day: date) -> Carriers:
    """Lay learned hours over tariffs: a wide tariff has an entry of its own where its carrier's lane was learned."""
    tariffs = _tariffs(day)
    learned: dict[Way, dict[str, CarrierLane]] = {}
    for lane in CarrierLane.objects.order_by("pk"):
        learned.setdefault((lane.from_region, lane.to_region), {})[lane.carrier_code] = lane
    offers = {way: dict(own) for way, own in tariffs.items()}
    for way, lanes in learned.items():
        there = {key: tariff for key, tariff in _offers(tariffs, way).items() if key[0] in lanes}
        if there:
            offers[way] = there | offers.get(way, {})
    return {
        way: tuple(
            _option(tariff, learned.get(way, {}).get(carrier))
            for (carrier, _method), tariff in sorted(own.items(), key=_key)
        )
        for way, own in sorted(offers.items())
    }


def _tariffs(day: date) -> dict[Way, dict[Offer, FreightTariff]]:
    """Return the tariffs of a day by pair of regions, then by carrier and method; the newest one holds."""
    rows = FreightTariff.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=day), is_active=True, valid_from__lte=day
    )
    tariffs: dict[Way, dict[Offer, FreightTariff]] = {}
    for row in rows.order_by("carrier_code", "method", "valid_from", "pk"):
        tariffs.setdefault((row.from_region, row.to_region), {})[row.carrier_code, row.method] = row
    return tariffs


def _offers(tariffs: Mapping[Way, Mapping[Offer, FreightTariff]], way: Way) -> dict[Offer, FreightTariff]:
    """Return every carrier's narrowest tariff for a pair of regions: both named, then from, then to, then neither."""
    here, there = way
    offers: dict[Offer, FreightTariff] = {}
    for wider in ((ANYWHERE, ANYWHERE), (ANYWHERE, there), (here, ANYWHERE), (here, there)):
        offers.update(tariffs.get(wider, {}))
    return offers


def _key(offer: tuple[Offer, FreightTariff]) -> Offer:
    return offer[0]


def _option(tariff: FreightTariff, lane: CarrierLane | None) -> CarrierOption:
    """Return what the carrier asks, with the hours its parcels really took, or else those it says."""
    if lane is not None and tariff.method == "standard":
        p50, p90, late = lane.hours_p50, lane.hours_p90, lane.late_share
    else:
        p50, p90, late = (tariff.hours_min + tariff.hours_max) / 2, float(tariff.hours_max), 0.0
    return CarrierOption(
        code=tariff.carrier_code,
        first_g=tariff.first_g,
        first_price=float(tariff.first_price),
        step_g=tariff.step_g,
        step_price=float(tariff.step_price),
        hours_p50=p50,
        hours_p90=p90,
        late_share=late,
        method=tariff.method,
    )
