"""What channels' shares leave to each of them, as things stand now."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection

from inventory.rules.shares import Pool, Shared

POOLS: Final = """
SELECT pool.sku_id, pool.id, pool.channel, share.kind, share.unit, share.amount, share.lend_percent,
       pool.reserved, pool.sold, pool.promised
  FROM inventory_sharepool AS pool
  JOIN inventory_channelshare AS share ON share.id = pool.share_id
 WHERE pool.sku_id = ANY(%s) AND pool.closed_at IS NULL
 ORDER BY pool.id
"""
_STOCK: Final = """
SELECT sku_id, sum(greatest(0, on_hand - quality_hold - safety_stock)),
       sum(greatest(0, on_hand - reserved - quality_hold - safety_stock))
  FROM inventory_stocklevel WHERE sku_id = ANY(%s) GROUP BY sku_id
"""


def read(sku_ids: Iterable[int]) -> dict[int, Shared]:
    """Return the SKUs of which channels have shares, with their stock and use. Locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(POOLS, [list(set(sku_ids))])
        return with_stock(cursor.fetchall())


def of_all(sku_ids: Iterable[int]) -> dict[int, Shared]:
    """Return every one of these SKUs, those without shares too."""
    ids = set(sku_ids)
    with connection.cursor() as cursor:
        cursor.execute(_STOCK, [sorted(ids)])
        stock = {sku_id: Shared(sellable, free) for sku_id, sellable, free in cursor.fetchall()}
    shared = read(ids)
    return {sku_id: shared.get(sku_id) or stock.get(sku_id) or Shared(0, 0) for sku_id in ids}


def with_stock(found: Sequence[Sequence[Any]]) -> dict[int, Shared]:
    """Return pools (rows of ``POOLS``) by SKU, with what is sellable and free of it over all nodes."""
    if not found:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_STOCK, [sorted({row[0] for row in found})])
        stock = {sku_id: (sellable, free) for sku_id, sellable, free in cursor.fetchall()}
    shared: dict[int, Shared] = {}
    for sku_id, *columns in found:
        pool = Pool(*columns)
        shared.setdefault(sku_id, Shared(*stock.get(sku_id, (0, 0)))).pools[pool.channel] = pool
    return shared
