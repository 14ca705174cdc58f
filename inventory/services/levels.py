"""The statements under every change of a balance: lock in order, then write under a guard; or both in one.

Each also says that the SKU's promise may have changed (``signals``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from inventory.services import signals

LevelKey = tuple[int, int]  # SKU id, node id
_TAKE = f"""
WITH changed AS (
    UPDATE inventory_stocklevel SET reserved = reserved + %(quantity)s
     WHERE sku_id = %(sku_id)s AND node_id = %(node_id)s
       AND %(quantity)s > 0 AND on_hand - reserved - quality_hold - safety_stock >= %(quantity)s
       AND NOT EXISTS (SELECT FROM inventory_reservation WHERE key = %(key)s)
       AND NOT EXISTS (SELECT FROM inventory_sharepool WHERE sku_id = %(sku_id)s AND closed_at IS NULL)
       AND NOT EXISTS (SELECT FROM inventory_lotlevel WHERE sku_id = %(sku_id)s AND node_id = %(node_id)s)
    RETURNING sku_id, node_id
), noted AS (
    INSERT INTO inventory_reservation (key, reference, sku_id, node_id, quantity, expires_at, status, reserved_at)
    SELECT %(key)s, %(reference)s, sku_id, node_id, %(quantity)s, %(expires_at)s::timestamptz, 'active', %(at)s
      FROM changed
    ON CONFLICT (key) DO NOTHING
    RETURNING id
), {signals.WITH_CHANGE}
SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM noted)
"""


@dataclass
class Level:
    """A locked balance; ``available`` is counted down by the caller while it decides."""

    level_id: int
    on_hand: int
    reserved: int
    available: int
    quality_hold: int = 0


class LevelsChanged(Exception):
    """A guarded UPDATE met fewer rows than it was given: the balance is not what the caller decided on."""


def lock_levels(keys: Iterable[LevelKey]) -> dict[LevelKey, Level]:
    """Lock the levels of these (SKU, node) pairs in primary-key order and return them; missing ones are absent."""
    pairs = sorted(keys)
    if not pairs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT level.id, level.sku_id, level.node_id, level.on_hand, level.reserved,
                   level.on_hand - level.reserved - level.quality_hold - level.safety_stock, level.quality_hold
              FROM inventory_stocklevel AS level
             WHERE (level.sku_id, level.node_id) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
             ORDER BY level.id
               FOR NO KEY UPDATE OF level
            """,
            [[sku for sku, _ in pairs], [node for _, node in pairs]],
        )
        return {
            (sku_id, node_id): Level(level_id, on_hand, reserved, available, held)
            for level_id, sku_id, node_id, on_hand, reserved, available, held in cursor.fetchall()
        }


@transaction.atomic
def take_at_once(reservation: Mapping[str, Any]) -> bool:
    """Take the units of one reservation (its columns and ``at``) and write it, in one statement.

    The balance is then locked for that statement and the commit only. Returns False, having changed nothing, when units
    are missing, the key is known, channels have shares of the SKU, or it has lots. Raises ``LevelsChanged`` when
    another transaction used the key at this moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, reservation)
        taken, noted = cursor.fetchone()
    if taken != noted:
        raise LevelsChanged(f"the key {reservation['key']} was used a moment ago")
    return bool(noted)


def apply_reserved(levels: Mapping[LevelKey, Level], change: Mapping[LevelKey, int]) -> None:
    """Add to the reserved units of locked levels. Raises ``LevelsChanged`` when the guard refuses a row."""
    _apply(
        """
        UPDATE inventory_stocklevel AS level
           SET reserved = level.reserved + change.units
          FROM unnest(%s::bigint[], %s::int[]) AS change (id, units)
         WHERE level.id = change.id
           AND level.reserved + change.units BETWEEN 0 AND level.on_hand - level.quality_hold
        """,
        levels,
        change,
    )


def apply_on_hand(levels: Mapping[LevelKey, Level], change: Mapping[LevelKey, int]) -> None:
    """Add to the units on hand of locked levels. Raises ``LevelsChanged`` when the guard refuses a row."""
    _apply(
        """
        UPDATE inventory_stocklevel AS level
           SET on_hand = level.on_hand + change.units
          FROM unnest(%s::bigint[], %s::int[]) AS change (id, units)
         WHERE level.id = change.id
           AND level.on_hand + change.units >= level.reserved + level.quality_hold
        """,
        levels,
        change,
    )


def apply_quality_hold(levels: Mapping[LevelKey, Level], change: Mapping[LevelKey, int]) -> None:
    """Add to the held units of locked levels. Raises ``LevelsChanged`` when the guard refuses a row."""
    _apply(
        """
        UPDATE inventory_stocklevel AS level
           SET quality_hold = level.quality_hold + change.units
          FROM unnest(%s::bigint[], %s::int[]) AS change (id, units)
         WHERE level.id = change.id
           AND level.quality_hold + change.units BETWEEN 0 AND level.on_hand - level.reserved
        """,
        levels,
        change,
    )


def _apply(sql: str, levels: Mapping[LevelKey, Level], change: Mapping[LevelKey, int]) -> None:
    rows = sorted((levels[key].level_id, units) for key, units in change.items() if units)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH changed AS ({sql} RETURNING level.sku_id), {signals.WITH_CHANGE} SELECT count(*) FROM changed",
            [[row[0] for row in rows], [row[1] for row in rows]],
        )
        (changed,) = cursor.fetchone()
    if changed != len(rows):
        raise LevelsChanged(f"{len(rows) - changed} of {len(rows)} balances refused the change")
