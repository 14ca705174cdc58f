"""Transfers from the first draft to the last unit, as people write them down and receive them at the desk."""

from datetime import date

import pytest
from django.urls import reverse

from inventory.models import StockLevel, Transfer
from inventory.services import transfers
from tests import small_company as company
from tests.admin.keyed import typed
from tests.small_company import NOON, TESTER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_reasons")]
ADD = "/admin/inventory/transfer/add/"
MAY_SEE, MAY_ACT, MAY_ADD = "inventory.view_transfer", "inventory.change_transfer", "inventory.add_transfer"


@pytest.fixture
def route(shop):
    _channel, _cup, _lid, near, far = shop
    return {"number": "T1", "source": near.pk, "destination": far.pk, "arrives_date": "2026-11-30", "note": "by rail"}


@pytest.fixture
def sent(shop):
    _channel, cup, lid, near, far = shop
    row = transfers.draft(
        Transfer(number="T1", source=near, destination=far), units={cup.pk: 3, lid.pk: 2}, actor=TESTER, at=NOON
    )
    transfers.send([row.pk], actor=TESTER, at=NOON)
    return row


def page(name, row):
    return reverse(f"admin:inventory_transfer_{name}", args=[row.pk])


def contents(row):
    return list(row.lines.order_by("pk").values_list("sku__code", "quantity", "quantity_received"))


def on_hand(sku, node):
    return getattr(StockLevel.objects.filter(sku=sku, node=node).first(), "on_hand", 0)


def arrived(row, key="k1", **units):
    lines = {line.sku.code: line.pk for line in row.lines.select_related("sku")}
    return {"key": key} | {f"line-{pk}-units": units.get(code, 0) for code, pk in lines.items()}


def test_a_draft_is_written_with_codes_and_barcodes(desk, shop, route):
    company.sku("POT")
    type(shop[2]).objects.filter(code="LID").update(barcode="6900000000017")
    answer = desk.post(ADD, route | typed(("CUP", 3), ("", ""), ("6900000000017", 2)))
    row = Transfer.objects.get()
    assert answer.url == page("change", row)
    assert (row.number, row.source, row.destination, str(row.arrives_date), row.note, row.status, row.created_by) == (
        "T1", shop[3], shop[4], "2026-11-30", "by rail", "draft", "person:boss",
    )  # fmt: skip
    assert contents(row) == [("CUP", 3, 0), ("LID", 2, 0)]
    assert (on_hand(shop[1], shop[3]), on_hand(shop[2], shop[3])) == (10, 10)


def test_the_same_form_sent_twice_is_one_transfer(desk, route):
    for _time in range(2):
        assert desk.post(ADD, route | typed(("CUP", 3))).status_code == 302
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "rows", "words"),
    [
        ({"destination": "source"}, [("CUP", 3)], "A transfer cannot go to its own node."),
        ({}, [], "A transfer needs at least one line."),
        ({}, [("CUP", 0)], "A quantity must be above zero."),
        ({}, [("CUP", -2)], "A quantity must be above zero."),
        ({}, [("CUP", "many")], "Enter a whole number."),
        ({}, [("GHOST", 1)], "There is no such SKU."),
        ({}, [("CUP", 1), ("CUP", 2)], "The SKU stands in an earlier row already."),
        ({}, [("CUP", "")], "How many?"),
        ({}, [("", 4)], "Which SKU?"),
        ({}, [("PAIR", 1)], "A bundle has no stock of its own: move its parts."),
        ({"source": ""}, [("CUP", 1)], "This field is required."),
        ({"source": "99999"}, [("CUP", 1)], "Select a valid choice."),
        ({"number": "OTHER"}, [("CUP", 1)], "Number OTHER stands for another transfer."),
        ({"lines-TOTAL_FORMS": "x"}, [("CUP", 1)], "ManagementForm data is missing"),
    ],
    ids=["own node", "no lines", "zero", "negative", "not a number", "unknown", "twice", "no quantity", "no SKU",
         "bundle", "no source", "wrong source", "number taken", "broken form"],
)  # fmt: skip
def test_what_cannot_be_done_is_said_beside_its_field_and_nothing_is_kept(desk, shop, route, change, rows, words):
    company.sku("PAIR", parts={shop[1]: 2})
    other = Transfer(number="OTHER", source=shop[4], destination=shop[3])
    transfers.draft(other, units={shop[1].pk: 1}, actor=TESTER, at=NOON)
    if change.get("destination") == "source":
        change = {"destination": route["source"]}
    answer = desk.post(ADD, route | typed(*rows) | change)
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert [row.number for row in Transfer.objects.all()] == ["OTHER"]


def test_a_refused_row_keeps_what_was_typed_and_says_why_in_that_row(desk, route):
    answer = desk.post(ADD, route | typed(("CUP", 3), ("LID", 0)))
    lines = answer.context["lines"]
    assert [form.errors.get("quantity") for form in lines.filled] == [None, ["A quantity must be above zero."]]
    assert [form["sku"].value() for form in lines.filled] == ["CUP", "LID"]


def test_a_draft_is_edited_until_it_leaves(desk, shop, route):
    desk.post(ADD, route | typed(("CUP", 3), ("LID", 2)))
    row = Transfer.objects.get()
    asked = desk.get(page("edit", row)).context
    assert [form.initial for form in asked["lines"].forms[:2]] == [
        {"sku": "CUP", "quantity": 3}, {"sku": "LID", "quantity": 2},
    ]  # fmt: skip
    told = typed(("", ""), ("LID", 4), known=2)
    desk.post(page("edit", row), route | told | {"note": "by road", "arrives_date": ""})
    row.refresh_from_db()
    assert (row.number, row.note, row.arrives_date, contents(row)) == ("T1", "by road", None, [("LID", 4, 0)])
    transfers.send([row.pk], actor=TESTER, at=NOON)
    assert desk.get(page("edit", row)).url == page("change", row)
    answer = desk.post(page("edit", row), route | typed(("LID", 1)))
    assert "Transfer T1 is on its way already." in answer.content.decode()
    assert contents(row) == [("LID", 4, 0)]


def test_what_came_is_received_line_by_line(desk, shop, sent):
    assert desk.post(page("receive", sent), arrived(sent, CUP=2)).url == page("change", sent)
    sent.refresh_from_db()
    assert (sent.status, contents(sent)) == ("part_received", [("CUP", 3, 2), ("LID", 2, 0)])
    assert (on_hand(shop[1], shop[4]), on_hand(shop[2], shop[4])) == (12, 0)
    desk.post(page("receive", sent), arrived(sent, key="k2", CUP=1, LID=2))
    sent.refresh_from_db()
    assert (sent.status, on_hand(shop[1], shop[4]), on_hand(shop[2], shop[4])) == ("received", 13, 2)
    assert desk.get(page("receive", sent)).url == page("change", sent)


def test_the_same_arrival_sent_twice_counts_once(desk, shop, sent):
    for units in (3, 1):
        desk.post(page("receive", sent), arrived(sent, CUP=units, LID=2 if units == 3 else 0))
    assert (on_hand(shop[1], shop[4]), on_hand(shop[2], shop[4])) == (13, 2)


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ({"CUP": 1, "LID": 3}, "3 arrived, but only 2 are on their way."),
        ({"CUP": -1}, "Ensure this value is greater than or equal to 0."),
        ({}, "Nothing came: say how many units of at least one line."),
    ],
    ids=["too many", "negative", "nothing"],
)
def test_an_arrival_that_cannot_be_is_refused_and_nothing_moves(desk, shop, sent, units, words):
    answer = desk.post(page("receive", sent), arrived(sent, **units))
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert contents(sent) == [("CUP", 3, 0), ("LID", 2, 0)]
    assert on_hand(shop[1], shop[4]) == 10


def test_units_told_of_a_line_that_came_meanwhile_are_refused_not_forgotten(desk, shop, sent):
    told = arrived(sent, CUP=1, LID=2)
    transfers.receive(sent.pk, key="other", units={shop[2].pk: 2}, actor=TESTER, at=NOON)
    answer = desk.post(page("receive", sent), told)
    assert "2 arrived, but only 0 are on their way." in answer.content.decode()
    assert contents(sent) == [("CUP", 3, 0), ("LID", 2, 2)]


def test_the_page_shows_its_lines(desk, sent):
    [table] = desk.get(page("change", sent)).context["tables"]
    assert [[str(cell) for cell in row][0] for row in table.rows] == ["CUP", "LID"]
    assert 'class="figure">3<' in str(table.rows[0][1])


def test_the_day_of_one_on_its_way_is_moved_and_of_one_that_came_is_not(desk, sent):
    url = reverse("admin:inventory_transfer_verb", args=["slip"]) + f"?ids={sent.pk}"
    html = desk.post(url, {"due_date": "2026-12-24"}, follow=True).content.decode()
    sent.refresh_from_db()
    assert ("The date is moved." in html, sent.arrives_date) == (True, date(2026, 12, 24))
    assert '<span class="nowrap">2026-12-24</span>' in desk.get(page("change", sent)).content.decode()
    transfers.receive(sent.pk, key="all", units=dict(sent.lines.values_list("sku", "quantity")), actor=TESTER, at=NOON)
    html = desk.post(url, {"due_date": "2026-12-31"}, follow=True).content.decode()
    sent.refresh_from_db()
    assert ("The date is moved." in html, sent.arrives_date) == (False, date(2026, 12, 24))


def test_who_may_only_look_can_neither_write_nor_receive(clerk, shop, route, sent):
    reader = clerk(MAY_SEE)
    assert reader.get(page("change", sent)).status_code == 200
    assert reader.get(ADD).status_code == 403
    assert reader.post(ADD, route | {"number": "T2"} | typed(("CUP", 1))).status_code == 403
    assert reader.post(page("edit", sent), route | typed(("CUP", 1))).status_code == 403
    assert reader.post(page("receive", sent), arrived(sent, CUP=1)).status_code == 403
    assert (Transfer.objects.count(), contents(sent)) == (1, [("CUP", 3, 0), ("LID", 2, 0)])


def test_writing_and_receiving_are_two_permissions(clerk, shop, route, sent):
    writer, receiver = clerk(MAY_SEE, MAY_ADD), clerk(MAY_SEE, MAY_ACT)
    assert writer.post(ADD, route | {"number": "T2"} | typed(("CUP", 1))).status_code == 302
    assert writer.post(page("receive", sent), arrived(sent, CUP=1)).status_code == 403
    assert receiver.post(page("receive", sent), arrived(sent, CUP=1)).status_code == 302
    assert receiver.get(ADD).status_code == 403
