"""A stock file is taken whole or not at all, tells the result of each row, and can be taken back in time."""

import csv
import io

import pytest

from inventory.models import StockImport, StockLevel, StockMovement
from inventory.rules.stock_file import UnreadableStockFile
from inventory.services import movements, reservations, stock_import, stock_results
from inventory.services.movements import Movement
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def lid():
    return company.sku("LID")


@pytest.fixture
def here(cup, lid):
    node = company.node("SH")
    company.stock(cup, node, 10)
    return node


def take_in(*rows, header=("sku", "node", "on_hand"), **options):
    return stock_import.take_in(iter([header, *rows]), file_name="stock.csv", actor=TESTER, at=NOON, **options)


def undo(document):
    return stock_import.undo(document.pk, actor=TESTER, at=NOON)


def on_hand():
    return dict(StockLevel.objects.order_by("sku__code").values_list("sku__code", "on_hand"))


def results(document):
    return list(csv.reader(io.StringIO(b"".join(stock_results.as_csv(document)).decode("utf-8-sig"))))


def sell(sku, node, units=1):
    sale = Movement(f"S{units}", sku.pk, node.pk, MovementKind.SHIPMENT, -units)
    movements.record([sale], actor=TESTER, at=NOON)


def reserve(sku, node, units):
    reservations.reserve(Claim("O", (Want("P/1", "P", sku.pk, node.pk, units),)), at=NOON)


def test_a_file_sets_stock_and_the_ledger_says_by_which_file(cup, lid, here):
    outcome = take_in(["CUP", "SH", "7"], ["LID", "SH", "4"], ["", "", ""])
    document = outcome.document
    assert (document.status, document.rows_read, document.rows_refused, document.rows_changed) == ("applied", 2, 0, 2)
    assert (document.units_added, document.units_removed, outcome.refused) == (4, 3, ())
    assert on_hand() == {"CUP": 7, "LID": 4}
    moved = StockMovement.objects.filter(kind="import").order_by("pk")
    assert list(moved.values_list("key", "quantity", "reference", "reason", "actor")) == [
        (
            f"import:stock-import-{document.pk}:2",
            -3,
            f"stock-import-{document.pk}",
            "import: stock.csv",
            "person:tester",
        ),
        (
            f"import:stock-import-{document.pk}:3",
            4,
            f"stock-import-{document.pk}",
            "import: stock.csv",
            "person:tester",
        ),
    ]
    assert results(document) == [
        ["row", "sku", "node", "was", "now", "change", "refused_because"],
        ["2", "CUP", "SH", "10", "7", "-3", ""],
        ["3", "LID", "SH", "0", "4", "4", ""],
    ]


def test_a_file_of_changes_adds_and_removes(cup, lid, here):
    take_in(["SH", "+2", "LID"], ["SH", "-3", "CUP"], [], header=("仓库", "增减", "货号"))
    assert on_hand() == {"CUP": 7, "LID": 2}


def test_the_same_file_again_changes_nothing(cup, here):
    take_in(["CUP", "SH", "7"])
    document = take_in(["CUP", "SH", "7"]).document
    assert (document.status, document.rows_changed, StockMovement.objects.count()) == ("applied", 0, 2)


def test_one_wrong_row_refuses_the_file_and_each_wrong_row_is_told(cup, lid, here):
    company.sku("PAIR", parts={cup: 2})
    outcome = take_in(
        ["LID", "SH", "4"],
        ["GHOST", "SH", "1"],
        ["CUP", "MOON", "1"],
        ["CUP", "SH", "-1"],
        ["CUP", "SH", "1.5"],
        ["CUP", "SH"],
        None,
        ["PAIR", "SH", "1"],
        ["LID", "SH", "5"],
        ["=1+1", "SH", "999999999999"],
        ["C\0P", "SH", "1"],
    )
    assert (outcome.document.status, outcome.document.rows_read, outcome.document.rows_refused) == ("refused", 11, 10)
    assert [(row.row_number, str(row.reason)) for row in outcome.refused] == [
        (3, "There is no such SKU."),
        (4, "There is no such node."),
        (5, "Stock on hand cannot be negative."),
        (6, "The quantity is not a whole number."),
        (7, "SKU, node or quantity is missing."),
        (8, "The row cannot be read."),
        (9, "A bundle has no stock of its own: import its parts."),
        (10, "An earlier row names the same SKU and node."),
        (11, "The quantity is not a whole number."),
        (12, "The row cannot be read."),
    ]
    assert on_hand() == {"CUP": 10}
    assert results(outcome.document)[10][:3] == ["11", "'=1+1", "SH"]


def test_a_wrong_sku_in_row_nine_thousand_is_named_and_nothing_is_done(cup, here):
    skus = company.sku("S0").category.sku_set
    skus.model.objects.bulk_create(skus.model(code=f"N{n}", name="N", category=cup.category) for n in range(2, 10_001))
    rows = [[f"N{n}" if n != 9000 else "GHOST", "SH", "1"] for n in range(2, 10_001)]
    outcome = take_in(*rows)
    assert [(row.row_number, str(row.reason)) for row in outcome.refused] == [(9000, "There is no such SKU.")]
    assert (outcome.document.rows_read, outcome.document.rows_refused) == (9999, 1)
    assert on_hand() == {"CUP": 10}
    assert results(outcome.document)[8999][-1] == "There is no such SKU."


def test_what_is_promised_is_never_imported_away(cup, here):
    reserve(cup, here, 6)
    assert [str(row.reason) for row in take_in(["CUP", "SH", "5"]).refused] == [
        "More units are reserved or held than would be left."
    ]
    header = ("sku", "node", "change")
    assert take_in(["CUP", "SH", "-5"], header=header).document.status == "refused"
    assert take_in(["CUP", "SH", "-4"], header=header).document.status == "applied"
    assert on_hand() == {"CUP": 6}


def test_a_dry_run_tells_everything_and_does_nothing(cup, lid, here):
    document = take_in(["CUP", "SH", "7"], ["LID", "SH", "4"], is_dry_run=True).document
    assert (document.status, document.rows_changed, document.units_added, document.units_removed) == (
        "checked",
        2,
        4,
        3,
    )
    assert results(document)[1:] == [["2", "CUP", "SH", "10", "7", "-3", ""], ["3", "LID", "SH", "0", "4", "4", ""]]
    assert (on_hand(), StockMovement.objects.count()) == ({"CUP": 10}, 1)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(("sku", "node"), id="no quantity"),
        pytest.param(("sku", "on_hand"), id="no node"),
        pytest.param(("sku", "node", "on_hand", "change"), id="both quantities"),
        pytest.param(("sku", "货号", "node", "on_hand"), id="a column twice"),
        pytest.param((), id="empty"),
    ],
)
def test_a_file_without_its_columns_is_not_read(here, header):
    with pytest.raises(UnreadableStockFile):
        take_in(["CUP", "SH", "7"], header=header)
    assert StockImport.objects.count() == 0


def test_an_import_is_taken_back_while_nothing_used_it(cup, lid, here):
    document = take_in(["CUP", "SH", "7"], ["LID", "SH", "4"]).document
    company.stock(cup, here, 2)
    assert undo(document).status == "undone"
    assert on_hand() == {"CUP": 12, "LID": 0}
    assert list(StockMovement.objects.filter(key__startswith="undo").values_list("quantity", flat=True)) == [3, -4]
    with pytest.raises(RowsRefused, match="This import is not in force"):
        undo(document)


@pytest.mark.parametrize("use", [pytest.param(sell, id="sold"), pytest.param(reserve, id="promised")])
def test_an_import_that_was_used_stays(cup, lid, here, use):
    document = take_in(["CUP", "SH", "7"], ["LID", "SH", "4"]).document
    use(lid, here, 1)
    before = on_hand()
    with pytest.raises(RowsRefused, match="Stock of this import has been used since: LID@SH"):
        undo(document)
    document.refresh_from_db()
    assert (on_hand(), document.status) == (before, "applied")


def test_a_promise_that_was_given_back_does_not_keep_an_import(cup, here):
    document = take_in(["CUP", "SH", "20"]).document
    reserve(cup, here, 1)
    reservations.release(["P"], at=NOON)
    undo(document)
    assert on_hand() == {"CUP": 10}


def test_only_an_import_in_force_is_undone(cup, here):
    document = take_in(["GHOST", "SH", "7"]).document
    with pytest.raises(RowsRefused, match="This import is not in force"):
        undo(document)
