"""Stock on hand: every change is a ledger row, and the balance is their sum."""

import pytest
from django.db import IntegrityError, transaction

from inventory.models import StockLevel, StockMovement
from inventory.services import movements, reservations
from inventory.services.movements import Movement, NotEnoughOnHand
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here():
    return company.node("SH")


def record(*changes):
    return movements.record(changes, actor=TESTER, at=NOON)


def on_hand(sku, node):
    return StockLevel.objects.get(sku=sku, node=node).on_hand


def test_the_first_receipt_opens_the_level(cup, here):
    assert record(Movement("r1", cup.pk, here.pk, MovementKind.RECEIPT, 5, reference="PO-1", reason="supplier")) == 1
    assert on_hand(cup, here) == 5
    assert StockMovement.objects.values_list("key", "quantity", "reference", "reason", "actor", "moved_at").get() == (
        "r1", 5, "PO-1", "supplier", "person:tester", NOON,
    )  # fmt: skip


def test_a_key_moves_stock_once_even_within_one_call(cup, here):
    receipt = Movement("r1", cup.pk, here.pk, MovementKind.RECEIPT, 5)
    assert record(receipt, receipt) == 1
    assert record(receipt, Movement("r2", cup.pk, here.pk, MovementKind.RECEIPT, 1)) == 1
    assert on_hand(cup, here) == 6
    assert StockMovement.objects.count() == 2


def test_what_is_promised_cannot_be_taken_out(cup, here):
    record(Movement("r1", cup.pk, here.pk, MovementKind.RECEIPT, 5))
    reservations.reserve(Claim("O", (Want("P/1", "P", cup.pk, here.pk, 4),)), at=NOON)
    with pytest.raises(NotEnoughOnHand) as refused:
        record(Movement("a1", cup.pk, here.pk, MovementKind.ADJUSTMENT, -2))
    assert refused.value.levels == [(cup.pk, here.pk)]
    assert (on_hand(cup, here), StockMovement.objects.count()) == (5, 1)
    assert record(Movement("a2", cup.pk, here.pk, MovementKind.ADJUSTMENT, -1)) == 1
    assert on_hand(cup, here) == 4


def test_where_there_is_no_level_nothing_goes_out(cup, here):
    with pytest.raises(NotEnoughOnHand):
        record(Movement("a1", cup.pk, here.pk, MovementKind.ADJUSTMENT, -1))
    assert StockLevel.objects.count() == 0


def test_one_impossible_movement_takes_the_whole_call_back(cup, here):
    other = company.node("WH", "42")
    with pytest.raises(NotEnoughOnHand), transaction.atomic():
        record(
            Movement("t1", cup.pk, here.pk, MovementKind.TRANSFER_IN, 3),
            Movement("t2", cup.pk, other.pk, MovementKind.TRANSFER_OUT, -3),
        )
    assert (StockLevel.objects.count(), StockMovement.objects.count()) == (0, 0)


def test_in_and_out_in_one_call_are_judged_by_their_sum(cup, here):
    out = Movement("o1", cup.pk, here.pk, MovementKind.COUNT, -2)
    back = Movement("i1", cup.pk, here.pk, MovementKind.COUNT, 5)
    assert record(out, back) == 2
    assert on_hand(cup, here) == 3


def test_a_movement_of_nothing_is_refused_by_the_database(cup, here):
    record(Movement("r1", cup.pk, here.pk, MovementKind.RECEIPT, 5))
    with pytest.raises(IntegrityError, match="a_movement_moves_something"), transaction.atomic():
        record(Movement("z", cup.pk, here.pk, MovementKind.COUNT, 0))
    assert (on_hand(cup, here), StockMovement.objects.count()) == (5, 1)


def test_no_movements_are_no_change():
    assert record() == 0
