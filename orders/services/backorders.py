"""Backorders: trying again when stock has come."""

from datetime import datetime

from django.db import connection, transaction

from audit.rules.actors import Actor
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
   AND level.on_hand - level.reserved - level.safety_stock > 0
 WHERE orders.status = 'backordered'
 ORDER BY orders.placed_at, orders.id
 LIMIT %s
"""


@transaction.atomic
def retry(*, at: datetime, limit: int = 500) -> int:
    """Allocate backordered orders again, oldest first; returns how many are complete now."""
    with connection.cursor() as cursor:
        cursor.execute(_WORTH_TRYING, [limit])
        order_ids = [order_id for _placed_at, order_id in cursor.fetchall()]
    if not order_ids:
        return 0
    batch = batches.load(order_ids, at=at, actor=BACKORDERS)
    batch.works.sort(key=lambda work: (work.order.placed_at, work.order.pk))
    pipeline.walk(batch)
    batch.write()
    return sum(not work.is_short for work in batch.works)
