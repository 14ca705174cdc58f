"""What lots there are: which SKUs have them, what lies where, and what may not count for whom."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final

from django.db import connection

from inventory.models import RemainingLife
from inventory.rules.lots import LevelKey, LifeRules, LotUnits, Needs, Shelf, first_expired_first, unfit

_TRACKED: Final = "SELECT id, category_id FROM inventory_sku WHERE id = ANY(%s) AND tracks_lots"
SHELVES: Final = """
SELECT stock.sku_id, stock.node_id, stock.lot_id, lot.expires_date,
       stock.on_hand - stock.reserved - stock.quality_hold
  FROM inventory_lotlevel AS stock JOIN inventory_lot AS lot ON lot.id = stock.lot_id
"""


def tracked(sku_ids: Iterable[int]) -> dict[int, int]:
    """Return those of the SKUs that have lots, with their category (SKU id → category id)."""
    with connection.cursor() as cursor:
        cursor.execute(_TRACKED, [list(set(sku_ids))])
        return dict(cursor.fetchall())


def life_rules() -> LifeRules:
    """Return every rule about remaining life: (channel, category id) → days."""
    rows = RemainingLife.objects.values_list("channel", "category_id", "days")
    return {(channel, category_id): days for channel, category_id, days in rows}


def needs(sku_ids: Iterable[int], day: date) -> Needs:
    """Return what each channel asks of these SKUs on a day; of SKUs without lots nothing, in one query."""
    categories = tracked(sku_ids)
    return Needs(day, categories, life_rules() if categories else {})


def shelves(sku_ids: Collection[int]) -> dict[LevelKey, Shelf]:
    """Return the free units of lots per (SKU, node), first expired first. Locks nothing; asks nothing for no SKUs."""
    if not sku_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            SHELVES
            + " WHERE stock.sku_id = ANY(%s) AND stock.on_hand - stock.reserved - stock.quality_hold > 0"
            + " ORDER BY stock.id",
            [list(sku_ids)],
        )
        return stacked(cursor.fetchall())


def stacked(found: Iterable[tuple[int, int, int, date | None, int]]) -> dict[LevelKey, Shelf]:
    """Return rows of ``SHELVES`` by level, first expired first."""
    by_level: dict[LevelKey, Shelf] = {}
    for sku_id, node_id, lot_id, expires_date, free in found:
        by_level.setdefault((sku_id, node_id), []).append(LotUnits(lot_id, expires_date, free))
    return {key: first_expired_first(shelf) for key, shelf in by_level.items()}


def unfit_units(sku_ids: Iterable[int], channels: Collection[str], day: date) -> Mapping[str, Mapping[LevelKey, int]]:
    """Return the free units that must not count for each channel (by its code) on a day; "" stands for no channel.

    They are expired or keep too short for the channel. Subtract them from what a level may promise; levels that have
    none are absent. Three queries, one when no SKU has lots.
    """
    asked = needs(sku_ids, day)
    by_level = shelves(asked.categories)
    found: dict[str, dict[LevelKey, int]] = {channel: {} for channel in channels}
    for channel in channels:
        for (sku_id, node_id), shelf in by_level.items():
            units = unfit(shelf, asked.life(channel, sku_id))
            if units:
                found[channel][sku_id, node_id] = units
    return found
