"""Saying that a SKU's promise may have changed: a plain row beside the change, taken by whoever tells channels.

Rows are only added, never upserted: a hot SKU's sellers must not wait for one another here. The moment is the
database's own. A lost row costs little: every hour all listings are looked at again.
"""

from collections.abc import Iterable
from typing import Final

from django.db import connection

# After "WITH changed AS (… RETURNING sku_id)": one row per SKU, in the statement that changed the balance.
WITH_CHANGE: Final = """noticed AS (
    INSERT INTO inventory_stocksignal (sku_id, changed_at) SELECT sku_id, clock_timestamp() FROM changed GROUP BY sku_id
)"""


def raise_for(sku_ids: Iterable[int]) -> None:
    """Say in the caller's transaction that what may be promised of these SKUs may have changed."""
    ids = sorted(set(sku_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_stocksignal (sku_id, changed_at) SELECT id, clock_timestamp()"
            " FROM unnest(%s::bigint[]) AS changed (id)",
            [ids],
        )
