"""What is known about units that were missing: what the channel was told, what it sold since, when our stock fell.

Each question is one statement for all lines of a batch, and is asked only when something is missing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

RECENT = timedelta(days=1)  # sales since a figure are counted no further back: every sale makes a new figure due


@dataclass(frozen=True)
class Push:
    """A figure that a channel had accepted, and since when our stock was so."""

    quantity: int
    changed_at: datetime
    accepted_at: datetime


@dataclass(frozen=True)
class Sale:
    """One line as its channel sold it."""

    channel_id: int
    code: str
    sku_id: int
    placed_at: datetime


@dataclass(frozen=True)
class Need:
    """Units of a stocked SKU that a line needed, and since when their fall is looked for."""

    sku_id: int
    quantity: int
    since: datetime


_TOLD = """
SELECT asked.place, push.quantity, push.changed_at, push.accepted_at
  FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[])
       AS asked (place, channel_id, code, sku_id, placed_at)
 CROSS JOIN LATERAL (
       SELECT id FROM channels_listing
        WHERE channel_id = asked.channel_id AND (external_code = asked.code OR sku_id = asked.sku_id)
        ORDER BY external_code = asked.code DESC, id LIMIT 1) AS listing
 CROSS JOIN LATERAL (
       SELECT quantity, changed_at, accepted_at FROM channels_stockpush
        WHERE listing_id = listing.id AND accepted_at <= asked.placed_at
        ORDER BY accepted_at DESC LIMIT 1) AS push
"""

# Each channel's span is read once, whatever number of its listings is asked for.
_SOLD = """
WITH asked AS (
    SELECT * FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[])
                  AS asked (place, channel_id, code, since, until)
), spans AS MATERIALIZED (
    SELECT channel_id, min(since) AS since, max(until) AS until FROM asked GROUP BY channel_id
), lines AS MATERIALIZED (
    SELECT known.channel_id, known.placed_at, line.external_sku, line.quantity
      FROM spans
      JOIN orders_order AS known ON known.channel_id = spans.channel_id AND known.cancelled_at IS NULL
       AND known.placed_at > spans.since AND known.placed_at <= spans.until
      JOIN orders_orderline AS line ON line.order_id = known.id AND NOT line.is_cancelled
)
SELECT asked.place, sum(lines.quantity)
  FROM asked JOIN lines ON lines.channel_id = asked.channel_id AND lines.external_sku = asked.code
   AND lines.placed_at > asked.since AND lines.placed_at <= asked.until
 GROUP BY asked.place
"""

# Free units of each SKU are followed backwards from now, once however many lines need it. What left with a parcel was
# taken when it was reserved.
_FELL = """
WITH asked AS (
    SELECT * FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::timestamptz[]) AS asked (place, sku_id, needed, since)
), skus AS MATERIALIZED (
    SELECT sku_id, min(since) AS since FROM asked GROUP BY sku_id
), free AS MATERIALIZED (
    SELECT skus.sku_id, (SELECT sum(on_hand - reserved - quality_hold - safety_stock) FROM inventory_stocklevel AS level
                          WHERE level.sku_id = skus.sku_id) AS units
      FROM skus
), moved AS MATERIALIZED (
    SELECT skus.since, move.*
      FROM skus
      JOIN inventory_stocklevel AS level ON level.sku_id = skus.sku_id
     CROSS JOIN LATERAL (
           SELECT sku_id, node_id, kind, quantity, reference, moved_at FROM inventory_stockmovement
            WHERE sku_id = level.sku_id AND node_id = level.node_id AND moved_at > skus.since
           OFFSET 0) AS move  -- level by level, as the index of movements is sorted
), happened AS (
    SELECT sku_id, moved_at AS at, quantity AS units FROM moved WHERE kind <> 'shipment'
    UNION ALL
    SELECT moved.sku_id, coalesce(taken.reserved_at, moved_at), quantity
      FROM moved LEFT JOIN LATERAL (
           SELECT reserved_at FROM inventory_reservation AS held
            WHERE held.reference = moved.reference AND held.sku_id = moved.sku_id AND held.node_id = moved.node_id
            LIMIT 1) AS taken ON true
     WHERE kind = 'shipment' AND coalesce(taken.reserved_at, moved_at) > since
    UNION ALL
    SELECT skus.sku_id, held.reserved_at, -held.quantity
      FROM skus JOIN inventory_reservation AS held
        ON held.sku_id = skus.sku_id AND held.status = 'active' AND held.reserved_at > skus.since
    UNION ALL
    SELECT skus.sku_id, kept.opened_at, -kept.quantity
      FROM skus JOIN inventory_qualityhold AS kept
        ON kept.sku_id = skus.sku_id AND kept.closed_at IS NULL AND kept.opened_at > skus.since
    UNION ALL
    SELECT skus.sku_id, change.changed_at, change.before - change.after
      FROM skus JOIN inventory_safetychange AS change
        ON change.sku_id = skus.sku_id AND change.changed_at > skus.since
), steps AS (
    SELECT sku_id, at, sum(units) AS units FROM happened GROUP BY sku_id, at
), course AS MATERIALIZED (
    SELECT sku_id, steps.at, steps.units, free.units + steps.units - sum(steps.units) OVER later AS afterwards
      FROM steps JOIN free USING (sku_id)
    WINDOW later AS (PARTITION BY sku_id ORDER BY steps.at DESC)
)
SELECT asked.place, max(course.at)
  FROM asked JOIN course ON course.sku_id = asked.sku_id AND course.at > asked.since
   AND course.afterwards < asked.needed AND course.afterwards - course.units >= asked.needed
 GROUP BY asked.place
"""

_FREE = """
SELECT level.sku_id, node.code, level.on_hand - level.reserved - level.quality_hold - level.safety_stock
  FROM inventory_stocklevel AS level JOIN inventory_node AS node ON node.id = level.node_id AND node.is_active
 WHERE level.sku_id = ANY(%s) AND level.on_hand - level.reserved - level.quality_hold - level.safety_stock > 0
   AND node.code = ANY(%s)
"""

_PRESOLD = """
SELECT pool.channel, pool.sku_id
  FROM inventory_sharepool AS pool JOIN inventory_channelshare AS share ON share.id = pool.share_id
 WHERE share.kind = 'presale' AND pool.closed_at IS NULL AND pool.sku_id = ANY(%s)
"""


def told(sales: Sequence[Sale]) -> dict[int, Push]:
    """Return the newest figure that each sale's listing had before it: place in ``sales`` → push, where there is one.

    The listing of the line's own code counts; a line sold under our SKU code is looked up by its SKU.
    """
    columns: list[Any] = [
        list(range(len(sales))), [sale.channel_id for sale in sales], [sale.code for sale in sales],
        [sale.sku_id for sale in sales], [sale.placed_at for sale in sales],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, columns)
        return {place: Push(*figure) for place, *figure in cursor.fetchall()}


def sold_since(sales: Sequence[Sale], since: Sequence[datetime]) -> dict[int, int]:
    """Return the units of each sale's listing in stored orders placed after ``since`` and not after the sale itself."""
    starts = [max(start, sale.placed_at - RECENT) for sale, start in zip(sales, since, strict=True)]
    columns: list[Any] = [
        list(range(len(sales))), [sale.channel_id for sale in sales], [sale.code for sale in sales], starts,
        [sale.placed_at for sale in sales],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SOLD, columns)
        return {place: int(units) for place, units in cursor.fetchall()}


def fell_at(needs: Sequence[Need]) -> dict[int, datetime]:
    """Return when our free units of each need last fell below it: place in ``needs`` → moment, where rows show it."""
    columns: list[Any] = [
        list(range(len(needs))), [need.sku_id for need in needs], [need.quantity for need in needs],
        [need.since for need in needs],
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FELL, columns)
        return dict(cursor.fetchall())


def free_at(sku_ids: Iterable[int], node_codes: Collection[str]) -> dict[int, dict[str, int]]:
    """Return what these nodes could still promise: SKU id → node code → units."""
    found: dict[int, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [sorted(set(sku_ids)), sorted(node_codes)])
        for sku_id, code, units in cursor.fetchall():
            found.setdefault(sku_id, {})[code] = units
    return found


def presold(sku_ids: Iterable[int]) -> set[tuple[str, int]]:
    """Return which channels (by code) sell which SKUs ahead of their arrival."""
    with connection.cursor() as cursor:
        cursor.execute(_PRESOLD, [sorted(set(sku_ids))])
        return set(cursor.fetchall())
