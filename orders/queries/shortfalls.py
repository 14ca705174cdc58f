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

_SOLD = """
SELECT asked.place, sum(line.quantity)
  FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[])
       AS asked (place, channel_id, code, since, until)
  JOIN orders_order AS known ON known.channel_id = asked.channel_id AND known.cancelled_at IS NULL
   AND known.placed_at > asked.since AND known.placed_at <= asked.until
  JOIN orders_orderline AS line ON line.order_id = known.id AND line.external_sku = asked.code AND NOT line.is_cancelled
 GROUP BY asked.place
"""

# Free units are followed backwards from now. What left with a parcel was taken when it was reserved.
_FELL = """
WITH asked AS (
    SELECT * FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::timestamptz[]) AS asked (place, sku_id, needed, since)
), free AS (
    SELECT sku_id, sum(on_hand - reserved - quality_hold - safety_stock) AS units
      FROM inventory_stocklevel WHERE sku_id IN (SELECT sku_id FROM asked) GROUP BY sku_id
), moved AS (
    SELECT asked.place, asked.since, move.*
      FROM asked
      JOIN inventory_stocklevel AS level ON level.sku_id = asked.sku_id
      JOIN inventory_stockmovement AS move ON move.sku_id = level.sku_id AND move.node_id = level.node_id
       AND move.moved_at > asked.since
), happened AS (
    SELECT place, moved_at AS at, quantity AS units FROM moved WHERE kind <> 'shipment'
    UNION ALL
    SELECT place, coalesce(taken.reserved_at, moved_at), quantity
      FROM moved LEFT JOIN LATERAL (
           SELECT reserved_at FROM inventory_reservation AS held
            WHERE held.reference = moved.reference AND held.sku_id = moved.sku_id AND held.node_id = moved.node_id
            ORDER BY reserved_at LIMIT 1) AS taken ON true
     WHERE kind = 'shipment' AND coalesce(taken.reserved_at, moved_at) > since
    UNION ALL
    SELECT asked.place, held.reserved_at, -held.quantity
      FROM asked JOIN inventory_reservation AS held
        ON held.sku_id = asked.sku_id AND held.status = 'active' AND held.reserved_at > asked.since
    UNION ALL
    SELECT asked.place, kept.opened_at, -kept.quantity
      FROM asked JOIN inventory_qualityhold AS kept
        ON kept.sku_id = asked.sku_id AND kept.closed_at IS NULL AND kept.opened_at > asked.since
    UNION ALL
    SELECT asked.place, change.changed_at, change.before - change.after
      FROM asked JOIN inventory_safetychange AS change
        ON change.sku_id = asked.sku_id AND change.changed_at > asked.since
), steps AS (
    SELECT place, at, sum(units) AS units FROM happened GROUP BY place, at
), course AS (
    SELECT asked.place, asked.needed, steps.at, steps.units,
           free.units + steps.units - sum(steps.units) OVER later AS afterwards
      FROM steps JOIN asked USING (place) JOIN free USING (sku_id)
    WINDOW later AS (PARTITION BY asked.place ORDER BY steps.at DESC)
)
SELECT place, max(at) FROM course WHERE afterwards < needed AND afterwards - units >= needed GROUP BY place
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
