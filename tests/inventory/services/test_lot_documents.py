"""Lots in receipts, transfers, adjustments, counts, quality holds and returns."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from inventory.models import (
    ExpectedReceipt,
    Lot,
    LotLevel,
    QualityHold,
    Receipt,
    ReceiptLine,
    StockCount,
    StockLevel,
    StockMovement,
    Transfer,
)  # fmt: skip
from inventory.queries.risk import Risk
from inventory.services import adjustments, counts, quality, receipts, returns, transfers
from inventory.services.adjustments import Adjustment
from inventory.services.quality import Decision, Keep
from inventory.services.receipts import Arrival
from inventory.services.refusals import RowsRefused
from inventory.services.returns import Back
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import adds_up, after, level, lying
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
FRIDAY = NOON + timedelta(days=4)


@pytest.fixture
def milk():
    return dated.milk()


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here():
    return company.node("SH")


@pytest.fixture
def there():
    return company.node("WH", "42")


@pytest.fixture
def shelf(milk, here):
    """Two units expired yesterday, four keep ten days, five keep forty."""
    made = {}
    for code, days, units in (("OLD", -1, 2), ("SOON", 10, 4), ("LATE", 40, 5)):
        made[code] = dated.lot(milk, code, after(days))
        dated.put(made[code], here, units)
    return made


def receive(node, *arrivals, number="R1", order=None, is_final=False):
    row = Receipt(number=number, node=node, expected=order)
    return receipts.receive(row, arrivals=arrivals, is_final=is_final, actor=TESTER, at=NOON)


def state():
    return (
        list(StockLevel.objects.order_by("pk").values_list("sku", "on_hand", "reserved", "quality_hold")),
        list(LotLevel.objects.order_by("pk").values_list("lot", "node", "on_hand", "reserved", "quality_hold")),
        list(Lot.objects.order_by("pk").values_list("code", "expires_date")),
        [model.objects.count() for model in (Receipt, ReceiptLine, StockMovement, QualityHold)],
        list(ExpectedReceipt.objects.values_list("status", "lines__quantity_received")),
    )


def refusals_of(call, *args, **facts):
    before = state()
    with pytest.raises(RowsRefused) as refused:
        call(*args, **facts)
    assert state() == before
    return [(row.row_number, str(row.reason)) for row in refused.value.rows]


# -- receipts --------------------------------------------------------------------------------------


def test_a_receipt_brings_several_lots_of_one_sku(milk, here):
    receive(
        here,
        Arrival(milk.pk, 6, lot_code="A", expires_date=after(30)),
        Arrival(milk.pk, 4, damaged=1, reason_code="damaged", lot_code="B", expires_date=after(60)),
        Arrival(milk.pk, 3, expires_date=after(20)),
        Arrival(milk.pk, 2),
    )
    assert lying(milk, here) == {"": (2, 0, 0), "2026-11-22": (3, 0, 0), "A": (6, 0, 0), "B": (4, 0, 1)}
    assert adds_up(milk, here)
    rows = ReceiptLine.objects.order_by("pk").values_list("lot_code", "expires_date", "quantity_received")
    assert list(rows) == [
        ("A", after(30), 6), ("B", after(60), 4), ("2026-11-22", date(2026, 11, 22), 3), ("", None, 2),
    ]  # fmt: skip
    assert QualityHold.objects.get().lot.code == "B"


def test_the_same_receipt_again_changes_nothing(milk, here):
    arrivals = [Arrival(milk.pk, 6, lot_code="A", expires_date=after(30)), Arrival(milk.pk, 1, lot_code="B")]
    receive(here, *arrivals)
    before = state()
    receive(here, *arrivals)
    assert state() == before


def test_a_known_lot_needs_no_date_the_second_time(milk, here):
    receive(here, Arrival(milk.pk, 6, lot_code="A", expires_date=after(30)))
    receive(here, Arrival(milk.pk, 1, lot_code="A"), number="R2")
    assert lying(milk, here) == {"A": (7, 0, 0)}
    assert ReceiptLine.objects.get(receipt__number="R2").expires_date == after(30)


def test_bad_lots_are_refused_row_by_row_and_nothing_is_half_done(milk, cup, here):
    dated.lot(milk, "KNOWN", after(30))
    dated.lot(milk, "GONE", after(-3))
    arrivals = [
        Arrival(milk.pk, 1, lot_code="GOOD", expires_date=after(5)),
        Arrival(milk.pk, 1, lot_code="PAST", expires_date=after(-1)),
        Arrival(milk.pk, 1, lot_code="KNOWN", expires_date=after(31)),
        Arrival(milk.pk, 1, lot_code="GONE"),
        Arrival(milk.pk, 1, lot_code="GOOD", expires_date=after(5)),
        Arrival(cup.pk, 1, lot_code="X"),
        Arrival(milk.pk, 1, lot_code="L" * 41),
    ]
    assert refusals_of(receive, here, *arrivals) == [
        (2, "Lot PAST is past its date 2026-11-01."),
        (3, "Lot KNOWN is known with another date. Correct one of the two."),
        (4, "Lot GONE is past its date 2026-10-30."),
        (5, "The lot stands in an earlier row already."),
        (6, "This SKU has no lots."),
        (7, "A lot's code has at most 40 characters."),
    ]


def test_a_lot_on_its_last_day_is_taken_in(milk, here):
    receive(here, Arrival(milk.pk, 1, lot_code="TODAY", expires_date=after(0)))
    assert lying(milk, here) == {"TODAY": (1, 0, 0)}


def test_lots_of_an_order_are_added_up(milk, here):
    row = ExpectedReceipt(number="PO-1", node=here, due_date=after(1))
    order = receipts.expect(row, units={milk.pk: 10}, actor=TESTER, at=NOON)
    two = [Arrival(milk.pk, 6, lot_code="A"), Arrival(milk.pk, 5, lot_code="B")]
    assert refusals_of(receive, here, *two, order=order) == [(2, "5 came, but only 4 are still expected.")]
    short = [Arrival(milk.pk, 6, lot_code="A"), Arrival(milk.pk, 3, lot_code="B")]
    assert refusals_of(receive, here, *short, order=order, is_final=True) == [(2, "A reason is missing.")]
    receive(here, short[0], Arrival(milk.pk, 3, lot_code="B", reason_code="short"), order=order, is_final=True)
    assert ExpectedReceipt.objects.values_list("status", "lines__quantity_received").get() == ("received", 9)


# -- transfers -------------------------------------------------------------------------------------


def send(milk, here, there, units, number="T1"):
    row = transfers.draft(
        Transfer(number=number, source=here, destination=there), units={milk.pk: units}, actor=TESTER, at=NOON
    )
    transfers.send([row.pk], actor=TESTER, at=NOON)
    return row


def test_the_lots_that_were_sent_arrive(milk, here, there, shelf):
    row = send(milk, here, there, 8)
    assert lying(milk, here) == {"LATE": (3, 0, 0), "OLD": (0, 0, 0), "SOON": (0, 0, 0)}
    transfers.receive(row.pk, key="1", units={milk.pk: 5}, actor=TESTER, at=NOON)
    assert lying(milk, there) == {"OLD": (2, 0, 0), "SOON": (3, 0, 0)}
    transfers.receive(row.pk, key="1", units={milk.pk: 5}, actor=TESTER, at=NOON)  # told twice
    transfers.receive(row.pk, key="2", units={milk.pk: 3}, actor=TESTER, at=NOON)
    assert lying(milk, there) == {"LATE": (2, 0, 0), "OLD": (2, 0, 0), "SOON": (4, 0, 0)}
    assert adds_up(milk, here)
    assert adds_up(milk, there)
    assert StockMovement.objects.filter(kind="transfer_in").count() == 4


def test_what_was_sent_before_there_were_lots_arrives_unlabelled(milk, here, there, shelf):
    row = send(milk, here, there, 3)
    StockMovement.objects.filter(kind="transfer_out").update(lot=None)
    transfers.receive(row.pk, key="1", units={milk.pk: 3}, actor=TESTER, at=NOON)
    assert lying(milk, there) == {"": (3, 0, 0)}


# -- adjustments and counts ------------------------------------------------------------------------


def adjust(*changes):
    return adjustments.adjust(changes, actor=TESTER, at=NOON)


def test_an_adjustment_may_name_a_lot(milk, here, shelf):
    adjust(
        Adjustment("1", milk.pk, here.pk, -2, "damaged", lot_id=shelf["LATE"].pk),
        Adjustment("2", milk.pk, here.pk, -3, "lost"),
        Adjustment("3", milk.pk, here.pk, 2, "found"),
    )
    assert lying(milk, here) == {"": (2, 0, 0), "LATE": (3, 0, 0), "OLD": (0, 0, 0), "SOON": (3, 0, 0)}
    assert adds_up(milk, here)


def test_an_adjustment_of_another_skus_lot_or_of_more_than_the_lot_has_is_refused(milk, cup, here, shelf):
    company.stock(cup, here, 3)
    foreign = Adjustment("1", cup.pk, here.pk, -1, "lost", lot_id=shelf["LATE"].pk)
    assert refusals_of(adjust, foreign) == [(1, "This lot does not belong to the SKU.")]
    many = Adjustment("2", milk.pk, here.pk, -6, "lost", lot_id=shelf["LATE"].pk)
    assert refusals_of(adjust, many) == [(1, "MILK at SH has not that many free units.")]


@pytest.mark.parametrize(
    ("counted", "then"),
    [
        pytest.param(8, {"LATE": (5, 0, 0), "OLD": (0, 0, 0), "SOON": (3, 0, 0)}, id="missing ones expired first"),
        pytest.param(
            13, {"": (2, 0, 0), "LATE": (5, 0, 0), "OLD": (2, 0, 0), "SOON": (4, 0, 0)}, id="found ones are unlabelled"
        ),
    ],
)
def test_a_count_of_the_whole_level_is_shared_out(milk, here, shelf, counted, then):
    row = StockCount(number="C1", node=here, limit_percent=Decimal(99), limit_value=Decimal(999))
    counts.begin(row, risks=[Risk(milk.pk, "", 0, 0, 0, Decimal(0))], actor=TESTER, at=NOON)
    counts.tell(row.pk, units={milk.pk: counted}, actor=TESTER, at=NOON)
    assert counts.apply(row.pk, actor=TESTER, at=NOON) == 1
    assert lying(milk, here) == then
    assert adds_up(milk, here)


# -- quality holds and returns ---------------------------------------------------------------------


def place(*keeps):
    return quality.place(keeps, actor=TESTER, at=NOON)


def keep(milk, here, units, lot=None, key="Q1"):
    return Keep(key, milk.pk, here.pk, units, "suspected", "wang", FRIDAY, lot_id=lot.pk if lot else None)


def test_a_hold_names_its_lot_and_decisions_follow_it(milk, here, shelf):
    assert [place(keep(milk, here, 3, shelf["LATE"])) for _ in range(2)] == [1, 0]
    assert lying(milk, here)["LATE"] == (5, 0, 3)
    quality.decide([Decision(QualityHold.objects.get().pk, released=1, scrapped=1)], actor=TESTER, at=NOON)
    assert lying(milk, here)["LATE"] == (4, 0, 1)
    assert QualityHold.objects.get(closed_at=None).lot == shelf["LATE"]
    assert StockMovement.objects.get(kind="adjustment").lot == shelf["LATE"]
    assert adds_up(milk, here)


def test_a_hold_without_a_lot_is_one_hold_for_each_lot_whose_turn_it_is(milk, here, shelf):
    assert [place(keep(milk, here, 5)) for _ in range(2)] == [1, 0]
    rows = QualityHold.objects.order_by("pk").values_list("key", "lot__code", "quantity")
    assert list(rows) == [("Q1", "OLD", 2), (f"Q1/{shelf['SOON'].pk}", "SOON", 3)]
    assert adds_up(milk, here)


def test_a_hold_of_more_than_the_lot_has_or_of_another_skus_lot_is_refused(milk, cup, here, shelf):
    company.stock(cup, here, 3)
    assert refusals_of(place, keep(milk, here, 6, shelf["LATE"])) == [(1, "MILK at SH has not that many free units.")]
    assert refusals_of(place, keep(cup, here, 1, shelf["LATE"])) == [(1, "This lot does not belong to the SKU.")]


def test_a_hold_from_before_there_were_lots_is_of_the_unlabelled_one(milk, here):
    dated.put(dated.lot(milk, ""), here, 4)
    place(keep(milk, here, 2))
    QualityHold.objects.update(lot=None)
    quality.decide([Decision(QualityHold.objects.get().pk, scrapped=2)], actor=TESTER, at=NOON)
    assert lying(milk, here) == {"": (2, 0, 0)}
    assert adds_up(milk, here)


def test_returned_goods_wait_on_their_lot_or_unlabelled(milk, cup, here, shelf):
    backs = [Back("1", milk.pk, here.pk, 2, "RMA", shelf["LATE"].pk), Back("2", milk.pk, here.pk, 1, "RMA")]
    assert [returns.take_back(backs, owner="li", actor=TESTER, at=NOON) for _ in range(2)] == [2, 0]
    assert (lying(milk, here)["LATE"], lying(milk, here)[""]) == ((7, 0, 2), (1, 0, 1))
    assert level(milk, here) == (14, 0, 3)
    foreign = Back("3", cup.pk, here.pk, 1, "RMA", shelf["LATE"].pk)
    assert refusals_of(returns.take_back, [foreign], owner="li", actor=TESTER, at=NOON) == [
        (1, "This lot does not belong to the SKU.")
    ]
