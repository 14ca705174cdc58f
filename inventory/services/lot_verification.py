"""Do lots add up to their levels, and does each lot say what its rows say? One statement per check."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import connection

from inventory.services.verification import Found
from inventory.statuses import DifferenceCheck

_SUMS: Final = """
WITH lots AS (
    SELECT sku_id, node_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(quality_hold) AS quality_hold
      FROM inventory_lotlevel GROUP BY sku_id, node_id
), levels AS (
    SELECT level.* FROM inventory_stocklevel AS level
      JOIN inventory_sku AS sku ON sku.id = level.sku_id AND sku.tracks_lots
), told AS (
    SELECT sku_id, node_id, unnest(ARRAY['on_hand', 'reserved', 'quality_hold']) AS figure,
           unnest(ARRAY[lots.on_hand, lots.reserved, lots.quality_hold]) AS stored,
           unnest(ARRAY[levels.on_hand, levels.reserved, levels.quality_hold]) AS derived
      FROM levels FULL JOIN lots USING (sku_id, node_id)
)
SELECT told.figure, sku.code, '', node.code, told.sku_id, told.node_id, coalesce(stored, 0), coalesce(derived, 0)
  FROM told JOIN inventory_sku AS sku ON sku.id = told.sku_id JOIN inventory_node AS node ON node.id = told.node_id
 WHERE coalesce(stored, 0) <> coalesce(derived, 0)
 ORDER BY sku.code, node.code, told.figure
"""
# Rows that name no lot are of the unlabelled one: what lay there before the SKU had lots.
ROWS: Final = """
    SELECT 'on_hand' AS figure, move.sku_id, move.node_id, coalesce(move.lot_id, home.id, 0) AS lot_id,
           sum(move.quantity) AS units
      FROM inventory_stockmovement AS move JOIN inventory_sku AS sku ON sku.id = move.sku_id AND sku.tracks_lots
      LEFT JOIN inventory_lot AS home ON home.sku_id = move.sku_id AND home.code = ''
     GROUP BY 2, 3, 4
    UNION ALL
    SELECT 'reserved', held.sku_id, held.node_id, picked.lot_id, sum(picked.quantity)
      FROM inventory_reservationlot AS picked
      JOIN inventory_reservation AS held ON held.id = picked.reservation_id AND held.status = 'active'
     GROUP BY 2, 3, 4
    UNION ALL
    SELECT 'quality_hold', held.sku_id, held.node_id, coalesce(held.lot_id, home.id, 0), sum(held.quantity)
      FROM inventory_qualityhold AS held JOIN inventory_sku AS sku ON sku.id = held.sku_id AND sku.tracks_lots
      LEFT JOIN inventory_lot AS home ON home.sku_id = held.sku_id AND home.code = ''
     WHERE held.closed_at IS NULL
     GROUP BY 2, 3, 4
"""
_ROWS: Final = f"""
WITH stored AS (
    SELECT sku_id, node_id, lot_id, unnest(ARRAY['on_hand', 'reserved', 'quality_hold']) AS figure,
           unnest(ARRAY[on_hand, reserved, quality_hold]) AS units
      FROM inventory_lotlevel
), behind AS ({ROWS}), told AS (
    SELECT figure, sku_id, node_id, lot_id, coalesce(stored.units, 0) AS stored, coalesce(behind.units, 0) AS derived
      FROM stored FULL JOIN behind USING (figure, sku_id, node_id, lot_id)
)
SELECT told.figure, sku.code, coalesce(nullif(lot.code, ''), '–'), node.code, told.sku_id, told.node_id, stored, derived
  FROM told JOIN inventory_sku AS sku ON sku.id = told.sku_id JOIN inventory_node AS node ON node.id = told.node_id
  LEFT JOIN inventory_lot AS lot ON lot.id = told.lot_id
 WHERE stored <> derived
 ORDER BY sku.code, node.code, 3, told.figure
"""


def lot_sums() -> list[Found]:
    """Return the figures of levels to which their lots do not add up."""
    return _ask(DifferenceCheck.LOT_SUMS, _SUMS)


def lot_rows() -> list[Found]:
    """Return the figures of lots that are not the sum of their movements, reservations and quality holds."""
    return _ask(DifferenceCheck.LOT_ROWS, _ROWS)


def _ask(check: DifferenceCheck, question: str) -> list[Found]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(_found(check, cursor.fetchall()))


def _found(check: DifferenceCheck, rows: Iterable[tuple[Any, ...]]) -> Iterable[Found]:
    for figure, sku, lot, node, sku_id, node_id, stored, derived in rows:
        item = f"{sku}/{lot}" if lot else sku
        yield Found(check, f"{figure} {item}@{node}"[:110], stored, derived, sku_id=sku_id, node_id=node_id)
