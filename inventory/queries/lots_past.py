"""Which units were not fresh enough for a channel at a past moment: lots rebuilt from the rows that named them.

A reservation that moved chose its lots anew, and only the ones it has are kept: before its move it is counted at the
node it was at, on those lots. What lot goods without a label were of is read as the unlabelled one, as everywhere.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from inventory.queries.lots import stacked
from inventory.rules.lots import Life, LifeRules, minimum_days, unfit

# What a row said at a moment: its last version until then, or its first one when its history begins later.
_SKU: Final = """
SELECT tracks_lots, category_id FROM inventory_historicalsku WHERE id = %(sku)s
 ORDER BY history_date > %(at)s, abs(extract(epoch FROM history_date - %(at)s)), history_id DESC LIMIT 1
"""
_LIFE: Final = """
SELECT channel, category_id, days
  FROM (SELECT DISTINCT ON (id) * FROM inventory_historicalremaininglife
         WHERE history_date <= %(at)s ORDER BY id, history_date DESC, history_id DESC) AS rule
 WHERE history_type <> '-'
"""
_SHELVES: Final = """
WITH units AS (
    SELECT node_id, lot_id, quantity FROM inventory_stockmovement WHERE sku_id = %(sku)s AND moved_at <= %(at)s
     UNION ALL
    SELECT node_id, lot_id, -quantity FROM inventory_qualityhold
     WHERE sku_id = %(sku)s AND opened_at <= %(at)s AND (closed_at IS NULL OR closed_at > %(at)s)
     UNION ALL
    SELECT coalesce(past.from_node_id, held.node_id), picked.lot_id, -picked.quantity
      FROM inventory_reservation AS held JOIN inventory_reservationlot AS picked ON picked.reservation_id = held.id
      LEFT JOIN LATERAL (SELECT from_node_id FROM inventory_reservationmove AS gone
                          WHERE gone.reservation_id = held.id AND gone.moved_at > %(at)s
                          ORDER BY gone.moved_at, gone.id LIMIT 1) AS past ON true
     WHERE held.sku_id = %(sku)s AND held.reserved_at <= %(at)s AND (held.closed_at IS NULL OR held.closed_at > %(at)s)
)
SELECT %(sku)s, units.node_id, coalesce(lot.id, 0), lot.expires_date, greatest(0, sum(units.quantity))
  FROM units LEFT JOIN inventory_lot AS lot
    ON lot.id = units.lot_id OR (units.lot_id IS NULL AND lot.sku_id = %(sku)s AND lot.code = '')
 GROUP BY units.node_id, lot.id
"""


def unfit_units(
    sku_id: int, channels: Collection[str], *, on_date: date, at: datetime
) -> Mapping[str, Mapping[int, int]]:
    """Return the free units that did not count for each channel at a moment: channel's code → node id → units.

    One query when the SKU had no lots then, three when it had.
    """
    told: dict[str, Any] = {"sku": sku_id, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_SKU, told)
        [(has_lots, category_id)] = cursor.fetchall() or [(False, 0)]
        if not has_lots:
            return {channel: {} for channel in channels}
        cursor.execute(_LIFE, told)
        rules: LifeRules = {(channel, category): days for channel, category, days in cursor.fetchall()}
        cursor.execute(_SHELVES, told)
        shelves = stacked(cursor.fetchall())
    found: dict[str, dict[int, int]] = {}
    for channel in channels:
        life = Life(on_date, minimum_days(rules, channel, category_id))
        found[channel] = {node_id: unfit(shelf, life) for (_sku, node_id), shelf in shelves.items()}
    return found
