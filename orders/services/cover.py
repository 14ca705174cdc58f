"""Working out what units are worth where they lie, from what each region ordered lately and what it has.

One statement adds up what every region wanted in the last four weeks and what its nodes have free; the rule turns that
into days of cover, a shadow price and whether goods should go first. Two hundred thousand levels take seconds.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from inventory.models import Node
from inventory.rules.geography import REGIONS, distance_km, locate
from inventory.services import positions
from inventory.services.positions import Worth
from orders.rules import cover
from orders.rules.cover import Holding, Terms
from orders.rules.routing.costs import FREIGHT_PER_KM
from orders.services import situations
from orders.statuses import DeliveryMethod

SOURCE: Final = "cover"
DAYS: Final = 28
PAGE: Final = 20_000

_HOLDINGS: Final = """
WITH sold AS MATERIALIZED (
    SELECT coalesce(part.part_id, line.sku_id) AS sku_id, orders.region,
           sum(line.quantity * coalesce(part.quantity, 1)) AS units
      FROM orders_order AS orders
      JOIN orders_orderline AS line ON line.order_id = orders.id
      LEFT JOIN inventory_bundlepart AS part ON part.bundle_id = line.sku_id
     WHERE orders.placed_at >= %(since)s AND orders.placed_at < %(at)s
       AND orders.cancelled_at IS NULL AND NOT line.is_cancelled AND line.sku_id IS NOT NULL
     GROUP BY 1, 2
), levels AS MATERIALIZED (
    SELECT level.sku_id, level.node_id, node.region,
           greatest(0, level.on_hand - level.reserved - level.quality_hold - level.safety_stock) AS free
      FROM inventory_stocklevel AS level
      JOIN inventory_node AS node ON node.id = level.node_id AND node.is_active
), regions AS MATERIALIZED (
    SELECT sku_id, region, sum(free) AS free FROM levels GROUP BY 1, 2
), everywhere AS (
    SELECT sku_id, sum(free) AS free FROM regions GROUP BY 1
), wanted AS (
    SELECT sku_id, sum(units) AS units FROM sold GROUP BY 1
)
SELECT levels.sku_id, levels.node_id, levels.region, regions.free, coalesce(sold.units, 0), wanted.units,
       everywhere.free - regions.free, sku.list_price - sku.unit_cost, sku.weight_g
  FROM levels
  JOIN wanted USING (sku_id)
  JOIN regions USING (sku_id, region)
  JOIN everywhere USING (sku_id)
  JOIN inventory_sku AS sku ON sku.id = levels.sku_id
  LEFT JOIN sold ON sold.sku_id = levels.sku_id AND sold.region = levels.region
 WHERE levels.free > 0 OR sold.units > 0
 ORDER BY levels.sku_id, levels.node_id
"""


def refresh(*, at: datetime) -> int:
    """Work out every position anew and forget those that nothing is known of any more; returns how many there are."""
    terms = Terms(replenishment_days=settings.ROUTING_REPLENISHMENT_DAYS, slow_days=settings.ROUTING_SLOW_DAYS)
    more = lru_cache(maxsize=None)(_Freight(at).more)
    count = 0
    with transaction.atomic():
        for page in _pages(at):
            count += positions.write([_worth(row, terms, more) for row in page], source=SOURCE, at=at)
    positions.forget_before(at, source=SOURCE)
    return count


class _Freight:
    """What parcels cost from one region to another at a moment: by tariff, or by distance where none are kept."""

    def __init__(self, at: datetime) -> None:
        self._carriers = situations.carriers(timezone.localdate(at))
        regions = Node.objects.filter(is_active=True).values_list("region", flat=True)
        self._regions = sorted(set(regions) & set(REGIONS))

    def more(self, region: str, kilograms: int) -> float:
        """Return what a parcel of so many kilograms into a region costs more from the cheapest other region."""
        prices = {start: self._to(start, region, kilograms * 1000) for start in self._regions}
        return cover.freight_more(prices, region)

    def _to(self, start: str, region: str, weight_g: int) -> dict[str, float]:
        if not self._carriers:
            return {region: FREIGHT_PER_KM * distance_km(locate(start), locate(region))}
        ways = ((start, region), (start, ""), ("", region), ("", ""))
        offers = next((self._carriers[way] for way in ways if way in self._carriers), ())
        usual = [offer for offer in offers if offer.method == DeliveryMethod.STANDARD] or offers
        return {region: min(cover.price(offer, weight_g) for offer in usual)} if usual else {}


def _pages(at: datetime) -> Iterator[Sequence[Any]]:
    values = {"since": at - timedelta(days=DAYS), "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_HOLDINGS, values)
        while page := cursor.fetchmany(PAGE):
            yield page


def _worth(row: Sequence[Any], terms: Terms, more: Any) -> Worth:
    sku_id, node_id, region, free, sold_here, sold_anywhere, elsewhere, margin, weight_g = row
    holding = Holding(
        free=int(free),
        daily_demand=float(sold_here) / DAYS,
        free_elsewhere=int(elsewhere),
        freight_more=more(region, max(1, -(-weight_g // 1000))),
        margin=max(0.0, float(margin)),
    )
    days = cover.days_of_cover(holding)
    return Worth(
        sku_id=sku_id,
        node_id=node_id,
        daily_demand=round(holding.daily_demand, 4),
        days_of_cover=None if days is None else round(days, 1),
        shadow_price=cover.shadow_price(holding, terms),
        is_markdown=cover.is_slow(holding, float(sold_anywhere), terms),
    )
