"""Backorders: trying again when stock has come."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection

from audit.rules.actors import Actor
from audit.services.transactions import atomic_with_retry
from orders.services import batch as batches
from orders.services import pipeline

BACKORDERS = Actor("job", "backorders")

# Oldest first; only orders of which some missing SKU (or bundle part) has units somewhere.
_WORTH_TRYING = """
SELECT DISTINCT orders.placed_at, orders.id
  FROM orders_order AS orders
  JOIN orders_orderline AS line ON line.order_id = orders.id
   AND line.quantity_allocated < line.quantity AND NOT line.is_cancelled
  LEFT JOIN inventory_bundlepart AS part ON part.bundle_id = line.sku_id
  JOIN inventory_stocklevel AS level ON level.sku_id = coalesce(part.part_id, line.sku_id)
   AND level.on_hand - level.reserved - level.quality_hold - level.safety_stock > 0
 WHERE orders.status = 'backordered' AND (orders.placed_at, orders.id) > (%s, %s)
 ORDER BY orders.placed_at, orders.id
 LIMIT %s
"""


def retry(*, at: datetime, page: int = 500, max_pages: int = 20) -> int:
    """Allocate backordered orders again, oldest first; returns how many are complete now.

    Each page is a transaction of its own, and the walk goes past orders that still lack something, so that old orders
    nobody can fill do not starve younger ones.
    """
    complete, after = 0, (datetime.min.replace(tzinfo=UTC), 0)
    for _page in range(max_pages):
        with connection.cursor() as cursor:
            cursor.execute(_WORTH_TRYING, [*after, page])
            found = cursor.fetchall()
        if not found:
            break
        complete += _retry_page([order_id for _placed_at, order_id in found], at)
        after = found[-1]
    return complete


@atomic_with_retry
def _retry_page(order_ids: Sequence[int], at: datetime) -> int:
    batch = batches.load(order_ids, at=at, actor=BACKORDERS)
    batch.works.sort(key=lambda work: (work.order.placed_at, work.order.pk))
    pipeline.walk(batch)
    batch.write()
    return sum(not work.is_short for work in batch.works)
