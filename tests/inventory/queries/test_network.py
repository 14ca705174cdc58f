"""A SKU's figures at all nodes: each cell is what the node's own derivation says, and the total is their sum."""

from datetime import date, timedelta

import pytest

from inventory.models import (
    ExpectedReceipt,
    QualityHold,
    Receipt,
    Reservation,
    ReservationMove,
    SafetyChange,
    StockLevel,
    Transfer,
)
from inventory.queries import derivation, network
from inventory.services import adjustments, quality, receipts, reservations, transfers
from inventory.services.adjustments import Adjustment
from inventory.services.quality import Keep
from inventory.services.receipts import Arrival
from inventory.services.reservations import Claim, Want
from inventory.statuses import MovementKind
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


def hour(n):
    return NOON + timedelta(hours=n)


@pytest.fixture
def story():
    """Six hours of a cup's life at two nodes."""
    cup, sh, wh = company.sku("CUP"), company.node("SH"), company.node("WH", "42")
    company.stock(cup, sh, 20)
    order = receipts.expect(
        ExpectedReceipt(number="PO", node=wh, due_date=date(2026, 11, 6)),
        units={cup.pk: 10}, actor=TESTER, at=hour(1),
    )  # fmt: skip
    arrivals = [Arrival(cup.pk, 6)]
    receipts.receive(Receipt(number="R", node=wh, expected=order), arrivals=arrivals, actor=TESTER, at=hour(2))
    for key, node, units in (("A", sh, 5), ("B", wh, 2)):
        reservations.reserve(Claim(key, (Want(key, f"P-{key}", cup.pk, node.pk, units),)), at=hour(2))
    reservations.consume(["P-A"], kind=MovementKind.SHIPMENT, actor=TESTER, at=hour(3))
    adjustments.adjust([Adjustment("X", cup.pk, sh.pk, -1, "lost")], actor=TESTER, at=hour(3))
    quality.place([Keep("Q", cup.pk, wh.pk, 1, "suspected", "li", hour(99))], actor=TESTER, at=hour(3))
    row = transfers.draft(Transfer(number="T", source=sh, destination=wh), units={cup.pk: 4}, actor=TESTER, at=hour(4))
    transfers.send([row.pk], actor=TESTER, at=hour(4))
    transfers.receive(row.pk, key="a", units={cup.pk: 3}, actor=TESTER, at=hour(5))
    StockLevel.objects.filter(node=sh).update(safety_stock=3)
    SafetyChange.objects.create(sku=cup, node=sh, before=1, after=3, actor="x", changed_at=hour(5))
    return cup, sh, wh


def matrix(sku, at=None):
    derived = network.derive(sku.pk, at=at)
    return {
        **{entry.node.code: tuple(figure.value for figure in entry.figures) for entry in derived.nodes},
        "total": tuple(figure.value for figure in derived.totals),
    }


def test_the_matrix_at_three_moments_and_now(story):
    cup, _sh, _wh = story
    # on hand, reserved, held, safety, available, in transit, expected
    assert matrix(cup, hour(1)) == {
        "SH": (20, 0, 0, 1, 19, 0, 0), "WH": (0, 0, 0, 0, 0, 0, 10), "total": (20, 0, 0, 1, 19, 0, 10),
    }  # fmt: skip
    assert matrix(cup, hour(2)) == {
        "SH": (20, 5, 0, 1, 14, 0, 0), "WH": (6, 2, 0, 0, 4, 0, 4), "total": (26, 7, 0, 1, 18, 0, 4),
    }  # fmt: skip
    assert matrix(cup, hour(4)) == {
        "SH": (10, 0, 0, 1, 9, 0, 0), "WH": (6, 2, 1, 0, 3, 4, 4), "total": (16, 2, 1, 1, 12, 4, 4),
    }  # fmt: skip
    assert matrix(cup) == matrix(cup, hour(5)) == {
        "SH": (10, 0, 0, 3, 7, 0, 0), "WH": (9, 2, 1, 0, 6, 1, 4), "total": (19, 2, 1, 3, 13, 1, 4),
    }  # fmt: skip


@pytest.mark.parametrize("n", [None, 0, 1, 2, 3, 4, 5])
def test_each_cell_is_what_the_node_itself_derives(story, n):
    cup, *nodes = story
    at = None if n is None else hour(n)
    rows = matrix(cup, at)
    for node in nodes:
        alone = derivation.derive(cup.pk, node.pk, at=at)
        values = tuple(alone[name].value for name in derivation.NAMES)
        assert rows.get(node.code, (0,) * 7) == values


def test_a_total_names_its_nodes_and_what_is_stored(story):
    cup, *_nodes = story
    derived = network.derive(cup.pk)
    on_hand = derived["on_hand"]
    assert (on_hand.value, on_hand.parts, on_hand.stored, on_hand.differs) == (
        19, (("SH", 10, 1), ("WH", 9, 1)), 19, False,
    )  # fmt: skip
    assert derived["in_transit"].stored is None
    assert network.derive(cup.pk, at=hour(3))["on_hand"].stored is None
    StockLevel.objects.filter(node__code="WH").update(on_hand=8)
    StockLevel.objects.filter(node__code="SH").update(safety_stock=4)
    spoilt = network.derive(cup.pk)
    assert [entry["safety_stock"].differs for entry in spoilt.nodes] == [True, False]
    assert (spoilt["on_hand"].differs, spoilt.nodes[1]["on_hand"].differs) == (True, True)
    assert not spoilt.nodes[0]["on_hand"].differs


def test_a_reservation_counts_where_it_was_then(story):
    cup, sh, wh = story
    one = Reservation.objects.get(key="B")
    for n, source, target in ((6, wh, sh), (8, sh, wh)):
        ReservationMove.objects.create(reservation=one, sku=cup, from_node=source, to_node=target, moved_at=hour(n))
    seen = {n: (matrix(cup, hour(n))["SH"][1], matrix(cup, hour(n))["WH"][1]) for n in (5, 6, 7, 8)}
    assert seen == {5: (0, 2), 6: (2, 0), 7: (2, 0), 8: (0, 2)}
    assert [derivation.derive(cup.pk, sh.pk, at=hour(n))["reserved"].value for n in (5, 7, 8)] == [0, 2, 0]


def test_a_sku_that_was_nowhere_has_no_nodes(story):
    lid = company.sku("LID")
    derived = network.derive(lid.pk)
    assert (derived.nodes, [figure.value for figure in derived.totals]) == ((), [0] * 7)
    assert QualityHold.objects.filter(sku=lid).count() == 0


@pytest.mark.parametrize("at", [None, NOON], ids=["now", "then"])
def test_the_number_of_queries_does_not_grow_with_nodes(story, django_assert_num_queries, at):
    cup, *_nodes = story
    for region in ("31", "42", "44"):
        company.stock(cup, company.node(f"N{region}", region), 1)
    with django_assert_num_queries(10 if at is None else 8):
        network.derive(cup.pk, at=at)
