"""Is what a share counts as used what its rows say? One statement; repaired under the pool's lock."""

from typing import Final

from django.db import connection, transaction

from inventory.models import StockDifference
from inventory.services.verification import Found
from inventory.statuses import DifferenceCheck

FIGURES: Final = ("reserved", "sold", "promised")
# What was sold before a share began was sold under another one, whose pool this is as well.
_USE: Final = """
SELECT pool.id, pool.channel, sku.code, pool.sku_id, figure.name, figure.stored, figure.derived
  FROM inventory_sharepool AS pool
  JOIN inventory_sku AS sku ON sku.id = pool.sku_id
  LEFT JOIN (SELECT pool_id, sum(quantity) FILTER (WHERE status = 'active') AS units
               FROM inventory_reservation WHERE pool_id IS NOT NULL GROUP BY pool_id) AS held ON held.pool_id = pool.id
  LEFT JOIN (SELECT taken.pool_id, sum(taken.quantity) AS units
               FROM inventory_reservation AS taken JOIN inventory_sharepool AS whose ON whose.id = taken.pool_id
              WHERE taken.status = 'consumed' AND taken.closed_at >= whose.opened_at
              GROUP BY taken.pool_id) AS gone ON gone.pool_id = pool.id
  LEFT JOIN (SELECT pool_id, sum(quantity) AS units
               FROM inventory_supplypromise WHERE pool_id IS NOT NULL GROUP BY pool_id) AS ahead
    ON ahead.pool_id = pool.id
 CROSS JOIN LATERAL (VALUES ('reserved', pool.reserved, coalesce(held.units, 0)),
                            ('sold', pool.sold, coalesce(gone.units, 0)),
                            ('promised', pool.promised, coalesce(ahead.units, 0))) AS figure (name, stored, derived)
 WHERE figure.stored <> figure.derived {only}
 ORDER BY pool.channel, sku.code, figure.name
"""


def uses() -> list[Found]:
    """Return the shares whose use is not the sum of the reservations, shipments and promises behind it."""
    with connection.cursor() as cursor:
        cursor.execute(_USE.format(only=""))
        return [
            Found(
                DifferenceCheck.SHARE,
                f"{channel}/{sku} {name}",
                stored=stored,
                derived=derived,
                sku_id=sku_id,
                reference=str(pool_id),
            )
            for pool_id, channel, sku, sku_id, name, stored, derived in cursor.fetchall()
        ]


@transaction.atomic
def settle(difference: StockDifference) -> None:
    """Set every figure of a share's use to the sum of its rows, read under the pool's lock."""
    pool_id = int(difference.reference)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM inventory_sharepool WHERE id = %s FOR NO KEY UPDATE", [pool_id])
        cursor.execute(_USE.format(only="AND pool.id = %s"), [pool_id])
        for _pool, _channel, _sku, _sku_id, name, _stored, derived in cursor.fetchall():
            if name in FIGURES:
                cursor.execute(f"UPDATE inventory_sharepool SET {name} = %s WHERE id = %s", [derived, pool_id])
