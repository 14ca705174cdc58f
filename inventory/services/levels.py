"""The two statements under every change of a balance: lock in order, then write under a guard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection

LevelKey = tuple[int, int]  # SKU id, node id


@dataclass
class Level:
    """A locked balance; ``available`` is counted down by the caller while it decides."""

    level_id: int
    on_hand: int
    reserved: int
    available: int


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
                   level.on_hand - level.reserved - level.safety_stock
              FROM inventory_stocklevel AS level
             WHERE (level.sku_id, level.node_id) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
             ORDER BY level.id
               FOR NO KEY UPDATE OF level
            """,
            [[sku for sku, _ in pairs], [node for _, node in pairs]],
        )
        return {
            (sku_id, node_id): Level(level_id, on_hand, reserved, available)
            for level_id, sku_id, node_id, on_hand, reserved, available in cursor.fetchall()
        }


def apply_reserved(levels: Mapping[LevelKey, Level], change: Mapping[LevelKey, int]) -> None:
    """Add to the reserved units of locked levels. Raises ``LevelsChanged`` when the guard refuses a row."""
    _apply(
        """
        UPDATE inventory_stocklevel AS level
           SET reserved = level.reserved + change.units
          FROM unnest(%s::bigint[], %s::int[]) AS change (id, units)
         WHERE level.id = change.id
           AND level.reserved + change.units BETWEEN 0 AND level.on_hand
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
           AND level.on_hand + change.units >= level.reserved
        """,
        levels,
        change,
    )


def _apply(sql: str, levels: Mapping[LevelKey, Level], change: Mapping[LevelKey, int]) -> None:
    rows = sorted((levels[key].level_id, units) for key, units in change.items() if units)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, [[row[0] for row in rows], [row[1] for row in rows]])
        if cursor.rowcount != len(rows):
            raise LevelsChanged(f"{len(rows) - cursor.rowcount} of {len(rows)} balances refused the change")
