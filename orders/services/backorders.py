"""Backorders: trying again when stock has come."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from audit.rules.actors import Actor
from audit.services.transactions import atomic_with_retry
from orders.services import batch as batches
from orders.services import pipeline

BACKORDERS = Actor("job", "backorders")
Place = tuple[bool, int, datetime, int]  # stands behind those whose units have come, minus priority, placed at, id

# Who was promised units of a delivery that has come stands first, then higher priority, then who waits longest. Only
# orders of which some missing SKU (or bundle part) has units somewhere, and which nothing keeps from reserving.
_WORTH_TRYING = """
WITH has_come AS MATERIALIZED (
    SELECT DISTINCT promise.reference
      FROM inventory_supplypromise AS promise
      LEFT JOIN inventory_expectedline AS expected ON expected.id = promise.expected_line_id
      LEFT JOIN inventory_transferline AS moving ON moving.id = promise.transfer_line_id
     WHERE coalesce(expected.quantity_received, moving.quantity_received) > 0
), worth AS (
    SELECT DISTINCT has_come.reference IS NULL AS is_other, -orders.priority AS place, orders.placed_at, orders.id
      FROM orders_order AS orders
      JOIN orders_orderline AS line ON line.order_id = orders.id
       AND line.quantity_allocated < line.quantity AND NOT line.is_cancelled
      LEFT JOIN inventory_bundlepart AS part ON part.bundle_id = line.sku_id
      JOIN inventory_stocklevel AS level ON level.sku_id = coalesce(part.part_id, line.sku_id)
       AND level.on_hand - level.reserved - level.quality_hold - level.safety_stock > 0
      LEFT JOIN has_come ON has_come.reference = orders.number
     WHERE orders.status IN ('backordered', 'on_hold', 'awaiting_payment') AND orders.goods_state = 'backordered'
       AND (orders.money_state = 'paid' OR orders.reserved_until > %(at)s OR orders.open_holds > 0)
       AND NOT EXISTS (SELECT FROM orders_hold AS hold
                        WHERE hold.order_id = orders.id AND hold.lifted_at IS NULL
                          AND hold.kind NOT IN ('channel', 'gift'))
)
SELECT is_other, place, placed_at, id FROM worth
 WHERE (is_other, place, placed_at, id) > (%(is_other)s, %(place)s, %(placed_at)s, %(id)s)
 ORDER BY is_other, place, placed_at, id
 LIMIT %(page)s
"""
_BEFORE_ALL = (False, -(2**15), datetime.min.replace(tzinfo=UTC), 0)


def retry(*, at: datetime, page: int = 500, max_pages: int = 20) -> int:
    """Allocate backordered orders again in the order in which they are served; returns how many are complete now.

    Each page is a transaction of its own, and the walk goes past orders that still lack something, so that orders
    nobody can fill do not starve those behind them.
    """
    complete, after = 0, _BEFORE_ALL
    for _page in range(max_pages):
        found = _next(after, at, page)
        if not found:
            break
        complete += _retry_page([order_id for *_place, order_id in found], at)
        after = found[-1]
    return complete


def _next(after: Place, at: datetime, page: int) -> list[Place]:
    is_other, place, placed_at, order_id = after
    values: dict[str, Any] = {
        "is_other": is_other,
        "place": place,
        "placed_at": placed_at,
        "id": order_id,
        "at": at,
        "page": page,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WORTH_TRYING, values)
        return cursor.fetchall()


@atomic_with_retry
def _retry_page(order_ids: Sequence[int], at: datetime) -> int:
    batch = batches.load(order_ids, at=at, actor=BACKORDERS)
    served = {order_id: number for number, order_id in enumerate(order_ids)}
    batch.works.sort(key=lambda work: served[work.order.pk])
    batch.is_in_turn = True
    pipeline.walk(batch)
    batch.write()
    return sum(not work.is_short for work in batch.works)
