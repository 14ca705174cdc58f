"""Where a count is worth most: the value that may be wrong at a node."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

_RANKING = """
WITH counted AS (
    SELECT line.sku_id, max(line.counted_at) AS last_at
      FROM inventory_countline AS line JOIN inventory_stockcount AS whole ON whole.id = line.count_id
     WHERE whole.node_id = %(node)s AND whole.status = 'applied' GROUP BY line.sku_id
), moved AS (
    SELECT move.sku_id,
           coalesce(sum(abs(move.quantity)) FILTER (WHERE move.kind = 'count'), 0) AS drift,
           coalesce(sum(abs(move.quantity)) FILTER (
               WHERE move.kind <> 'count' AND (counted.last_at IS NULL OR move.moved_at > counted.last_at)), 0) AS units
      FROM inventory_stockmovement AS move LEFT JOIN counted ON counted.sku_id = move.sku_id
     WHERE move.node_id = %(node)s GROUP BY move.sku_id
), differed AS (
    SELECT sku_id, sum(abs(stored - derived)) AS units FROM inventory_stockdifference
     WHERE node_id = %(node)s AND check_name = 'on_hand' GROUP BY sku_id
), rejected AS (
    SELECT * FROM unnest(%(skus)s::bigint[], %(rejections)s::int[]) AS told (sku_id, units)
), judged AS (
    SELECT sku.id, sku.code, sku.unit_cost, coalesce(rejected.units, 0) AS rejections,
           coalesce(moved.drift, 0) + coalesce(differed.units, 0) AS drift, coalesce(moved.units, 0) AS moved
      FROM inventory_stocklevel AS level
      JOIN inventory_sku AS sku ON sku.id = level.sku_id
      LEFT JOIN moved ON moved.sku_id = sku.id
      LEFT JOIN differed ON differed.sku_id = sku.id
      LEFT JOIN rejected ON rejected.sku_id = sku.id
     WHERE level.node_id = %(node)s
       AND NOT EXISTS (SELECT FROM inventory_countline AS line
                         JOIN inventory_stockcount AS whole ON whole.id = line.count_id
                        WHERE line.sku_id = sku.id AND whole.node_id = %(node)s AND whole.status = 'open')
)
SELECT id, code, rejections, drift, moved, unit_cost * (rejections + drift + moved) AS value FROM judged
 WHERE rejections + drift + moved > 0
 ORDER BY value DESC, code LIMIT %(most)s
"""


@dataclass(frozen=True)
class Risk:
    """Why a SKU should be counted: what speaks against its balance, and what that is worth at cost."""

    sku_id: int
    sku_code: str
    rejections: int  # units that a node was told to send and did not find
    drift: int  # units by which earlier counts and verifications corrected it
    moved: int  # units that moved since it was last counted
    value: Decimal


def ranking(node_id: int, *, rejections: Mapping[int, int] | None = None, most: int = 50) -> list[Risk]:
    """Return a node's SKUs by value at risk, the highest first, without those that are being counted.

    Value at risk is unit cost × (rejections + drift + units moved since the last count). Rejections (SKU id → units)
    are known to whoever runs parcels.
    """
    told = rejections or {}
    with connection.cursor() as cursor:
        cursor.execute(_RANKING, {"node": node_id, "skus": list(told), "rejections": list(told.values()), "most": most})
        return [Risk(*row) for row in cursor.fetchall()]
