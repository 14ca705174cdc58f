"""What changes stock or what will come says so, once it is kept."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import transaction

from audit.services.waking import Happening
from inventory.models import ExpectedReceipt, Receipt, Transfer
from inventory.services import adjustments, receipts, reservations, transfers
from inventory.services.adjustments import Adjustment
from inventory.services.receipts import Arrival
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
SUPPLY, STOCK = Happening.SUPPLY_CHANGED, Happening.STOCK_CAME


@pytest.fixture
def said(monkeypatch, django_capture_on_commit_callbacks):
    """Give a function that runs a deed and tells what it said on commit, each word once."""

    def tell(deed: Callable[[], object]) -> set[Happening]:
        with django_capture_on_commit_callbacks() as callbacks:
            deed()
        return {callback.args[0] for callback in callbacks}

    return tell


@pytest.fixture
def cup():
    cup = company.sku("CUP")
    company.stock(cup, company.node("SH"), 10)
    company.node("WH", "42")
    return cup


def node(code):
    return company.Node.objects.get(code=code)


def test_receipts_say_what_they_change(cup, said):
    row = ExpectedReceipt(number="PO", node=node("SH"), due_date=date(2026, 12, 1))
    expect = lambda: receipts.expect(row, units={cup.pk: 5}, actor=TESTER, at=NOON)  # noqa: E731
    assert said(expect) == {SUPPLY}
    assert said(lambda: receipts.slip(row.pk, due_date=date(2026, 12, 9))) == {SUPPLY}
    receipt = Receipt(number="R", node=row.node, expected=row)
    receive = lambda: receipts.receive(receipt, arrivals=[Arrival(cup.pk, 2)], actor=TESTER, at=NOON)  # noqa: E731
    assert said(receive) == {SUPPLY, STOCK}
    assert said(receive) == set(), "the same receipt again changes nothing"
    assert said(lambda: receipts.cancel(row.pk, at=NOON)) == {SUPPLY}


def test_transfers_say_what_they_change(cup, said):
    row = Transfer(number="T", source=node("SH"), destination=node("WH"))
    assert said(lambda: transfers.draft(row, units={cup.pk: 4}, actor=TESTER, at=NOON)) == set()
    assert said(lambda: transfers.send([row.pk], actor=TESTER, at=NOON)) == {SUPPLY}
    assert said(lambda: transfers.reschedule(row.pk, arrives_date=date(2026, 12, 9))) == {SUPPLY}
    receive = lambda: transfers.receive(row.pk, key="a", units={cup.pk: 3}, actor=TESTER, at=NOON)  # noqa: E731
    assert said(receive) == {SUPPLY, STOCK}
    give_up = lambda: transfers.give_up(row.pk, reason_code="short", actor=TESTER, at=NOON)  # noqa: E731
    assert said(give_up) == {SUPPLY}


def test_what_leaves_wakes_nobody_and_what_is_found_does(cup, said):
    where = node("SH").pk
    reservations.reserve(Claim("A", (Want("A", "P", cup.pk, where, 2),)), at=NOON)
    ship = lambda: reservations.consume(["P"], kind=MovementKind.SHIPMENT, actor=TESTER, at=NOON)  # noqa: E731
    assert said(ship) == set()
    found = [Adjustment("X", cup.pk, where, 3, "found")]
    assert said(lambda: adjustments.adjust(found, actor=TESTER, at=NOON)) == {STOCK}
    assert said(lambda: adjustments.adjust(found, actor=TESTER, at=NOON)) == set()


def test_a_refused_verb_says_nothing(cup, said):
    row = ExpectedReceipt(number="PO", node=node("SH"), due_date=date(2026, 12, 1))

    def refused():
        with pytest.raises(RowsRefused), transaction.atomic():
            receipts.expect(row, units={cup.pk: 0}, actor=TESTER, at=NOON)

    assert said(refused) == set()
    assert ExpectedReceipt.objects.count() == 0
