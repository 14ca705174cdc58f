"""The rows of a stock file that are about goods with lots: judged with the others, written lot by lot."""

from datetime import datetime
from typing import Final

from django.db.backends.utils import CursorWrapper

from audit.rules.actors import Actor
from inventory.services import lots, movements
from inventory.services.levels import LevelsChanged
from inventory.services.lots import Label
from inventory.statuses import MovementKind

STAGE: Final = "stock_import_stage"
PAGE: Final = 5000
JUDGE: Final = (
    f"""
    UPDATE {STAGE} SET code = 'no_lots'
     WHERE code = '' AND NOT has_lots AND (lot_code <> '' OR expires_date IS NOT NULL)
    """,
    f"""
    UPDATE {STAGE} AS stage
       SET lot_id = lot.id, code = CASE WHEN stage.expires_date IS DISTINCT FROM lot.expires_date
                                         AND stage.expires_date IS NOT NULL THEN 'lot_date' ELSE '' END
      FROM inventory_lot AS lot
     WHERE stage.code = '' AND stage.by_lot AND lot.sku_id = stage.sku_id AND lot.code = stage.lot_code
    """,
    f"""
    UPDATE {STAGE} AS stage SET code = 'lot_date'
      FROM (SELECT DISTINCT ON (sku_id, lot_code) sku_id, lot_code, row_number, expires_date FROM {STAGE}
             WHERE code = '' AND by_lot AND lot_id IS NULL ORDER BY sku_id, lot_code, row_number) AS first
     WHERE stage.code = '' AND stage.by_lot AND stage.sku_id = first.sku_id AND stage.lot_code = first.lot_code
       AND stage.row_number > first.row_number AND stage.expires_date IS DISTINCT FROM first.expires_date
    """,
)
PAST: Final = f"""
UPDATE {STAGE} AS stage SET code = 'past_date'
  FROM (SELECT same.row_number, coalesce(same.expires_date, lot.expires_date) AS expires_date FROM {STAGE} AS same
          LEFT JOIN inventory_lot AS lot ON lot.id = same.lot_id WHERE same.by_lot) AS told
 WHERE told.row_number = stage.row_number AND stage.code = '' AND stage.change > 0 AND told.expires_date < %s
"""
_LABELS: Final = f"""
SELECT sku_id, lot_code, min(expires_date) FROM {STAGE} WHERE by_lot AND lot_id IS NULL AND change <> 0 GROUP BY 1, 2
"""
_ROWS: Final = f"""
SELECT row_number, sku_id, node_id, change, lot_id, by_lot, lot_code FROM {STAGE}
 WHERE has_lots AND change <> 0 AND row_number > %s ORDER BY row_number LIMIT %s
"""


def record(cursor: CursorWrapper, reference: str, key: str, reason: str, *, actor: Actor, at: datetime) -> None:
    """Write the staged changes of goods with lots into ledger, levels and lots; the levels are locked.

    A row of a file that names no lots is about the whole level: what is gone is of the lots that expire first, what
    came is unlabelled. Raises ``LevelsChanged``.
    """
    cursor.execute(_LABELS)
    made = lots.named([Label(*row) for row in cursor.fetchall()], at=at)
    last = -1
    while True:
        cursor.execute(_ROWS, [last, PAGE])
        rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        changes = [
            movements.Movement(
                key=f"{key}:{number}",
                sku_id=sku_id,
                node_id=node_id,
                kind=MovementKind.IMPORT,
                quantity=change,
                reference=reference,
                reason=reason,
                lot_id=lot_id or (made[sku_id, lot_code] if by_lot else None),
            )
            for number, sku_id, node_id, change, lot_id, by_lot, lot_code in rows
        ]
        try:
            movements.record(changes, actor=actor, at=at)
        except movements.NotEnoughOnHand as error:
            raise LevelsChanged(f"{len(error.levels)} balances refused the import") from error
