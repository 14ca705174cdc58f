"""Goods from outside at the desk: what is promised, what came of it, and what was wrong with it."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.admin import columns
from inventory.models import ExpectedReceipt, LotLevel, QualityHold, Receipt, Sku, StockLevel
from inventory.services import receipts
from tests import small_company as company
from tests.admin.keyed import typed
from tests.small_company import NOON, TESTER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_reasons")]
ADD = "/admin/inventory/expectedreceipt/add/"
LIST = "/admin/inventory/expectedreceipt/"
MAY_SEE, MAY_ACT, MAY_ADD = (f"inventory.{deed}_expectedreceipt" for deed in ("view", "change", "add"))


@pytest.fixture
def order(shop):
    """Ten cups and four lids that are still to come to SH."""
    _channel, cup, lid, near, _far = shop
    row = ExpectedReceipt(number="PO-1", node=near, supplier="Potters", due_date=date(2026, 11, 20))
    return receipts.expect(row, units={cup.pk: 10, lid.pk: 4}, actor=TESTER, at=NOON)


def page(name, row):
    return reverse(f"admin:inventory_expectedreceipt_{name}", args=[row.pk])


def came(order, number="R1", rest="later", **rows):
    """Return the fields of the receiving page: SKU code → (received, damaged, reason, note)."""
    told = {"number": number, "rest": rest}
    for line in order.lines.select_related("sku"):
        said = rows.get(line.sku.code, (0,))
        values = zip(("received", "damaged", "reason", "note"), (*said, *(0, 0, "", "")[len(said) :]), strict=True)
        told |= {f"line-{line.pk}-{name}": value for name, value in values}
    return told


def levels():
    rows = StockLevel.objects.filter(node__code="SH").order_by("sku__code")
    return list(rows.values_list("sku__code", "on_hand", "quality_hold"))


def standing(order):
    order.refresh_from_db()
    return order.status, list(order.lines.order_by("pk").values_list("quantity", "quantity_received"))


UNTOUCHED = [("CUP", 10, 0), ("LID", 10, 0)]


def test_a_promise_is_written_down(desk, shop):
    head = {"number": "PO-9", "supplier": "Potters", "node": shop[3].pk, "due_date": "2026-12-01"}
    answer = desk.post(ADD, head | typed(("CUP", 30), ("LID", 5)))
    row = ExpectedReceipt.objects.get()
    assert answer.url == page("change", row)
    assert (row.number, row.supplier, row.node, row.due_date, row.created_by) == (
        "PO-9", "Potters", shop[3], date(2026, 12, 1), "person:boss",
    )  # fmt: skip
    assert standing(row) == ("open", [(30, 0), (5, 0)])
    assert levels() == UNTOUCHED


@pytest.mark.parametrize(
    ("change", "rows", "words"),
    [
        ({}, [], "A receipt needs at least one line."),
        ({}, [("CUP", 0)], "A quantity must be above zero."),
        ({}, [("PAIR", 1)], "A bundle has no stock of its own: receive its parts."),
        ({"due_date": "soon"}, [("CUP", 1)], "Enter a valid date."),
        ({"due_date": ""}, [("CUP", 1)], "This field is required."),
        ({"node": ""}, [("CUP", 1)], "This field is required."),
        ({"number": "PO-1"}, [("CUP", 1)], "Number PO-1 stands for another receipt."),
    ],
    ids=["no lines", "zero", "bundle", "no day", "day missing", "no node", "number taken"],
)
def test_a_promise_that_cannot_be_is_refused_and_nothing_is_kept(desk, shop, order, change, rows, words):
    company.sku("PAIR", parts={shop[1]: 2})
    head = {"number": "PO-9", "supplier": "", "node": shop[3].pk, "due_date": "2026-12-01"}
    answer = desk.post(ADD, head | typed(*rows) | change)
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert [row.number for row in ExpectedReceipt.objects.all()] == ["PO-1"]


def test_what_came_is_received_and_the_damaged_units_are_held(desk, order):
    told = came(order, CUP=(6, 2, "damaged", "wet"), LID=(4,))
    assert desk.post(page("receive", order), told).url == page("change", order)
    assert standing(order) == ("part_received", [(10, 6), (4, 4)])
    assert levels() == [("CUP", 16, 2), ("LID", 14, 0)]
    assert QualityHold.objects.get().quantity == 2
    receipt = Receipt.objects.get()
    assert (receipt.number, receipt.expected, receipt.received_by) == ("R1", order, "person:boss")
    assert [form.line.sku.code for form in desk.get(page("receive", order)).context["lines"]] == ["CUP"]


def test_the_last_receipt_closes_the_order_with_a_reason_for_what_is_missing(desk, order):
    desk.post(page("receive", order), came(order, rest="never", CUP=(9, 0, "short", ""), LID=(4,)))
    assert standing(order) == ("received", [(10, 9), (4, 4)])
    assert list(Receipt.objects.get().lines.order_by("pk").values_list("reason_code", flat=True)) == ["short", ""]
    assert desk.get(page("receive", order)).url == page("change", order)


def test_the_same_receipt_sent_twice_counts_once(desk, order):
    desk.post(page("receive", order), came(order, CUP=(10,), LID=(4,)))
    answer = desk.post(page("receive", order), came(order, CUP=(1,)), follow=True)
    assert "This arrival was written down before; it counts once." in answer.content.decode()
    assert levels() == [("CUP", 20, 0), ("LID", 14, 0)]


@pytest.mark.parametrize(
    ("rest", "rows", "row", "words"),
    [
        ("later", {"CUP": (11,), "LID": (4,)}, 0, "11 came, but only 10 are still expected."),
        ("later", {"CUP": (1,), "LID": (5,)}, 1, "5 came, but only 4 are still expected."),
        ("later", {"CUP": (3, 4, "damaged", "")}, 0, "More units are damaged than came."),
        ("later", {"CUP": (3, 1, "", "")}, 0, "A reason is missing."),
        ("later", {"CUP": (3, 1, "wrong_item", "")}, 0, "Reason wrong_item needs a note."),
        ("never", {"CUP": (10,), "LID": (3,)}, 1, "A reason is missing."),
        ("never", {"CUP": (10,)}, 1, "A reason is missing."),
        ("later", {}, None, "A receipt needs at least one line."),
    ],
    ids=["above the order", "second row above", "more damaged", "no reason", "no note", "short without reason",
         "nothing without reason", "nothing at all"],
)  # fmt: skip
def test_a_receipt_that_cannot_be_is_refused_in_its_row_and_nothing_is_kept(desk, order, rest, rows, row, words):
    answer = desk.post(page("receive", order), came(order, rest=rest, **rows))
    assert answer.status_code == 200
    said = answer.context["head"] if row is None else answer.context["lines"][row]
    assert said.non_field_errors() == [words]
    assert words in answer.content.decode()
    assert (standing(order), levels(), Receipt.objects.count()) == (("open", [(10, 0), (4, 0)]), UNTOUCHED, 0)


@pytest.fixture
def milk(shop):
    """Twelve cartons that are still to come, of a SKU whose goods have lots."""
    milk = company.sku("MILK")
    Sku.objects.filter(pk=milk.pk).update(tracks_lots=True)
    row = ExpectedReceipt(number="PO-2", node=shop[3], due_date=date(2026, 11, 20))
    return receipts.expect(row, units={milk.pk: 12}, actor=TESTER, at=NOON)


def lots(order, *rows):
    """Return the fields of the receiving page for the lots of one line: (received, lot, expires on)."""
    line = order.lines.get()
    told = {"number": "R1", "rest": "later"}
    for number, (received, code, expires) in enumerate([*rows, *[(0, "", "")] * (3 - len(rows))]):
        prefix = f"line-{line.pk}-lot-{number}" if number else f"line-{line.pk}"
        told |= {f"{prefix}-received": received, f"{prefix}-damaged": 0, f"{prefix}-lot_code": code}
        told |= {f"{prefix}-expires_date": expires}
    return told


def test_goods_with_lots_are_received_lot_by_lot(desk, milk):
    soon, later = timezone.localdate() + timedelta(days=9), timezone.localdate() + timedelta(days=30)
    assert b"Expires on" in desk.get(page("receive", milk)).content
    told = lots(milk, (5, "L1", soon.isoformat()), (4, "L2", later.isoformat()))
    assert desk.post(page("receive", milk), told).url == page("change", milk)
    assert standing(milk) == ("part_received", [(12, 9)])
    found = LotLevel.objects.order_by("lot__code").values_list("lot__code", "lot__expires_date", "on_hand")
    assert list(found) == [("L1", soon, 5), ("L2", later, 4)]


def test_a_lot_past_its_date_is_refused_in_its_row_and_nothing_is_kept(desk, milk):
    past, later = timezone.localdate() - timedelta(days=1), timezone.localdate() + timedelta(days=30)
    told = lots(milk, (5, "L1", later.isoformat()), (4, "L2", past.isoformat()))
    answer = desk.post(page("receive", milk), told)
    assert [form.non_field_errors() for form in answer.context["lines"]] == [
        [], [f"Lot L2 is past its date {past:%Y-%m-%d}."], [],
    ]  # fmt: skip
    assert (standing(milk), LotLevel.objects.count(), Receipt.objects.count()) == (("open", [(12, 0)]), 0, 0)


def test_goods_without_lots_are_not_asked_for_them(desk, order):
    answer = desk.get(page("receive", order))
    assert ["lot_code" in form.fields for form in answer.context["lines"]] == [False, False]
    assert b"Expires on" not in answer.content


def test_a_negative_number_is_refused_beside_its_field(desk, order):
    answer = desk.post(page("receive", order), came(order, CUP=(-1,)))
    assert answer.context["lines"][0].errors["received"] == ["Ensure this value is greater than or equal to 0."]
    assert levels() == UNTOUCHED


def do(browser, verb, row, **told):
    url = f"{reverse('admin:inventory_expectedreceipt_verb', args=[verb])}?ids={row.pk}"
    return browser.post(url, {"go": "1"} | told, follow=True)


def test_the_date_is_moved(desk, order):
    assert b"This field is required." in do(desk, "slip", order).content
    do(desk, "slip", order, due_date="2026-12-24")
    order.refresh_from_db()
    assert order.due_date == date(2026, 12, 24)


def test_a_cancelled_receipt_takes_nothing_more_and_moves_no_more(desk, order):
    do(desk, "cancel", order)
    assert standing(order)[0] == "cancelled"
    answer = desk.post(page("receive", order), came(order, CUP=(1,)))
    assert "Receipt PO-1 is cancelled." in answer.content.decode()
    assert "Receipt PO-1 is cancelled." in do(desk, "slip", order, due_date="2026-12-24").content.decode()
    order.refresh_from_db()
    assert (order.due_date, levels()) == (date(2026, 11, 20), UNTOUCHED)


def test_late_ones_are_marked_and_found(desk, shop, order):
    today = timezone.localdate()
    ExpectedReceipt.objects.filter(pk=order.pk).update(due_date=today - timedelta(days=3))
    soon = ExpectedReceipt(number="PO-2", node=shop[3], due_date=today)
    receipts.expect(soon, units={shop[1].pk: 1}, actor=TESTER, at=NOON)
    html = desk.get(LIST).content.decode()
    assert html.count("3 d late") == 1
    found = {due: [row.number for row in desk.get(f"{LIST}?due={due}").context["cl"].result_list]
             for due in ("late", "today", "awaited", "nonsense")}  # fmt: skip
    assert found == {
        "late": ["PO-1"], "today": ["PO-2"], "awaited": ["PO-2", "PO-1"], "nonsense": ["PO-2", "PO-1"],
    }  # fmt: skip
    receipts.cancel(order.pk, at=NOON)
    assert "3 d late" not in desk.get(LIST).content.decode()


def test_the_pages_show_lines_and_receipts(desk, order):
    desk.post(page("receive", order), came(order, CUP=(6, 2, "damaged", "wet")))
    lines, so_far = desk.get(page("change", order)).context["tables"]
    assert [len(lines.rows), len(so_far.rows)] == [2, 1]
    receipt = Receipt.objects.get()
    [table] = desk.get(reverse("admin:inventory_receipt_change", args=[receipt.pk])).context["tables"]
    assert [str(cell) for cell in table.rows[0][4:]] == ["Damaged on arrival", "wet", columns.EMPTY, columns.EMPTY]


def test_a_receipt_is_never_written_by_hand(desk, order):
    desk.post(page("receive", order), came(order, CUP=(6,)))
    url = reverse("admin:inventory_receipt_change", args=[Receipt.objects.get().pk])
    assert desk.post(url, {"number": "X"}).status_code == 403
    assert desk.get("/admin/inventory/receipt/add/").status_code == 403


def test_who_may_only_look_changes_nothing(clerk, shop, order):
    reader = clerk(MAY_SEE)
    assert reader.get(page("change", order)).status_code == 200
    assert reader.get(ADD).status_code == 403
    assert reader.post(page("receive", order), came(order, CUP=(1,))).status_code == 403
    assert do(reader, "slip", order, due_date="2026-12-24").status_code == 403
    assert do(reader, "cancel", order).status_code == 403
    assert (standing(order), levels()) == (("open", [(10, 0), (4, 0)]), UNTOUCHED)


def test_promising_and_receiving_are_two_permissions(clerk, shop, order):
    head = {"number": "PO-9", "supplier": "", "node": shop[3].pk, "due_date": "2026-12-01"}
    buyer, receiver = clerk(MAY_SEE, MAY_ADD), clerk(MAY_SEE, MAY_ACT)
    assert buyer.post(ADD, head | typed(("CUP", 1))).status_code == 302
    assert buyer.post(page("receive", order), came(order, CUP=(1,))).status_code == 403
    assert receiver.post(page("receive", order), came(order, CUP=(1,))).status_code == 302
    assert receiver.get(ADD).status_code == 403
