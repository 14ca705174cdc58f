"""Every figure opens into its rows, now and as of a past moment."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from inventory.models import (
    ExpectedReceipt,
    QualityHold,
    Receipt,
    Reservation,
    SafetyRule,
    StockLevel,
    StockMovement,
    Transfer,
)
from inventory.queries.derivation import derive
from inventory.services import movements, quality, receipts, reservations, safety_rules, transfers
from inventory.services.movements import Movement
from inventory.services.quality import Decision, Keep
from inventory.services.receipts import Arrival
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
NAMES = ("on_hand", "reserved", "quality_hold", "safety_stock", "available", "in_transit", "expected")


def hour(n):
    return NOON + timedelta(hours=n)


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here(cup):
    node = company.node("SH")
    company.stock(cup, node, 10)
    StockLevel.objects.update(safety_stock=2)
    return node


def reserve(sku, node, quantity, key, at):
    reservations.reserve(Claim(key, (Want(key, f"P-{key}", sku.pk, node.pk, quantity),)), at=at)


def figures(sku, node, at=None):
    derived = derive(sku.pk, node.pk, at=at)
    assert tuple(figure.name for figure in derived.figures) == NAMES
    return tuple(derived[name].value for name in NAMES)


def test_each_figure_has_its_parts_and_rows_and_what_is_stored(cup, here):
    reserve(cup, here, 3, "A", hour(1))
    sale = Movement("S", cup.pk, here.pk, MovementKind.SHIPMENT, -1, reference="P-0")
    movements.record([sale], actor=TESTER, at=hour(2))
    derived = derive(cup.pk, here.pk)
    on_hand = derived["on_hand"]
    assert (on_hand.value, on_hand.parts, on_hand.count, on_hand.stored, on_hand.differs) == (
        9, (("opening", 10, 1), ("shipment", -1, 1)), 2, 9, False,
    )  # fmt: skip
    assert [(row.model, row.kind, row.quantity, row.at, row.reference) for row in on_hand.rows] == [
        ("inventory.stockmovement", "shipment", -1, hour(2), "P-0"),
        ("inventory.stockmovement", "opening", 10, NOON, ""),
    ]
    assert [(row.quantity, row.reference) for row in derived["reserved"].rows] == [(3, "P-A")]
    assert derived["available"].parts == (
        ("on_hand", 9, 1), ("reserved", -3, 1), ("quality_hold", 0, 1), ("safety_stock", -2, 1),
    )  # fmt: skip
    assert (derived["available"].value, derived["available"].stored) == (4, 4)
    assert (derived["safety_stock"].value, derived["safety_stock"].stored) == (2, 2)


def test_a_spoilt_balance_shows_itself(cup, here):
    StockLevel.objects.update(on_hand=12)
    assert derive(cup.pk, here.pk)["on_hand"].differs
    assert not derive(cup.pk, here.pk)["reserved"].differs


def test_stock_can_be_asked_as_of_any_hour(cup, here):
    reserve(cup, here, 3, "A", hour(1))
    reserve(cup, here, 1, "B", hour(2))
    reservations.consume(["P-A"], kind=MovementKind.SHIPMENT, actor=TESTER, at=hour(3))
    reservations.release(["P-B"], at=hour(4))
    quality.place([Keep("Q", cup.pk, here.pk, 4, "suspected", "li", hour(99))], actor=TESTER, at=hour(5))
    quality.decide([Decision(QualityHold.objects.get().pk, released=1, scrapped=1)], actor=TESTER, at=hour(6))
    past = {n: figures(cup, here, hour(n))[:5] for n in range(-1, 7)}
    assert past == {
        -1: (0, 0, 0, 2, 0),
        0: (10, 0, 0, 2, 8),
        1: (10, 3, 0, 2, 5),
        2: (10, 4, 0, 2, 4),
        3: (7, 1, 0, 2, 4),
        4: (7, 0, 0, 2, 5),
        5: (7, 0, 4, 2, 1),
        6: (6, 0, 2, 2, 2),
    }
    assert figures(cup, here)[:5] == past[6]
    assert derive(cup.pk, here.pk, at=hour(6))["on_hand"].stored is None


def test_what_is_on_its_way_is_in_no_node_and_seen_by_both(cup, here):
    there = company.node("WH", "42")
    row = transfers.draft(
        Transfer(number="T1", source=here, destination=there), units={cup.pk: 6}, actor=TESTER, at=hour(1)
    )
    transfers.send([row.pk], actor=TESTER, at=hour(2))
    transfers.receive(row.pk, key="A", units={cup.pk: 4}, actor=TESTER, at=hour(3))
    transfers.give_up(row.pk, reason_code="short", actor=TESTER, at=hour(4))
    seen = {n: (figures(cup, here, hour(n))[0], *figures(cup, there, hour(n))[::5]) for n in range(1, 5)}
    assert seen == {1: (10, 0, 0), 2: (4, 0, 6), 3: (4, 4, 2), 4: (4, 4, 0)}
    assert figures(cup, there)[5] == 0
    [one] = derive(cup.pk, there.pk, at=hour(3))["in_transit"].rows
    assert (one.model, one.quantity, one.reference, one.at) == ("inventory.transfer", 2, "T1", hour(2))


def test_what_suppliers_owe_shrinks_with_each_receipt(cup, here):
    row = ExpectedReceipt(number="PO", node=here, due_date=date(2026, 11, 6))
    order = receipts.expect(row, units={cup.pk: 10}, actor=TESTER, at=hour(1))
    for n, units in ((2, 6), (3, 4)):
        receipt = Receipt(number=f"R{n}", node=here, expected=order)
        receipts.receive(receipt, arrivals=[Arrival(cup.pk, units)], actor=TESTER, at=hour(n))
    seen = {n: (figures(cup, here, hour(n))[0], figures(cup, here, hour(n))[6]) for n in range(4)}
    assert seen == {0: (10, 0), 1: (10, 10), 2: (16, 4), 3: (20, 0)}
    assert figures(cup, here)[6] == 0


def test_a_level_that_never_was_is_all_zero(here):
    lid = company.sku("LID")
    assert figures(lid, here) == (0, 0, 0, 0, 0, 0, 0)
    assert (StockMovement.objects.filter(sku=lid).count(), Reservation.objects.count()) == (0, 0)


def test_the_number_of_queries_does_not_grow_with_the_rows(cup, here, django_assert_num_queries):
    for n in range(5):
        reserve(cup, here, 1, f"K{n}", hour(n))
    with django_assert_num_queries(11):
        derive(cup.pk, here.pk)


def test_safety_stock_opens_its_changes_and_names_the_rule_behind_it(cup, here):
    """Two units of its own; a rule asks for five, a narrower one for three, then the first is all there is."""
    StockLevel.objects.update(own_safety_stock=2)
    wide, narrow = SafetyRule(name="All", amount=Decimal(5)), SafetyRule(name="Cups", amount=Decimal(3), sku=cup)
    for n, rule in ((1, wide), (2, narrow)):
        safety_rules.save_draft(rule, reason="peak", actor=TESTER, at=hour(n))
        safety_rules.publish(rule.pk, reason="peak", actor=TESTER, at=hour(n))
    safety_rules.retire(narrow.pk, reason="over", actor=TESTER, at=hour(3))
    told = {n: derive(cup.pk, here.pk, at=hour(n))["safety_stock"] for n in range(4)}
    assert {n: (figure.value, figure.parts) for n, figure in told.items()} == {
        0: (2, (("own", 2, 0),)),
        1: (5, (("All", 5, 1),)),
        2: (3, (("Cups", 3, 2),)),
        3: (5, (("All", 5, 3),)),
    }
    assert [(row.kind, row.quantity, row.at, row.reference) for row in told[3].rows] == [
        ("All", 2, hour(3), "person:tester"),
        ("Cups", -2, hour(2), "person:tester"),
        ("All", 3, hour(1), "person:tester"),
    ]
    now = derive(cup.pk, here.pk)["safety_stock"]
    assert (now.value, now.stored, now.parts, now.differs) == (5, 5, (("All", 5, 3),), False)
    StockLevel.objects.update(safety_stock=9)
    assert derive(cup.pk, here.pk)["safety_stock"].differs
