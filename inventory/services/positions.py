"""Writing down what a unit of a SKU is worth where it lies; a forecast may write here as well as days of cover."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

_WRITE = """
INSERT INTO inventory_stockposition
       (sku_id, node_id, daily_demand, days_of_cover, shadow_price, is_markdown, source, computed_at)
SELECT fresh.*, %s, %s
  FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::float8[], %s::numeric[], %s::bool[])
    AS fresh (sku_id, node_id, daily_demand, days_of_cover, shadow_price, is_markdown)
 ORDER BY fresh.sku_id, fresh.node_id
ON CONFLICT (sku_id, node_id) DO UPDATE
   SET daily_demand = excluded.daily_demand, days_of_cover = excluded.days_of_cover,
       shadow_price = excluded.shadow_price, is_markdown = excluded.is_markdown, source = excluded.source,
       computed_at = excluded.computed_at
"""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a unit of a SKU at a node is worth; ``shadow_price`` in yuan."""

    sku_id: int
    node_id: int
    daily_demand: float
    days_of_cover: float | None
    shadow_price: float
    is_markdown: bool


@transaction.atomic
def write(worths: Sequence[Worth], *, source: str, at: datetime) -> int:
    """Keep these, over what was known of the same SKU at the same node; returns how many."""
    if not worths:
        return 0
    columns: list[list[Any]] = [
        [worth.sku_id for worth in worths],
        [worth.node_id for worth in worths],
        [worth.daily_demand for worth in worths],
        [worth.days_of_cover for worth in worths],
        [worth.shadow_price for worth in worths],
        [worth.is_markdown for worth in worths],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [source, at, *columns])
        return int(cursor.rowcount)


@transaction.atomic
def forget_before(at: datetime, *, source: str) -> int:
    """Forget what this source did not write again; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM inventory_stockposition WHERE source = %s AND computed_at < %s", [source, at])
        return int(cursor.rowcount)
