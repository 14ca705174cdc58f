"""How much of each channel's share is used: locked before the stock it is a part of, written under a guard."""

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db import connection

from inventory.models import SharePool
from inventory.queries import shares
from inventory.rules.shares import Shared
from inventory.services import signals
from inventory.services.levels import LevelsChanged

# Reserving takes the pools' locks before the stock's, in primary-key order; giving back does the same.
_LOCK = shares.POOLS + " FOR NO KEY UPDATE OF pool"
_APPLY = """
UPDATE inventory_sharepool AS pool
   SET reserved = pool.reserved + change.reserved, sold = pool.sold + change.sold,
       promised = pool.promised + change.promised
  FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[]) AS change (id, reserved, sold, promised)
 WHERE pool.id = change.id AND pool.reserved + change.reserved >= 0 AND pool.promised + change.promised >= 0
"""


def lock(sku_ids: Iterable[int]) -> dict[int, Shared]:
    """Lock the open pools of these SKUs and return what each channel may still take; SKUs without shares are absent.

    Everybody who reserves such a SKU waits here, so that what is free of it over all nodes is read once and holds.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted(set(sku_ids))])
        found = cursor.fetchall()
    return shares.with_stock(found)


def add_reserved(units: Mapping[int, int]) -> None:
    """Count units as reserved against locked pools (by pool id)."""
    _apply({pool_id: (quantity, 0, 0) for pool_id, quantity in units.items()})


def give_back(units: Mapping[int, int]) -> None:
    """Count units as no longer reserved against pools (by pool id), which may be closed by now."""
    _lock_by_id(units)
    _apply({pool_id: (-quantity, 0, 0) for pool_id, quantity in units.items()})


def count_sold(units: Mapping[int, int]) -> None:
    """Turn reserved units of pools (by pool id) into sold ones."""
    _lock_by_id(units)
    _apply({pool_id: (-quantity, quantity, 0) for pool_id, quantity in units.items()})


def add_promised(units: Mapping[int, int]) -> None:
    """Count units as promised ahead from pools (by pool id), or no longer when negative."""
    _lock_by_id(units)
    _apply({pool_id: (0, 0, quantity) for pool_id, quantity in units.items()})
    signals.raise_for(SharePool.objects.filter(pk__in=units).values_list("sku_id", flat=True) if units else ())


def per_pool(rows: Iterable[tuple[int | None, int]]) -> Counter[int]:
    """Add up (pool id, units), leaving out what no pool counts."""
    units: Counter[int] = Counter()
    for pool_id, quantity in rows:
        if pool_id is not None:
            units[pool_id] += quantity
    return units


def _lock_by_id(units: Mapping[int, int]) -> None:
    if units:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM inventory_sharepool WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [sorted(units)]
            )


def _apply(change: Mapping[int, tuple[int, int, int]]) -> None:
    rows = [(pool_id, *units) for pool_id, units in sorted(change.items()) if any(units)]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_APPLY, [list(column) for column in zip(*rows, strict=True)])
        if cursor.rowcount != len(rows):
            raise LevelsChanged(f"{len(rows) - cursor.rowcount} of {len(rows)} shares refused the change")
