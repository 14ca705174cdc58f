"""Lots in stock files: each lot by itself where the file names lots, the whole level where it does not."""

import csv
import io
from datetime import date

import pytest

from inventory.models import Lot, LotLevel, StockLevel, StockMovement
from inventory.services import reservations, stock_export, stock_import, stock_results
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import adds_up, after, lying
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
BY_LOT = ("sku", "node", "on_hand", "lot", "expires")


@pytest.fixture
def milk():
    return dated.milk()


@pytest.fixture
def here(milk):
    """Two units expired yesterday, four keep ten days; three cups have no lots."""
    node = company.node("SH")
    dated.put(dated.lot(milk, "OLD", after(-1)), node, 2)
    dated.put(dated.lot(milk, "SOON", after(10)), node, 4)
    company.stock(company.sku("CUP"), node, 3)
    return node


def take_in(*rows, header=BY_LOT, **options):
    return stock_import.take_in(iter([header, *rows]), file_name="stock.csv", actor=TESTER, at=NOON, **options)


def told(outcome):
    return [(row.row_number, str(row.reason)) for row in outcome.refused]


def state():
    return (
        list(StockLevel.objects.order_by("pk").values_list("on_hand", "reserved", "quality_hold")),
        list(LotLevel.objects.order_by("pk").values_list("lot", "node", "on_hand", "reserved", "quality_hold")),
        list(Lot.objects.order_by("pk").values_list("code", "expires_date")),
        StockMovement.objects.count(),
    )


def test_a_file_that_names_lots_sets_each_by_itself(milk, here):
    outcome = take_in(
        ["MILK", "SH", "1", "OLD", ""],
        ["MILK", "SH", "7", "NEW", "2027-01-31"],
        ["MILK", "SH", "5", "", "2027/02/28"],
        ["MILK", "SH", "3", "", ""],
        ["CUP", "SH", "8", "", ""],
    )
    assert (told(outcome), outcome.document.rows_changed, outcome.document.units_added) == ([], 5, 20)
    assert lying(milk, here) == {
        "": (3, 0, 0), "2027-02-28": (5, 0, 0), "NEW": (7, 0, 0), "OLD": (1, 0, 0), "SOON": (4, 0, 0),
    }  # fmt: skip
    assert adds_up(milk, here)
    assert Lot.objects.get(code="NEW").expires_date == date(2027, 1, 31)
    assert StockLevel.objects.get(sku__code="CUP").on_hand == 8
    lines = list(csv.reader(io.StringIO(b"".join(stock_results.as_csv(outcome.document)).decode("utf-8-sig"))))
    assert lines[:3] == [
        ["row", "sku", "node", "lot", "was", "now", "change", "refused_because"],
        ["2", "MILK", "SH", "OLD", "2", "1", "-1", ""],
        ["3", "MILK", "SH", "NEW", "0", "7", "7", ""],
    ]


@pytest.mark.parametrize(
    ("on_hand", "then"),
    [
        pytest.param("3", {"OLD": (0, 0, 0), "SOON": (3, 0, 0)}, id="gone, expired first"),
        pytest.param("9", {"": (3, 0, 0), "OLD": (2, 0, 0), "SOON": (4, 0, 0)}, id="come, unlabelled"),
    ],
)
def test_a_file_without_lots_is_about_the_whole_level(milk, here, on_hand, then):
    assert told(take_in(["MILK", "SH", on_hand], header=("sku", "node", "on_hand"))) == []
    assert lying(milk, here) == then
    assert adds_up(milk, here)


def test_bad_lots_refuse_the_file_and_each_is_told(milk, here):
    before = state()
    outcome = take_in(
        ["MILK", "SH", "1", "OLD", ""],
        ["MILK", "SH", "9", "OLD", ""],
        ["MILK", "SH", "4", "SOON", "2026-12-01"],
        ["CUP", "SH", "4", "A", ""],
        ["MILK", "SH", "4", "B", "soon"],
        ["MILK", "SH", "4", "C", "2026-10-01"],
        ["MILK", "SH", "4", "D", "2027-01-01"],
        ["MILK", "WH?", "4", "D", "2027-01-01"],
        ["MILK", "SH", "4", "L" * 41, ""],
    )
    assert told(outcome) == [
        (3, "An earlier row names the same SKU, node and lot."),
        (4, "The lot is known with another date. Correct one of the two."),
        (5, "This SKU has no lots."),
        (6, "The date is not like 2026-12-31."),
        (7, "The lot is past its date."),
        (9, "There is no such node."),
        (10, "The row cannot be read."),
    ]
    assert state() == before


def test_one_new_lot_with_two_dates_is_refused(milk, here):
    company.node("WH", "42")
    outcome = take_in(["MILK", "SH", "1", "X", "2027-01-01"], ["MILK", "WH", "1", "X", "2027-01-02"])
    assert told(outcome) == [(3, "The lot is known with another date. Correct one of the two.")]


def test_a_known_lot_past_its_date_can_only_become_less(milk, here):
    assert told(take_in(["MILK", "SH", "3", "OLD", ""])) == [(2, "The lot is past its date.")]
    assert told(take_in(["MILK", "SH", "0", "OLD", ""])) == []
    assert lying(milk, here)["OLD"] == (0, 0, 0)


def test_a_lot_is_never_imported_below_what_is_promised_of_it(milk, here):
    reservations.reserve(Claim("P", (Want("P/1", "P", milk.pk, here.pk, 3),)), at=NOON)
    before = state()
    assert told(take_in(["MILK", "SH", "2", "SOON", ""])) == [
        (2, "More units are reserved or held than would be left.")
    ]
    assert state() == before
    assert told(take_in(["MILK", "SH", "3", "SOON", ""])) == []


def test_an_import_of_lots_is_taken_back_lot_by_lot(milk, here):
    before = lying(milk, here)
    document = take_in(["MILK", "SH", "1", "OLD", ""], ["MILK", "SH", "7", "SOON", ""]).document
    stock_import.undo(document.pk, actor=TESTER, at=NOON)
    assert lying(milk, here) == before
    assert adds_up(milk, here)


def test_an_import_of_lots_that_was_used_stays(milk, here):
    document = take_in(["MILK", "SH", "1", "OLD", ""], ["MILK", "SH", "7", "SOON", ""]).document
    reservations.reserve(Claim("P", (Want("P/1", "P", milk.pk, here.pk, 3),)), at=NOON)
    before = state()
    with pytest.raises(RowsRefused, match="Stock of this import has been used since: MILK@SH"):
        stock_import.undo(document.pk, actor=TESTER, at=NOON)
    assert state() == before


def test_what_is_exported_can_be_imported_again(milk, here, tmp_path):
    dated.put(dated.lot(milk, ""), here, 1)
    path = tmp_path / "stock.csv"
    assert stock_export.write(path) == 4
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert rows == [
        ["CUP", "SH", "3", "0", "0", "0", "3", "", ""],
        ["MILK", "SH", "2", "0", "0", "0", "2", "OLD", "2026-11-01"],
        ["MILK", "SH", "4", "0", "0", "0", "4", "SOON", "2026-11-12"],
        ["MILK", "SH", "1", "0", "0", "0", "1", "", ""],
    ]
    outcome = take_in(*rows, header=header)
    assert (told(outcome), outcome.document.rows_changed) == ([], 0)
