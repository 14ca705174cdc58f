"""Stock into a file that can be corrected and imported again: read as a stream, however many levels there are."""

from pathlib import Path
from typing import Final

import xlsxwriter
from django.db import connection

COLUMNS: Final = ("sku", "node", "on_hand", "reserved", "quality_hold", "safety_stock", "available")
_ROWS: Final = """
SELECT sku.code AS sku, node.code AS node, level.on_hand, level.reserved, level.quality_hold, level.safety_stock,
       greatest(0, level.on_hand - level.reserved - level.quality_hold - level.safety_stock) AS available
  FROM inventory_stocklevel AS level
  JOIN inventory_sku AS sku ON sku.id = level.sku_id JOIN inventory_node AS node ON node.id = level.node_id
 ORDER BY sku.code, node.code
"""
_CHUNK: Final = 5000


def write(path: Path) -> int:
    """Write every stock level into a CSV or, by the name's ending, XLSX file; returns how many there were.

    Raises ``OSError`` when the file cannot be written.
    """
    return _write_sheet(path) if path.suffix.lower() == ".xlsx" else _write_csv(path)


def _write_csv(path: Path) -> int:
    safe = "CASE WHEN {0} ~ '^[=+@\\t\\r-]' THEN '''' || {0} ELSE {0} END AS {1}"
    rows = _ROWS.replace("sku.code AS sku", safe.format("sku.code", "sku"))
    rows = rows.replace("node.code AS node", safe.format("node.code", "node"))
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
