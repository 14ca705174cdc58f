"""A ledger of a million movements verified, and a stock file of two hundred thousand rows imported."""

import csv
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import xlsxwriter
from django.db import connection

from benchmarks import machine
from benchmarks.figures import Figures, at_most
from benchmarks.machine import ROOT, Database, empty_tables, settle
from benchmarks.options import Options
from inventory.models import StockLevel, StockMovement

SKUS = 20_000
NODES = 10
MOVEMENTS = 1_000_000
HEADER = ("sku", "node", "on_hand")
BESIDE = ("reserved", "quality_hold", "safety_stock", "available", "lot", "expires")  # in a workbook that we export
Row = tuple[str, str, int]

# Each level begins with units enough; four movements more each bring and take; the balance is their sum.
_FILL = f"""
INSERT INTO inventory_category (code, name, name_en) VALUES ('bench', 'bench', '');
INSERT INTO inventory_sku (code, name, name_en, kind, category_id, brand, barcode, list_price, unit_cost, weight_g,
                           is_active)
SELECT 'B' || n, 'B' || n, '', 'single', (SELECT id FROM inventory_category), '', '', 10, 5, 500, true
  FROM generate_series(1, {SKUS}) AS n;
INSERT INTO inventory_node (code, name, name_en, kind, region, city, latitude, longitude, serves, parcels_per_day,
                            is_active)
SELECT 'N' || n, 'N' || n, '', 'store', '31', '上海', 31.2, 121.5, '{{}}', 1000, true
  FROM generate_series(1, {NODES}) AS n;
INSERT INTO inventory_stockmovement (key, sku_id, node_id, kind, quantity, reference, reason, actor, moved_at)
SELECT sku.id || '/' || node.id || '/' || step, sku.id, node.id,
       CASE WHEN step = 1 THEN 'opening' ELSE 'adjustment' END,
       CASE WHEN step = 1 THEN 100 WHEN step % 2 = 0 THEN -3 ELSE 2 END, '', '', 'job:benchmark', now()
  FROM inventory_sku AS sku CROSS JOIN inventory_node AS node
 CROSS JOIN generate_series(1, {MOVEMENTS // SKUS // NODES}) AS step;
INSERT INTO inventory_stocklevel (sku_id, node_id, on_hand, reserved, safety_stock, own_safety_stock, quality_hold)
SELECT sku_id, node_id, sum(quantity), 0, 0, 0, 0 FROM inventory_stockmovement GROUP BY sku_id, node_id;
"""


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Measure the verification, then the import over the same levels."""
    figures.heading(f"ledger: {MOVEMENTS:,} movements of {SKUS * NODES:,} levels")
    empty_tables()
    with connection.cursor() as cursor:
        cursor.execute(_FILL)
    settle()
    figures.show("ledger_movements", StockMovement.objects.count())
    _show_verify(figures)
    _show_import(figures)


def _show_verify(figures: Figures) -> None:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "manage.py", "verify"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    figures.show("verify_seconds", time.perf_counter() - began, at_most(60))
    figures.show("verify_exit_code", done.returncode, at_most(0))
    found = re.findall(r"_differences: (\d+)", done.stdout)
    figures.show("verify_checks", len(found))
    figures.show("verify_differences", sum(map(int, found)), at_most(0))


def _show_import(figures: Figures) -> None:
    """Import one unit more of every level, from each kind of file."""
    figures.show("import_rows", SKUS * NODES)
    for prefix, ending, write in (("import", "csv", _write_text), ("import_xlsx", "xlsx", _write_workbook)):
        levels = StockLevel.objects.order_by("pk").values_list("sku__code", "node__code", "on_hand")
        before = StockMovement.objects.filter(kind="import", quantity=1).count()
        with tempfile.TemporaryDirectory(prefix="orderhub-bench-") as folder:
            path = Path(folder) / f"stock.{ending}"
            write(path, ((sku, node, units + 1) for sku, node, units in levels.iterator()))
            cost = machine.command("import_stock", str(path))
        figures.show(f"{prefix}_seconds", cost.seconds, at_most(60))
        figures.show(f"{prefix}_peak_rss_mb", cost.peak_mb, at_most(200))
        figures.show(f"{prefix}_processes_together_mb", cost.together_mb)
        figures.show(f"{prefix}_exit_code", cost.exit_code, at_most(0))
        changed = StockMovement.objects.filter(kind="import", quantity=1).count() - before
        figures.show(f"{prefix}_levels_not_changed", SKUS * NODES - changed, at_most(0))


def _write_text(path: Path, rows: Iterator[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)


def _write_workbook(path: Path, rows: Iterator[Row]) -> None:
    with xlsxwriter.Workbook(path) as workbook:  # its words stand in a table of their own, as spreadsheets write it
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, (*HEADER, *BESIDE))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, (*row, *range(4), "", ""))
