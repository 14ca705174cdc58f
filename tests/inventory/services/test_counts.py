"""Blind counts: what is worth counting first, who must count again, and what the balances become."""

from datetime import timedelta
from decimal import Decimal

import pytest

from audit.rules.actors import Actor
from inventory.models import CountLine, Sku, StockCount, StockDifference, StockLevel, StockMovement
from inventory.queries import risk
from inventory.queries.risk import Risk
from inventory.services import counts, movements, reservations
from inventory.services.refusals import RowsRefused
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
LI = Actor("person", "li")


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def lid():
    return company.sku("LID")


@pytest.fixture
def here(cup, lid):
    node = company.node("SH")
    company.stock(cup, node, 100)
    company.stock(lid, node, 40)
    Sku.objects.filter(pk=cup.pk).update(unit_cost=2)
    Sku.objects.filter(pk=lid.pk).update(unit_cost=3)
    return node


@pytest.fixture
def count(here):
    return begin(here)


def begin(node, number="C1"):
    row = StockCount(number=number, node=node, limit_percent=Decimal(5), limit_value=Decimal(500))
    return counts.begin(row, risks=risk.ranking(node.pk), actor=TESTER, at=NOON)


def tell(count, units, actor=TESTER):
    lines = counts.tell(count.pk, units=units, actor=actor, at=LATER)
    return [line.sku.code for line in lines]


def on_hand():
    return dict(StockLevel.objects.order_by("sku__code").values_list("sku__code", "on_hand"))


def refusals_of(call, *args, **kwargs):
    before = on_hand(), sorted(CountLine.objects.values_list("sku", "status", "counted"))
    with pytest.raises(RowsRefused) as refused:
        call(*args, **kwargs)
    assert (on_hand(), sorted(CountLine.objects.values_list("sku", "status", "counted"))) == before
    return [(row.row_number, str(row.reason)) for row in refused.value.rows]


def apply(count):
    return counts.apply(count.pk, actor=LI, at=LATER)


def test_a_count_within_the_limits_corrects_stock_once(count, cup, lid):
    assert tell(count, {cup.pk: 96, lid.pk: 40}) == []
    assert [apply(count), apply(count)] == [1, 0]
    assert on_hand() == {"CUP": 96, "LID": 40}
    moved = StockMovement.objects.get(kind="count")
    assert (moved.quantity, moved.reference, moved.reason, moved.actor) == (
        -4, "C1", "96 ≠ 100 (person:tester)", "person:li",
    )  # fmt: skip


def test_what_is_expected_stays_hidden_until_somebody_has_counted(count):
    assert set(count.lines.values_list("expected", "counted")) == {(None, None)}


def test_above_the_limit_another_person_counts_again_and_that_counts(count, cup, lid):
    assert tell(count, {cup.pk: 90, lid.pk: 40}) == ["CUP"]
    assert refusals_of(apply, count) == [(1, "CUP must be counted again by another person.")]
    assert refusals_of(tell, count, {cup.pk: 99}) == [(1, "CUP must be counted again by another person.")]
    assert tell(count, {cup.pk: 93}, actor=LI) == []
    assert apply(count) == 1
    assert on_hand() == {"CUP": 93, "LID": 40}
    line = CountLine.objects.get(sku=cup)
    assert (line.first_counted, line.first_counted_by, line.counted, line.counted_by) == (
        90, "person:tester", 93, "person:li",
    )  # fmt: skip


def test_stock_that_moves_between_counting_and_applying_is_not_counted_away(count, cup, lid, here):
    tell(count, {cup.pk: 98, lid.pk: 40})
    company.stock(cup, here, 7)
    apply(count)
    assert on_hand() == {"CUP": 105, "LID": 40}


def test_bad_rows_are_named_and_nothing_is_kept(count, cup, lid):
    pot = company.sku("POT")
    tell(count, {lid.pk: 40})
    assert refusals_of(tell, count, {cup.pk: -1, lid.pk: 41, pot.pk: 1}) == [
        (1, "Nobody can count less than nothing."),
        (2, "LID is counted already."),
        (3, "The SKU is not in this count."),
    ]
    assert refusals_of(apply, count) == [(1, "CUP is not counted yet.")]


def test_a_count_below_the_promises_is_refused_until_parcels_are_stopped(count, cup, lid, here):
    reservations.reserve(Claim("O", (Want("P/1", "P", cup.pk, here.pk, 98),)), at=NOON)
    tell(count, {cup.pk: 96, lid.pk: 39})
    assert refusals_of(apply, count) == [
        (1, "CUP: 96 were found, but more are reserved or held. Stop parcels or decide on holds first.")
    ]
    reservations.release(["P"], at=NOON)
    assert apply(count) == 2


def test_a_sku_is_in_one_open_count_of_a_node(count, here, cup):
    assert risk.ranking(here.pk) == []
    again = StockCount(number="C2", node=here)
    risks = [Risk(cup.pk, "CUP", 0, 0, 1, Decimal(2))]
    assert refusals_of(counts.begin, again, risks=risks, actor=TESTER, at=NOON) == [
        (1, "CUP is being counted already.")
    ]
    counts.cancel(count.pk, actor=TESTER, at=NOON)
    assert counts.begin(again, risks=risks, actor=TESTER, at=NOON).lines.get().value_at_risk == Decimal(2)
    assert refusals_of(tell, count, {cup.pk: 1}) == [(1, "Count C1 is over.")]
    assert refusals_of(apply, count) == [(0, "Count C1 is over.")]


def test_value_at_risk_is_cost_by_rejections_drift_and_units_moved(here, cup, lid):
    assert risk.ranking(here.pk) == [
        Risk(cup.pk, "CUP", 0, 0, 100, Decimal("200.00")),
        Risk(lid.pk, "LID", 0, 0, 40, Decimal("120.00")),
    ]
    StockDifference.objects.create(
        check_name="on_hand", subject="LID@SH", sku=lid, node=here, stored=43, derived=40, found_at=NOON
    )
    assert risk.ranking(here.pk, rejections={lid.pk: 30}, most=1) == [Risk(lid.pk, "LID", 30, 3, 40, Decimal("219.00"))]


def test_a_count_ends_the_risk_of_what_moved_before_and_leaves_its_drift(count, here, cup, lid):
    tell(count, {cup.pk: 96, lid.pk: 40})
    apply(count)
    sale = movements.Movement("S1", lid.pk, here.pk, MovementKind.SHIPMENT, -2)
    movements.record([sale], actor=TESTER, at=LATER + timedelta(minutes=1))
    assert risk.ranking(here.pk) == [
        Risk(cup.pk, "CUP", 0, 4, 0, Decimal("8.00")),
        Risk(lid.pk, "LID", 0, 0, 2, Decimal("6.00")),
    ]
