"""Stock out of a file: all rows or none, set-based, with a result for each row; undone while nothing consumed it."""

import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from audit.models import rows as bulk
from audit.rules.actors import Actor
from audit.rules.sentences import say
from inventory.models import StockImport
from inventory.rules import stock_file
from inventory.services import import_lots, refusals, safety
from inventory.services.levels import LevelsChanged
from inventory.services.refusals import RefusedRow
from inventory.statuses import ImportStatus, MovementKind

SHOWN = 20
_STAGE = import_lots.STAGE
_STAGED = ("row_number", "sku_code", "node_code", "units", "code", "lot_code", "expires_date", "by_lot")
_CREATE = f"""
DROP TABLE IF EXISTS pg_temp.{_STAGE};
CREATE TEMPORARY TABLE {_STAGE} (row_number int, sku_code text, node_code text, units int, code text,
    lot_code text DEFAULT '', expires_date date, by_lot boolean DEFAULT false, has_lots boolean DEFAULT false,
    sku_id bigint, node_id bigint, lot_id bigint, was int, change int) ON COMMIT DROP
"""
_JUDGE = (
    f"""
    UPDATE {_STAGE} AS stage SET sku_id = sku.id, has_lots = sku.tracks_lots, by_lot = stage.by_lot AND sku.tracks_lots,
           code = CASE WHEN stage.code = '' AND sku.kind = 'bundle'
           THEN 'bundle' ELSE stage.code END FROM inventory_sku AS sku WHERE sku.code = stage.sku_code
    """,
    f"UPDATE {_STAGE} AS stage SET node_id = node.id FROM inventory_node AS node WHERE node.code = stage.node_code",
    f"""
    UPDATE {_STAGE} SET code = CASE WHEN sku_id IS NULL THEN 'unknown_sku' ELSE 'unknown_node' END
     WHERE code = '' AND (sku_id IS NULL OR node_id IS NULL)
    """,
    *import_lots.JUDGE,
    f"""
    UPDATE {_STAGE} AS stage SET code = CASE WHEN stage.by_lot THEN 'twice_lot' ELSE 'twice' END
      FROM (SELECT sku_id, node_id, lot_code, min(row_number) AS first FROM {_STAGE} WHERE code = ''
             GROUP BY sku_id, node_id, lot_code HAVING count(*) > 1) AS doubled
     WHERE stage.code = '' AND stage.sku_id = doubled.sku_id AND stage.node_id = doubled.node_id
       AND stage.lot_code = doubled.lot_code AND stage.row_number > doubled.first
    """,
)
_LOCK = f"""
SELECT count(*) FROM (
    SELECT level.id FROM inventory_stocklevel AS level
      JOIN {_STAGE} AS stage ON stage.sku_id = level.sku_id AND stage.node_id = level.node_id AND stage.code = ''
     ORDER BY level.id FOR NO KEY UPDATE OF level) AS locked
"""
_COMPARE = f"""
UPDATE {_STAGE} AS stage
   SET was = told.on_hand,
       change = CASE WHEN %s THEN stage.units ELSE stage.units - told.on_hand END,
       code = CASE WHEN (CASE WHEN %s THEN stage.units + told.on_hand ELSE stage.units END) < told.kept
                   THEN 'promised' ELSE '' END
  FROM (SELECT same.row_number, coalesce(CASE WHEN same.by_lot THEN lots.on_hand ELSE level.on_hand END, 0) AS on_hand,
               coalesce(CASE WHEN same.by_lot THEN lots.reserved + lots.quality_hold
                             ELSE level.reserved + level.quality_hold END, 0) AS kept
          FROM {_STAGE} AS same
          LEFT JOIN inventory_stocklevel AS level ON level.sku_id = same.sku_id AND level.node_id = same.node_id
          LEFT JOIN inventory_lotlevel AS lots ON same.by_lot AND lots.lot_id = same.lot_id
                                              AND lots.node_id = same.node_id) AS told
 WHERE told.row_number = stage.row_number AND stage.code = ''
"""
_OPEN = f"""
INSERT INTO inventory_stocklevel (sku_id, node_id, on_hand, reserved, safety_stock)
SELECT sku_id, node_id, 0, 0, 0 FROM {_STAGE} WHERE code = '' ORDER BY sku_id, node_id
ON CONFLICT (sku_id, node_id) DO NOTHING
"""
_MOVE = f"""
INSERT INTO inventory_stockmovement (key, sku_id, node_id, kind, quantity, reference, reason, actor, moved_at)
SELECT %s || ':' || row_number, sku_id, node_id, %s, change, %s, %s, %s, %s
  FROM {_STAGE} WHERE change <> 0 AND NOT has_lots ORDER BY row_number
"""
_APPLY = f"""
UPDATE inventory_stocklevel AS level SET on_hand = level.on_hand + stage.change
  FROM {_STAGE} AS stage
 WHERE stage.change <> 0 AND NOT stage.has_lots AND level.sku_id = stage.sku_id AND level.node_id = stage.node_id
   AND level.on_hand + stage.change >= level.reserved + level.quality_hold
"""
_NOTICE = f"""
INSERT INTO inventory_stocksignal (sku_id, changed_at)
SELECT sku_id, clock_timestamp() FROM {_STAGE} WHERE code = '' GROUP BY sku_id
"""
_TOUCHED = f"""
SELECT level.id FROM inventory_stocklevel AS level
  JOIN {_STAGE} AS stage ON stage.sku_id = level.sku_id AND stage.node_id = level.node_id AND stage.code = ''
 ORDER BY level.id
"""
_CONSUMED = """
SELECT sku.code || '@' || node.code FROM inventory_stockmovement AS mine
  JOIN inventory_sku AS sku ON sku.id = mine.sku_id JOIN inventory_node AS node ON node.id = mine.node_id
 WHERE mine.reference = %s AND (
       EXISTS (SELECT FROM inventory_stockmovement AS later
                WHERE later.sku_id = mine.sku_id AND later.node_id = mine.node_id AND later.id > mine.id
                  AND later.reference <> mine.reference
                  AND (later.quantity < 0 OR later.kind IN ('count', 'import')))
    OR EXISTS (SELECT FROM inventory_reservation AS held
                WHERE held.sku_id = mine.sku_id AND held.node_id = mine.node_id
                  AND held.reserved_at >= mine.moved_at AND held.status <> 'released'))
 ORDER BY mine.id LIMIT %s
"""


_SUMS = f"""
SELECT count(*), count(*) FILTER (WHERE code <> ''), count(*) FILTER (WHERE change <> 0),
       coalesce(sum(change) FILTER (WHERE change > 0), 0), coalesce(-sum(change) FILTER (WHERE change < 0), 0)
  FROM {_STAGE}
"""
_SAFE = "CASE WHEN {0} ~ '^[=+@\\t\\r-]' THEN '''' || {0} ELSE {0} END"  # a spreadsheet would run it as a formula
_TELL = f"""
COPY (SELECT stage.row_number AS row, {_SAFE.format("stage.sku_code")} AS sku,
             {_SAFE.format("stage.node_code")} AS node, %s stage.was, stage.was + stage.change AS now, stage.change,
             nullif(stage.code, '') AS refused_because
        FROM {_STAGE} AS stage
       ORDER BY stage.row_number) TO STDOUT WITH (FORMAT csv, HEADER)
"""
_LOT_TOLD = f"{_SAFE.format('stage.lot_code')} AS lot,"


@dataclass(frozen=True)
class Outcome:
    """The import as it is kept, and the first of its refused rows."""

    document: StockImport
    refused: tuple[RefusedRow, ...]


@transaction.atomic
def take_in(
    rows: Iterator[Sequence[str] | None], *, file_name: str, is_dry_run: bool = False, actor: Actor, at: datetime
) -> Outcome:
    """Set stock on hand to what a file says (or change it by what it says), all rows or none.

    ``rows`` are the cells of each row, the header first. A refused row refuses the file; a dry run only tells what
    would happen. The result of each row is kept with the document. Raises ``UnreadableStockFile``.
    """
    header = next(rows, None)
    columns = stock_file.understand(header or [])
    document = StockImport(file_name=file_name[:200], imported_at=at, imported_by=actor.label[:80])
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        bulk.copy_in(_STAGE, _STAGED, _cells(stock_file.read(rows, columns), by_lot=columns.names_lots))
        cursor.execute(f"ANALYZE {_STAGE}")
        for statement in _JUDGE:
            cursor.execute(statement)
        _judge(cursor, columns, document, at)
        if not is_dry_run and not document.rows_refused:  # judged again under locks, levels made first
            cursor.execute(_OPEN)
            cursor.execute(_LOCK)
            _judge(cursor, columns, document, at)
        document.status = ImportStatus.CHECKED if is_dry_run else ImportStatus.APPLIED
        if document.rows_refused:
            document.status = ImportStatus.REFUSED
        document.save()
        if document.status == ImportStatus.APPLIED:
            _write(cursor, document, ("import", "import"), actor, at)
        document.results = _results(cursor, _LOT_TOLD if columns.names_lots else "")
        document.save(update_fields=["results"])
        return Outcome(document, _first_refused(cursor))


@transaction.atomic
def undo(import_id: int, *, actor: Actor, at: datetime) -> StockImport:
    """Take every change of an import back. Raises ``RowsRefused`` when it is not in force, or something used it.

    Used means: units left, were counted, imported again or promised at one of its levels since.
    """
    document = StockImport.objects.select_for_update(no_key=True).get(pk=import_id)
    if document.status != ImportStatus.APPLIED:
        raise refusals.refuse(say("This import is not in force."))
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)
        cursor.execute(
            f"INSERT INTO {_STAGE} (row_number, sku_id, node_id, code, change, lot_id, has_lots)"
            " SELECT row_number() OVER (ORDER BY mine.id), sku_id, node_id, '', -quantity, lot_id, sku.tracks_lots"
            " FROM inventory_stockmovement AS mine JOIN inventory_sku AS sku ON sku.id = mine.sku_id"
            " WHERE mine.reference = %s",
            [document.reference],
        )
        cursor.execute(_LOCK)
        cursor.execute(_CONSUMED, [document.reference, SHOWN])
        used = [name for (name,) in cursor.fetchall()]
        if used:
            raise refusals.refuse(
                say("Stock of this import has been used since: %(levels)s.", levels=", ".join(used)[:200])
            )
        _write(cursor, document, ("undo", "undone"), actor, at)
    document.status, document.undone_at, document.undone_by = ImportStatus.UNDONE, at, actor.label[:80]
    document.save(update_fields=["status", "undone_at", "undone_by"])
    return document


def _cells(read: Iterator[stock_file.FileRow], *, by_lot: bool) -> Iterator[tuple[Any, ...]]:
    for row in read:
        yield row.row_number, row.sku, row.node, row.units, row.code, row.lot, row.expires, by_lot


def _judge(cursor: CursorWrapper, columns: stock_file.Columns, document: StockImport, at: datetime) -> None:
    """Find out what each good row changes and which would go below what is promised, and sum it up."""
    cursor.execute(_COMPARE, [columns.is_change, columns.is_change])
    if columns.names_lots:
        cursor.execute(import_lots.PAST, [timezone.localdate(at)])
    cursor.execute(_SUMS)
    (
        document.rows_read,
        document.rows_refused,
        document.rows_changed,
        document.units_added,
        document.units_removed,
    ) = cursor.fetchone()


def _write(cursor: CursorWrapper, document: StockImport, words: tuple[str, str], actor: Actor, at: datetime) -> None:
    """Write the staged changes into ledger and balances, and what rules keep back of them; the levels are locked."""
    word, reason = words
    key, why = f"{word}:{document.reference}", f"{reason}: {document.file_name}"[:200]
    cursor.execute(_MOVE, [key, MovementKind.IMPORT, document.reference, why, actor.label[:80], at])
    written = cursor.rowcount
    cursor.execute(_APPLY)
    if cursor.rowcount != written:
        raise LevelsChanged(f"{written - cursor.rowcount} of {written} balances refused the import")
    import_lots.record(cursor, document.reference, key, why, actor=actor, at=at)
    cursor.execute(_NOTICE)
    cursor.execute(_TOUCHED)
    touched = [level_id for (level_id,) in cursor.fetchall()]
    for first in range(0, len(touched), import_lots.PAGE):
        safety.settle(touched[first : first + import_lots.PAGE], actor=actor, at=at)


def _first_refused(cursor: CursorWrapper) -> tuple[RefusedRow, ...]:
    cursor.execute(f"SELECT row_number, code FROM {_STAGE} WHERE code <> '' ORDER BY row_number LIMIT %s", [SHOWN])
    return tuple(RefusedRow(number, stock_file.REASONS[code]) for number, code in cursor.fetchall())


def _results(cursor: CursorWrapper, also: str) -> bytes:
    """Return the staged rows with their results, gzipped; a reason is kept by its code, see ``stock_results``."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file,
        cursor.copy(_TELL.replace("%s", also)) as lines,
    ):
        for block in lines:
            file.write(block)
    return packed.getvalue()
