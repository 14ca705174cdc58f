"""What really came: at most what was ordered, every discrepancy with its reason, damaged units on hold."""

from datetime import date, timedelta

import pytest

from inventory.models import ExpectedReceipt, QualityHold, Receipt, ReceiptLine, StockLevel, StockMovement
from inventory.services import receipts
from inventory.services.receipts import Arrival
from inventory.services.refusals import RowsRefused
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 6)


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def lid():
    return company.sku("LID")


@pytest.fixture
def here():
    return company.node("SH")


@pytest.fixture
def order(cup, lid, here):
    return expect(here, {cup.pk: 10, lid.pk: 4})


def expect(node, units, number="PO-1"):
    row = ExpectedReceipt(number=number, node=node, supplier="Kiln", due_date=FRIDAY)
    return receipts.expect(row, units=units, actor=TESTER, at=NOON)


def receive(node, *arrivals, number="R1", order=None, is_final=False):
    row = Receipt(number=number, node=node, expected=order)
    return receipts.receive(row, arrivals=arrivals, is_final=is_final, actor=TESTER, at=NOON)


def levels():
    rows = StockLevel.objects.order_by("sku__code").values_list("sku__code", "on_hand", "quality_hold")
    return {code: (on_hand, held) for code, on_hand, held in rows}


def state():
    rows = ExpectedReceipt.objects.values_list("number", "status", "lines__sku__code", "lines__quantity_received")
    return levels(), sorted(rows), Receipt.objects.count(), StockMovement.objects.count()


def refusals_of(*args, **kwargs):
    before = state()
    with pytest.raises(RowsRefused) as refused:
        receive(*args, **kwargs)
    assert state() == before
    return [(row.row_number, str(row.reason)) for row in refused.value.rows]


def test_an_order_comes_in_parts_and_a_receipt_counts_once(order, cup, lid, here):
    for _again in range(2):
        receive(here, Arrival(cup.pk, 6), order=order)
    order.refresh_from_db()
    assert (levels(), order.status, order.closed_at) == ({"CUP": (6, 0)}, "part_received", None)
    receive(here, Arrival(cup.pk, 4), Arrival(lid.pk, 4), number="R2", order=order)
    order.refresh_from_db()
    assert (levels(), order.status, order.closed_at) == ({"CUP": (10, 0), "LID": (4, 0)}, "received", NOON)
    told = ReceiptLine.objects.order_by("pk").values_list("receipt__number", "quantity_expected", "quantity_received")
    assert list(told) == [("R1", 10, 6), ("R2", 4, 4), ("R2", 4, 4)]
    refused = refusals_of(here, Arrival(cup.pk, 1), number="R3", order=order)
    assert refused == [(0, "Receipt PO-1 has been received already.")]


def test_above_the_order_nothing_is_received(order, cup, lid, here):
    receive(here, Arrival(cup.pk, 6), order=order)
    pot = company.sku("POT")
    arrivals = [Arrival(lid.pk, 4), Arrival(cup.pk, 5), Arrival(pot.pk, 1)]
    assert refusals_of(here, *arrivals, number="R2", order=order) == [
        (2, "5 came, but only 4 are still expected."),
        (3, "The SKU is not in the order. Receive it without one, or correct the order."),
    ]


def test_bad_rows_are_named_together(order, cup, lid, here):
    pair = company.sku("PAIR", parts={cup: 2})
    assert refusals_of(
        here,
        Arrival(cup.pk, -1),
        Arrival(lid.pk, 2, damaged=3, reason_code="damaged"),
        Arrival(lid.pk, 2, damaged=1),
        Arrival(pair.pk, 1),
    ) == [
        (1, "A quantity cannot be negative."),
        (2, "More units are damaged than came."),
        (3, "The SKU stands in an earlier row already."),
        (4, "A bundle has no stock of its own: receive its parts."),
    ]
    assert refusals_of(here) == [(0, "A receipt needs at least one line.")]
    assert refusals_of(here, Arrival(cup.pk, 2, damaged=1)) == [(1, "A reason is missing.")]
    other = company.node("WH", "42")
    assert refusals_of(other, Arrival(cup.pk, 1), order=order) == [(0, "The goods are expected at another node.")]


def test_damaged_units_are_on_hand_and_held(cup, here):
    receive(here, Arrival(cup.pk, 5, damaged=2, reason_code="damaged", note="wet"))
    assert levels() == {"CUP": (5, 2)}
    held = QualityHold.objects.get()
    assert (held.quantity, held.reason_code, held.note, held.owner, held.reference, held.ends_at) == (
        2, "damaged", "wet", "tester", "R1", NOON + timedelta(days=7),
    )  # fmt: skip


def test_the_last_receipt_says_why_the_rest_is_missing(order, cup, lid, here):
    assert refusals_of(here, Arrival(cup.pk, 9), order=order, is_final=True) == [
        (0, "Nothing is said about LID: give zero and a reason."),
        (1, "A reason is missing."),
    ]
    short = [Arrival(cup.pk, 9, reason_code="short"), Arrival(lid.pk, 0, reason_code="wrong_item", note="pots came")]
    receive(here, *short, order=order, is_final=True)
    order.refresh_from_db()
    assert (levels(), order.status) == ({"CUP": (9, 0)}, "received")
    assert list(ReceiptLine.objects.order_by("pk").values_list("quantity_received", "reason_code")) == [
        (9, "short"), (0, "wrong_item"),
    ]  # fmt: skip


def test_what_is_expected_is_written_once_can_slip_and_can_be_cancelled(order, cup, here):
    assert expect(here, {line.sku_id: line.quantity for line in order.lines.all()}).pk == order.pk
    with pytest.raises(RowsRefused, match="Number PO-1 stands for another receipt"):
        expect(here, {cup.pk: 1})
    with pytest.raises(RowsRefused, match="row 1: A quantity must be above zero"):
        expect(here, {cup.pk: -3}, number="PO-2")
    assert ExpectedReceipt.objects.count() == 1
    assert receipts.slip(order.pk, due_date=date(2026, 11, 9)).due_date == date(2026, 11, 9)
    receipts.cancel(order.pk, at=NOON)
    assert refusals_of(here, Arrival(cup.pk, 1), order=order) == [(0, "Receipt PO-1 is cancelled.")]
