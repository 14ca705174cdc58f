"""Rows of text out of files: a workbook is read by a process of its own, and says what is wrong with it."""

from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from audit.rules import sheets, tables


def workbook(path: Path, *rows) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)
                else:
                    sheet.write(number, column, value)
    return path


def why(path: Path) -> str:
    with pytest.raises(tables.UnreadableFile) as refused:
        list(tables.rows(path))
    return str(refused.value)


def test_the_cells_of_a_workbook_are_told_as_the_sheet_shows_them(tmp_path):
    path = workbook(
        tmp_path / "库存.xlsx",
        ("sku", "units", "day"),
        (" 杯子 ", 7, date(2026, 12, 31)),
        ('a "quoted", word\nin two lines', 0.1 + 0.2, datetime(2026, 11, 2, 13, 30)),  # noqa: DTZ001 - a sheet knows no zones
        ("", True, 123456789012345678),
    )
    assert list(tables.rows(path)) == [
        ["sku", "units", "day"],
        ["杯子", "7", "2026-12-31"],
        ['a "quoted", word\nin two lines', "0.3", "2026-11-02 13:30:00"],
        ["", "yes", "1.23456789012346e+17"],
    ]


def test_a_file_that_is_no_workbook_says_so(tmp_path):
    path = tmp_path / "stock.xlsx"
    path.write_bytes(b"sku,node\n")
    assert why(path).startswith("stock.xlsx is not a workbook that can be read: ")


def test_a_reader_that_dies_is_no_empty_file(tmp_path, monkeypatch):
    path = workbook(tmp_path / "stock.xlsx", ("sku",), ("CUP",))
    monkeypatch.setattr(sheets, "__name__", "audit.rules.nothing_of_that_name")
    assert why(path) == "stock.xlsx could not be read to its end. Save it as CSV."
