"""Invoices become orders, and cancellation invoices cancel what they mean and nothing else."""

import csv
from collections import Counter
from datetime import datetime

import pytest

from benchmarks import retail_file
from channels.adapters.file import translate
from channels.adapters.file.read import read, scan
from channels.adapters.protocol import Connection

MONDAY, TUESDAY = datetime.fromisoformat("2011-01-03T09:30"), datetime.fromisoformat("2011-01-04T10:00")
UK = "United Kingdom"
ROWS = [
    ("1", "85123A", "LIGHT HOLDER", 6, MONDAY, 2.55, 17850, UK),
    ("1", "71053", None, 2, MONDAY, 3.39, 17850, UK),
    ("2", "85123A", "LIGHT HOLDER", 6, MONDAY, 2.55, 17850, UK),
    ("3", "22633", "WARMER", 1, MONDAY, 1.85, None, "Unspecified"),
    ("3", "22633", "damaged", -4, MONDAY, 0.0, None, "Unspecified"),
    ("C4", "85123A", "LIGHT HOLDER", -6, TUESDAY, 2.55, 17850, UK),
    ("C5", "71053", "LANTERN", -1, TUESDAY, 3.39, 17850, UK),
    ("C6", "22633", "WARMER", -1, TUESDAY, 1.85, None, UK),
    ("1", "84029G", "BOTTLE", 3, TUESDAY, 0.001, 17850, UK),
]


def test_a_cancellation_cancels_the_latest_line_of_the_same_buyer_article_price_and_quantity():
    kept = retail_file.book(ROWS)

    assert [(i.number, i.placed_at, i.cancelled_at, len(i.lines)) for i in kept.invoices] == [
        ("1", MONDAY, None, 3),
        ("2", MONDAY, TUESDAY, 1),
        ("3", MONDAY, None, 1),
    ]
    assert kept.lines_left_out == 3  # the write-off, the return of one of two, the cancellation by nobody
    assert kept.sold() == Counter({"85123A": 6, "71053": 2, "22633": 1, "84029G": 3})


def test_the_file_is_what_the_import_reads(tmp_path):
    path = tmp_path / "orders.csv"
    retail_file.write(retail_file.book(ROWS), path)
    connection = Connection(
        code="R", base_url="", credentials={}, options={"time_zone": "Europe/London"}, currency="GBP"
    )

    orders = [translate.translate(part, connection) for part in read(path, scan(path))]

    first, second, third = orders
    assert [(line.sku_code, line.title, line.quantity, str(line.unit_price)) for line in first.lines] == [
        ("85123A", "LIGHT HOLDER", 6, "2.55"),
        ("71053", "71053", 2, "3.39"),
        ("84029G", "BOTTLE", 3, "0.001"),
    ]
    assert (first.buyer_key, first.address.country, first.placed_at.isoformat()) == (
        "17850", "GB", "2011-01-03T09:30:00+00:00",
    )  # fmt: skip
    assert (second.external_id, second.cancelled_at.isoformat()) == ("2", "2011-01-04T10:00:00+00:00")
    assert (third.buyer_key, third.address.country) == ("", "ZZ")


def test_the_real_invoices_convert_without_a_rest(tmp_path):
    source = retail_file.source()
    if not source.exists():
        pytest.skip(f"the data set {source.name} is not here (REAL_DATA_DIR)")
    kept = retail_file.read(source)

    assert len({invoice.number for invoice in kept.invoices}) == len(kept.invoices) == 14_874
    assert sum(len(invoice.lines) for invoice in kept.invoices) == 363_254
    path = tmp_path / "orders.csv"
    retail_file.write(kept, path)
    with path.open(newline="") as file:
        assert sum(1 for _row in csv.reader(file)) == 363_255
