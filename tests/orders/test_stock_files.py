"""The commands for stock files: out, corrected, in again; and 200,000 rows within a minute and 200 MB."""

import csv
import json
import os
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from inventory.models import StockLevel
from tests import small_company as company

ROWS = 200_000
SECONDS = 60
MEGABYTES = 200
MEASURE = """
import json, resource, sys, django
django.setup()
from django.core.management import call_command
call_command("import_stock", sys.argv[1])
print("peak_mb:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.fixture
def stocked(db):
    cup, lid, here = company.sku("CUP"), company.sku("=LID"), company.node("SH")
    company.stock(cup, here, 10)
    company.stock(lid, here, 4)
    return cup, lid, here


@pytest.mark.parametrize("name", ["stock.csv", "stock.xlsx"])
def test_what_is_exported_can_be_imported_again(stocked, tmp_path, capsys, name):
    call_command("export_stock", str(tmp_path / name))
    assert capsys.readouterr().out.splitlines()[0] == "rows: 2"
    StockLevel.objects.update(on_hand=3)
    call_command("import_stock", str(tmp_path / name))
    told = capsys.readouterr().out.splitlines()
    assert told[1:6] == ["status: applied", "rows_read: 2", "rows_refused: 0", "rows_changed: 2", "units_added: 8"]
    assert sorted(StockLevel.objects.values_list("on_hand", flat=True)) == [4, 10]


def test_an_export_holds_no_formula(stocked, tmp_path):
    call_command("export_stock", str(tmp_path / "stock.csv"))
    with (tmp_path / "stock.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["sku", "node", "on_hand", "reserved", "quality_hold", "safety_stock", "available", "lot", "expires"],
            ["'=LID", "SH", "4", "0", "0", "0", "4", "", ""],
            ["CUP", "SH", "10", "0", "0", "0", "10", "", ""],
        ]


def test_a_refused_file_fails_and_names_its_rows(stocked, tmp_path, capsys):
    file = tmp_path / "stock.csv"
    file.write_text("sku,node,on_hand\nCUP,SH,3\nGHOST,SH,1\n")
    with pytest.raises(SystemExit) as ended:
        call_command("import_stock", str(file))
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert told.out.splitlines()[0] == "row 3: There is no such SKU."
    assert "Nothing was imported" in told.err
    assert StockLevel.objects.get(sku__code="CUP").on_hand == 10
    results = (tmp_path / "stock.csv.results.csv").read_text(encoding="utf-8-sig").splitlines()
    assert results[2] == "3,GHOST,SH,,,,There is no such SKU."


def test_a_dry_run_and_an_undo_by_command(stocked, tmp_path, capsys):
    file = tmp_path / "stock.csv"
    file.write_text("sku,node,on_hand\nCUP,SH,3\n")
    call_command("import_stock", str(file), "--dry-run")
    assert "status: checked" in capsys.readouterr().out
    assert StockLevel.objects.get(sku__code="CUP").on_hand == 10
    call_command("import_stock", str(file))
    number = capsys.readouterr().out.splitlines()[0].removeprefix("import: ")
    assert StockLevel.objects.get(sku__code="CUP").on_hand == 3
    call_command("import_stock", "--undo", number)
    assert StockLevel.objects.get(sku__code="CUP").on_hand == 10
    with pytest.raises(CommandError, match="This import is not in force"):
        call_command("import_stock", "--undo", number)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param((), "Name a file", id="nothing named"),
        pytest.param(("gone.csv",), "gone.csv: No such file", id="no such file"),
        pytest.param(("--undo", "987654"), "There is no import 987654", id="no such import"),
    ],
)
def test_what_cannot_be_done_is_said(db, arguments, why):
    with pytest.raises(CommandError, match=why):
        call_command("import_stock", *arguments)


@pytest.mark.load
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["stock.csv", "stock.xlsx"])
def test_two_hundred_thousand_rows_within_a_minute_and_200_mb(tmp_path, capsys, name):
    node, first = company.node("SH"), company.sku("CUP")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_sku (code, name, name_en, kind, category_id, brand, barcode, list_price, unit_cost,"
            " weight_g, is_active) SELECT 'SKU-' || n, 'S', '', 'single', %s, '', '', 1, 1, 1, true"
            " FROM generate_series(1, %s) AS n",
            [first.category_id, ROWS],
        )
        cursor.execute(
            "INSERT INTO inventory_stocklevel (sku_id, node_id, on_hand, reserved, safety_stock)"
            " SELECT id, %s, 5, 0, 0 FROM inventory_sku WHERE code LIKE 'SKU-%%'",
            [node.pk],
        )
    call_command("export_stock", str(tmp_path / name))
    StockLevel.objects.update(on_hand=0)
    capsys.readouterr()
    environment = os.environ | {"DATABASE_URL": _own_database(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / name)],
        capture_output=True, text=True, env=environment, check=True, timeout=300,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    with capsys.disabled():
        print(f"\n{name}: {json.dumps(told)} wall {seconds:.1f} s")  # noqa: T201
    assert (told["status"], told["rows_changed"], told["units_added"]) == ("applied", str(ROWS), str(ROWS * 5))
    assert seconds < SECONDS
    assert int(told["peak_mb"]) < MEGABYTES


def _own_database() -> str:
    """Return the address of the test's database for a process of its own."""
    settings = connection.settings_dict
    host = settings["HOST"] or ""
    account = f"{settings['USER']}:{settings['PASSWORD']}@" if settings["USER"] else ""
    if host.startswith("/"):
        return f"postgresql://{account}%2F{host[1:].replace('/', '%2F')}:{settings['PORT'] or 5432}/{settings['NAME']}"
    return f"postgresql://{account}{host}:{settings['PORT'] or 5432}/{settings['NAME']}"
