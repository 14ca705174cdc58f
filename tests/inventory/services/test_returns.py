"""Returned goods: in stock at once, promised only after somebody has looked at them."""

import pytest

from inventory.models import QualityHold, StockLevel, StockMovement
from inventory.services import returns
from inventory.services.quality import Keep, place
from inventory.services.refusals import RowsRefused
from inventory.services.returns import Back, Inspection
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here():
    return company.node("SH")


def take_back(*backs):
    return returns.take_back(backs, owner="li", actor=TESTER, at=NOON)


def inspect(*inspections):
    returns.inspect(inspections, actor=TESTER, at=NOON)


def figures():
    level = StockLevel.objects.get()
    return level.on_hand, level.quality_hold, level.available


def test_returned_units_wait_and_are_sorted(cup, here):
    back = Back("RMA-1/1", cup.pk, here.pk, 5, "RMA-1")
    assert [take_back(back), take_back(back)] == [1, 0]
    assert figures() == (5, 5, 0)
    waiting = QualityHold.objects.get()
    assert (waiting.owner, waiting.reason_code, waiting.reference) == ("li", "inspection", "RMA-1")
    inspect(Inspection(waiting.pk, good=3, bad=1, reason_code="defective", note="crack"))
    assert figures() == (4, 1, 3)
    assert list(StockMovement.objects.order_by("pk").values_list("kind", "quantity", "reference", "reason")) == [
        ("return", 5, "RMA-1", ""),
        ("adjustment", -1, "RMA-1", "defective: crack"),
    ]
    inspect(Inspection(QualityHold.objects.get(closed_at=None).pk, good=1, bad=0, reason_code="as_new"))
    assert figures() == (4, 0, 4)


def test_bad_rows_change_nothing(cup, here):
    with pytest.raises(RowsRefused, match="row 2: A quantity must be above zero"):
        take_back(Back("A", cup.pk, here.pk, 1, "A"), Back("B", cup.pk, here.pk, -1, "B"))
    assert StockMovement.objects.count() == 0
    take_back(Back("A", cup.pk, here.pk, 2, "A"))
    waiting = QualityHold.objects.get()
    inspect(Inspection(waiting.pk, good=1, bad=0, reason_code="as_new"))
    place([Keep("Q", cup.pk, here.pk, 1, "suspected", "li", waiting.ends_at)], actor=TESTER, at=NOON)
    other, rest = QualityHold.objects.get(key="Q"), QualityHold.objects.get(key__startswith="return:A#")
    with pytest.raises(RowsRefused) as refused:
        inspect(Inspection(other.pk, 1, 0, "as_new"), Inspection(rest.pk, 0, 1, "as_new"))
    assert [(row.row_number, str(row.reason)) for row in refused.value.rows] == [
        (1, "These goods do not wait for inspection."),
        (2, "Reason as_new does not fit the direction of the change."),
    ]
    assert figures() == (2, 2, 0)
