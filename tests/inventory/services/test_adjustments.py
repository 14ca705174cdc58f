"""Correcting stock by hand: reasons are checked, and one bad row keeps all out."""

import pytest

from inventory.models import ReasonCode, StockLevel, StockMovement
from inventory.services import adjustments, reservations
from inventory.services.adjustments import Adjustment
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here(cup):
    node = company.node("SH")
    company.stock(cup, node, 10)
    return node


def adjust(*changes):
    return adjustments.adjust(changes, actor=TESTER, at=NOON)


def refusals_of(*changes):
    with pytest.raises(RowsRefused) as refused:
        adjust(*changes)
    assert StockMovement.objects.filter(kind="adjustment").count() == 0
    return [(row.row_number, str(row.reason)) for row in refused.value.rows]


def test_an_adjustment_is_a_movement_with_its_reason(cup, here):
    lost = Adjustment("A1", cup.pk, here.pk, -3, "lost", "shelf 4")
    found = Adjustment("A2", cup.pk, here.pk, 1, "found")
    assert [adjust(lost, found), adjust(lost, found)] == [2, 0]
    assert StockLevel.objects.get(sku=cup, node=here).on_hand == 8
    kept = StockMovement.objects.filter(kind="adjustment").order_by("key").values_list("key", "quantity", "reason")
    assert list(kept) == [("adjustment:A1", -3, "lost: shelf 4"), ("adjustment:A2", 1, "found")]


def test_every_bad_row_is_named_and_nothing_is_done(cup, here):
    ReasonCode.objects.filter(use="adjustment", code="expired").update(is_active=False)
    assert refusals_of(
        Adjustment("A1", cup.pk, here.pk, -1, "lost"),
        Adjustment("A2", cup.pk, here.pk, 0, "lost"),
        Adjustment("A3", cup.pk, here.pk, 2, "lost"),
        Adjustment("A4", cup.pk, here.pk, -2, "found"),
        Adjustment("A5", cup.pk, here.pk, -1, "own_use", "  "),
        Adjustment("A6", cup.pk, here.pk, -1, "expired"),
        Adjustment("A7", cup.pk, here.pk, -1, ""),
        Adjustment("A8", cup.pk, here.pk, -1, "recall", "of another use"),
    ) == [
        (2, "A change of nothing is no adjustment."),
        (3, "Reason lost does not fit the direction of the change."),
        (4, "Reason found does not fit the direction of the change."),
        (5, "Reason own_use needs a note."),
        (6, "There is no reason code expired for this."),
        (7, "A reason is missing."),
        (8, "There is no reason code recall for this."),
    ]


def test_what_is_promised_is_never_adjusted_away(cup, here):
    reservations.reserve(Claim("O", (Want("P/1", "P", cup.pk, here.pk, 8),)), at=NOON)
    lid = company.sku("LID")
    company.stock(lid, here, 5)
    assert refusals_of(
        Adjustment("A1", lid.pk, here.pk, -5, "lost"), Adjustment("A2", cup.pk, here.pk, -3, "lost")
    ) == [(2, "CUP at SH has not that many free units.")]
    assert StockLevel.objects.get(sku=lid, node=here).on_hand == 5
