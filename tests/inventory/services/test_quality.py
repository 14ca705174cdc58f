"""Units on hold are on hand, promised to nobody, and leave the hold by a decision."""

from datetime import timedelta

import pytest

from audit.models import Case
from inventory.models import QualityHold, StockLevel, StockMovement
from inventory.queries import promise
from inventory.services import adjustments, quality, reservations
from inventory.services.adjustments import Adjustment
from inventory.services.quality import Decision, Keep
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, NotReservable, Want
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
FRIDAY = NOON + timedelta(days=4)


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here(cup):
    node = company.node("SH")
    company.stock(cup, node, 10)
    return node


def keep(sku, node, quantity, key="Q1", **facts):
    return Keep(
        key, sku.pk, node.pk, quantity, **{"reason_code": "suspected", "owner": "wang", "ends_at": FRIDAY} | facts
    )


def place(*keeps):
    return quality.place(keeps, actor=TESTER, at=NOON)


def decide(*decisions):
    quality.decide(decisions, actor=TESTER, at=NOON)


def figures():
    level = StockLevel.objects.get()
    return level.on_hand, level.reserved, level.quality_hold, level.available


def reserve(sku, node, quantity, key="P/1"):
    reservations.reserve(Claim("O", (Want(key, "P", sku.pk, node.pk, quantity),)), at=NOON)


def refusals_of(call, *rows):
    before = figures(), QualityHold.objects.count()
    with pytest.raises(RowsRefused) as refused:
        call(*rows)
    assert (figures(), QualityHold.objects.count()) == before
    return [(row.row_number, str(row.reason)) for row in refused.value.rows]


def test_held_units_are_on_hand_and_promised_to_nobody(cup, here):
    assert [place(keep(cup, here, 4)), place(keep(cup, here, 4))] == [1, 0]
    assert figures() == (10, 0, 4, 6)
    assert promise.promisable([cup.pk]) == {cup.pk: {here.pk: 6}}
    with pytest.raises(NotReservable):
        reserve(cup, here, 7)
    reserve(cup, here, 6)
    assert figures() == (10, 6, 4, 0)
    assert promise.promisable([cup.pk]) == {}


def test_what_is_promised_cannot_be_held_and_what_is_held_cannot_be_adjusted_away(cup, here):
    reserve(cup, here, 7)
    assert refusals_of(place, keep(cup, here, 4)) == [(1, "CUP at SH has not that many free units.")]
    place(keep(cup, here, 3))
    with pytest.raises(RowsRefused, match="CUP at SH has not that many free units"):
        adjustments.adjust([Adjustment("A", cup.pk, here.pk, -1, "lost")], actor=TESTER, at=NOON)
    assert figures() == (10, 7, 3, 0)


def test_a_decision_frees_some_scraps_some_and_holds_the_rest(cup, here):
    place(keep(cup, here, 6, reference="RMA-1"))
    decide(Decision(QualityHold.objects.get().pk, released=3, scrapped=2))
    assert figures() == (8, 0, 1, 7)
    scrapped = StockMovement.objects.get(kind="adjustment")
    assert (scrapped.quantity, scrapped.reference, scrapped.reason) == (-2, "RMA-1", "suspected: scrapped")
    first, rest = QualityHold.objects.order_by("pk")
    assert (first.quantity_released, first.quantity_scrapped, first.closed_at, first.closed_by) == (
        3, 2, NOON, "person:tester",
    )  # fmt: skip
    assert (rest.quantity, rest.closed_at, rest.owner, rest.ends_at) == (1, None, "wang", FRIDAY)
    decide(Decision(rest.pk, scrapped=1))
    assert figures() == (7, 0, 0, 7)
    assert refusals_of(decide, Decision(rest.pk, released=1)) == [(1, "This hold is closed already.")]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        pytest.param({"quantity": 0}, "A quantity must be above zero.", id="nothing"),
        pytest.param({"quantity": -2}, "A quantity must be above zero.", id="negative"),
        pytest.param({"owner": " "}, "Somebody must have the held goods in their care.", id="nobody"),
        pytest.param({"ends_at": NOON}, "The day of decision must lie ahead.", id="no time left"),
        pytest.param({"reason_code": "lost"}, "There is no reason code lost for this.", id="a reason of another use"),
        pytest.param({"reason_code": "recall"}, "Reason recall needs a note.", id="no note"),
    ],
)
def test_a_hold_without_its_facts_is_refused(cup, here, facts, why):
    good = keep(cup, here, 1, key="Q0")
    bad = keep(cup, here, facts.pop("quantity", 1), **facts)
    assert refusals_of(place, good, bad) == [(2, why)]


def test_nobody_decides_on_more_than_is_held_or_twice(cup, here):
    place(keep(cup, here, 2))
    pk = QualityHold.objects.get().pk
    assert refusals_of(decide, Decision(pk, released=2, scrapped=1)) == [(1, "Only 2 units are held.")]
    assert refusals_of(decide, Decision(pk, released=3, scrapped=-1)) == [(1, "A quantity must be above zero.")]
    assert refusals_of(decide, Decision(pk, released=1), Decision(pk, released=1)) == [(0, "A hold is named twice.")]


def test_an_overdue_hold_becomes_a_case_until_it_is_decided(cup, here):
    place(keep(cup, here, 2))
    assert [quality.remind(at=FRIDAY - timedelta(seconds=1)), quality.remind(at=FRIDAY), quality.remind(at=FRIDAY)] == [
        0, 1, 0,
    ]  # fmt: skip
    assert Case.objects.get().why["values"] == {"units": 2, "sku": "CUP", "node": "SH", "owner": "wang"}
    decide(Decision(QualityHold.objects.get().pk, released=2))
    assert Case.objects.get().status == "resolved"
