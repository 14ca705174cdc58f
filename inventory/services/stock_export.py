"""Stock into a file that can be corrected and imported again: read as a stream, however many levels there are."""

from pathlib import Path
from typing import Final

import xlsxwriter
from django.db import connection

COLUMNS: Final = (
    "sku", "node", "on_hand", "reserved", "quality_hold", "safety_stock", "available", "lot", "expires",
)  # fmt: skip
# Goods with lots have a row for each of them; what is kept back of the whole level is in none of these.
_ROWS: Final = """
SELECT sku.code AS sku, node.code AS node, told.on_hand, told.reserved, told.quality_hold, told.safety_stock,
       greatest(0, told.on_hand - told.reserved - told.quality_hold - told.safety_stock) AS available,
       told.lot, to_char(told.expires_date, 'YYYY-MM-DD') AS expires
  FROM (SELECT level.sku_id, level.node_id, level.on_hand, level.reserved, level.quality_hold, level.safety_stock,
               '' AS lot, NULL::date AS expires_date
          FROM inventory_stocklevel AS level
         WHERE NOT EXISTS (SELECT FROM inventory_lotlevel AS lots WHERE lots.sku_id = level.sku_id
                              AND lots.node_id = level.node_id AND lots.on_hand > 0)
        UNION ALL
        SELECT lots.sku_id, lots.node_id, lots.on_hand, lots.reserved, lots.quality_hold, 0, lot.code, lot.expires_date
          FROM inventory_lotlevel AS lots JOIN inventory_lot AS lot ON lot.id = lots.lot_id
         WHERE lots.on_hand > 0) AS told
  JOIN inventory_sku AS sku ON sku.id = told.sku_id JOIN inventory_node AS node ON node.id = told.node_id
 ORDER BY sku.code, node.code, told.expires_date, told.lot
"""
_CHUNK: Final = 5000


def write(path: Path) -> int:
    """Write every stock level, or its lots, into a CSV or, by the name's ending, XLSX file; returns how many rows.

    Raises ``OSError`` when the file cannot be written.
    """
    return _write_sheet(path) if path.suffix.lower() == ".xlsx" else _write_csv(path)


def _write_csv(path: Path) -> int:
    safe = "CASE WHEN {0} ~ '^[=+@\\t\\r-]' THEN '''' || {0} ELSE {0} END AS {1}"
    rows = _ROWS.replace("sku.code AS sku", safe.format("sku.code", "sku"))
    rows = rows.replace("node.code AS node", safe.format("node.code", "node"))
    rows = rows.replace("told.lot,", safe.format("told.lot", "lot") + ",")
    with path.open("wb") as file, connection.cursor() as cursor:
        file.write(b"\xef\xbb\xbf")
        with cursor.copy(f"COPY ({rows}) TO STDOUT WITH (FORMAT csv, HEADER)") as lines:
            for block in lines:
                file.write(block)
        return int(cursor.rowcount)


def _write_sheet(path: Path) -> int:
    count = 0
    connection.ensure_connection()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book, connection.chunked_cursor() as cursor:
        sheet = book.add_worksheet("stock")
        sheet.write_row(0, 0, COLUMNS)
        cursor.execute(_ROWS)
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                count += 1
                sheet.write_row(count, 0, row)
    return count
