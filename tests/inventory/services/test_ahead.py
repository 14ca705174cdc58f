"""Promises on stock that has not come: each unit once, the front of the queue first, whatever happens to deliveries."""

from datetime import date, timedelta

import pytest

from inventory.models import ExpectedReceipt, Receipt, SharePool, StockLevel, SupplyPromise, Transfer
from inventory.models.share import ChannelShare
from inventory.queries import ahead as queries
from inventory.rules.ahead import Waiting
from inventory.services import ahead, receipts, transfers
from inventory.services.ahead import Change
from inventory.services.receipts import Arrival
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


def day(n):
    return date(2026, 12, n)


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here():
    return company.node("SH")


def wants(reference, sku, quantity, *, priority=0, minutes=0, line=1):
    return Waiting(reference, line, sku.pk, quantity, priority, NOON + timedelta(minutes=minutes))


def expect(number, node, due_date, units):
    row = ExpectedReceipt(number=number, node=node, due_date=due_date)
    return receipts.expect(row, units={sku.pk: n for sku, n in units.items()}, actor=TESTER, at=NOON)


def receive(order, units, *, number="R1", final=False):
    receipt = Receipt(number=number, node=order.node, expected=order)
    arrivals = [Arrival(sku.pk, n, reason_code="short" if final else "") for sku, n in units.items()]
    receipts.receive(receipt, arrivals=arrivals, is_final=final, actor=TESTER, at=NOON)


def promise(*asked, gone=()):
    return ahead.promise(asked, gone=gone, at=NOON)


def replan(*skus):
    return ahead.replan([sku.pk for sku in skus], at=NOON + timedelta(hours=1))


def book():
    """Every promise as (who, units, document, date), in the order of the queue."""
    rows = SupplyPromise.objects.select_related("expected_line__expected", "transfer_line__transfer")
    return [
        (
            row.reference,
            row.quantity,
            str(
                (row.expected_line and row.expected_line.expected) or (row.transfer_line and row.transfer_line.transfer)
            ),
            row.promised_date,
        )
        for row in rows.order_by("-priority", "waiting_since_at", "reference", "line_number", "promised_date", "pk")
    ]


def test_wants_are_promised_the_earliest_units(cup, here):
    expect("PO-2", here, day(9), {cup: 5})
    expect("PO-1", here, day(1), {cup: 4})
    told = promise(wants("A", cup, 3), wants("B", cup, 3, minutes=1))
    assert book() == [("A", 3, "PO-1", day(1)), ("B", 1, "PO-1", day(1)), ("B", 2, "PO-2", day(9))]
    assert queries.dates(["A", "B"]) == {("A", 1): day(1), ("B", 1): day(9)}
    assert [(row.waiting.reference, row.waiting.quantity, row.promised_date) for row in told] == [
        ("A", 3, day(1)), ("B", 1, day(1)), ("B", 2, day(9)),
    ]  # fmt: skip
    assert set(SupplyPromise.objects.values_list("promised_at", "waiting_since_at")) == {
        (NOON, NOON), (NOON, NOON + timedelta(minutes=1)),
    }  # fmt: skip


def test_what_nobody_brings_is_kept_without_a_date(cup, here):
    expect("PO-1", here, day(1), {cup: 4})
    promise(wants("A", cup, 6))
    assert book() == [("A", 4, "PO-1", day(1)), ("A", 2, "None", None)]
    assert queries.dates(["A"]) == {("A", 1): None}


def test_the_next_in_line_gets_what_the_others_left(cup, here):
    expect("PO-1", here, day(1), {cup: 4})
    expect("PO-2", here, day(9), {cup: 4})
    promise(wants("A", cup, 3))
    promise(wants("B", cup, 3, minutes=1))
    promise(wants("C", cup, 3, minutes=2))
    assert book() == [
        ("A", 3, "PO-1", day(1)), ("B", 1, "PO-1", day(1)), ("B", 2, "PO-2", day(9)),
        ("C", 2, "PO-2", day(9)), ("C", 1, "None", None),
    ]  # fmt: skip


def test_a_higher_priority_moves_the_others_back(cup, here):
    expect("PO-1", here, day(1), {cup: 4})
    expect("PO-2", here, day(9), {cup: 4})
    promise(wants("A", cup, 3), wants("B", cup, 3, minutes=1))
    promise(wants("VIP", cup, 2, priority=5, minutes=9))
    assert book() == [
        ("VIP", 2, "PO-1", day(1)), ("A", 2, "PO-1", day(1)), ("A", 1, "PO-2", day(9)), ("B", 3, "PO-2", day(9)),
    ]  # fmt: skip


def test_asking_again_for_the_same_changes_no_row(cup, here):
    expect("PO-1", here, day(1), {cup: 4})
    promise(wants("A", cup, 3), wants("B", cup, 3, minutes=1))
    before = list(SupplyPromise.objects.order_by("pk").values())
    assert {row.waiting.reference for row in promise(wants("A", cup, 3))} == {"A"}
    assert list(SupplyPromise.objects.order_by("pk").values()) == before


def test_asking_for_less_frees_units_for_the_whole_queue_when_it_is_planned_again(cup, here):
    expect("PO-1", here, day(1), {cup: 4})
    expect("PO-2", here, day(9), {cup: 4})
    promise(wants("A", cup, 4), wants("B", cup, 3, minutes=1))
    promise(wants("A", cup, 1))
    promise(wants("C", cup, 1, minutes=2))
    assert book() == [
        ("A", 1, "PO-1", day(1)), ("B", 3, "PO-1", day(1)), ("C", 1, "PO-2", day(9)),
    ], "B stood behind A and moved up with it; C does not pass B"  # fmt: skip


def test_whoever_comes_later_does_not_pass_one_who_waits(cup, here):
    expect("PO-1", here, day(1), {cup: 4})
    expect("PO-2", here, day(9), {cup: 4})
    promise(wants("A", cup, 4), wants("B", cup, 3, minutes=1))
    assert ahead.forget(["A"]) == {cup.pk}
    promise(wants("C", cup, 1, minutes=2))
    assert book() == [("B", 3, "PO-2", day(9)), ("C", 1, "PO-2", day(9))]
    assert replan(cup) == [
        Change("B", 1, cup.pk, day(9), day(1), "PO-1"), Change("C", 1, cup.pk, day(9), day(1), "PO-1"),
    ]  # fmt: skip
    assert book() == [("B", 3, "PO-1", day(1)), ("C", 1, "PO-1", day(1))]


def test_references_that_are_gone_leave_their_units(cup, here):
    expect("PO-1", here, day(1), {cup: 4})
    promise(wants("A", cup, 4))
    promise(wants("B", cup, 3, minutes=1), gone=["A"])
    assert book() == [("B", 3, "PO-1", day(1))]


def test_a_slip_moves_those_who_stood_on_it_and_says_so(cup, here):
    lid = company.sku("LID")
    first = expect("PO-1", here, day(1), {cup: 4, lid: 1})
    expect("PO-2", here, day(9), {cup: 4})
    promise(wants("A", cup, 3), wants("A", lid, 1, line=2), wants("B", cup, 3, minutes=1))
    receipts.slip(first.pk, due_date=day(20))
    assert sorted(replan(cup, lid), key=str) == [
        Change("A", 1, cup.pk, day(1), day(9), "PO-1"),
        Change("A", 2, lid.pk, day(1), day(20), "PO-1"),
        Change("B", 1, cup.pk, day(9), day(20), "PO-1"),
    ]
    assert book() == [
        ("A", 3, "PO-2", day(9)), ("A", 1, "PO-1", day(20)), ("B", 1, "PO-2", day(9)), ("B", 2, "PO-1", day(20)),
    ]  # fmt: skip
    assert replan(cup, lid) == []


def test_a_cancelled_receipt_leaves_its_promises_without_a_date(cup, here):
    order = expect("PO-1", here, day(1), {cup: 4})
    promise(wants("A", cup, 3))
    receipts.cancel(order.pk, at=NOON)
    assert replan(cup) == [Change("A", 1, cup.pk, day(1), None, "PO-1")]
    assert book() == [("A", 3, "None", None)]


def test_new_supply_gives_dates_to_those_who_had_none(cup, here):
    promise(wants("A", cup, 3))
    expect("PO-1", here, day(1), {cup: 4})
    assert replan(cup) == [Change("A", 1, cup.pk, None, day(1), "PO-1")]


def test_a_transfer_brings_units_once_it_is_on_its_way(cup, here):
    there = company.node("WH", "42")
    company.stock(cup, there, 5)
    row = Transfer(number="T1", source=there, destination=here, arrives_date=day(3))
    transfers.draft(row, units={cup.pk: 5}, actor=TESTER, at=NOON)
    promise(wants("A", cup, 3))
    assert book() == [("A", 3, "None", None)]
    transfers.send([row.pk], actor=TESTER, at=NOON)
    assert replan(cup) == [Change("A", 1, cup.pk, None, day(3), "T1")]
    transfers.reschedule(row.pk, arrives_date=day(4))
    assert replan(cup) == [Change("A", 1, cup.pk, day(3), day(4), "T1")]
    assert [(one.reference, one.sku_code, one.quantity) for one in queries.waiting_for_transfer(row.pk)] == [
        ("A", "CUP", 3)
    ]


def test_units_that_came_stay_with_those_who_stood_on_them_until_they_are_reserved(cup, here):
    order = expect("PO-1", here, day(1), {cup: 4})
    expect("PO-2", here, day(9), {cup: 9})
    promise(wants("A", cup, 3), wants("B", cup, 3, minutes=1))
    receive(order, {cup: 4})
    assert replan(cup) == []
    promise(wants("C", cup, 1, minutes=2))
    assert book()[-1] == ("C", 1, "PO-2", day(9)), "what has come is not promised again"
    StockLevel.objects.update(reserved=3)
    promise(gone=["A"])
    assert replan(cup) == []
    StockLevel.objects.update(reserved=4)
    replan(cup)
    assert book() == [("B", 3, "PO-2", day(9)), ("C", 1, "PO-2", day(9))]


def test_a_receipt_that_came_short_moves_only_those_it_left_out(cup, here):
    order = expect("PO-1", here, day(1), {cup: 4})
    promise(wants("A", cup, 2), wants("B", cup, 2, minutes=1))
    receive(order, {cup: 3}, final=True)
    assert replan(cup) == [Change("B", 1, cup.pk, day(1), None, "PO-1")]
    assert book() == [("A", 2, "PO-1", day(1)), ("B", 1, "PO-1", day(1)), ("B", 1, "None", None)]


def test_what_came_stays_with_those_in_front_and_with_those_behind_a_new_one(cup, here):
    order = expect("PO-1", here, day(1), {cup: 4})
    expect("PO-2", here, day(9), {cup: 9})
    promise(wants("A", cup, 3, priority=2), wants("B", cup, 3))
    receive(order, {cup: 4})
    promise(wants("C", cup, 1, priority=1))
    assert book() == [
        ("A", 3, "PO-1", day(1)), ("C", 1, "PO-2", day(9)), ("B", 1, "PO-1", day(1)), ("B", 2, "PO-2", day(9)),
    ]  # fmt: skip


def test_what_came_for_those_in_front_is_not_kept_for_those_behind_as_well(cup, here):
    order = expect("PO-1", here, day(1), {cup: 4})
    expect("PO-2", here, day(9), {cup: 9})
    promise(wants("A", cup, 3, priority=2), wants("B", cup, 3))
    receive(order, {cup: 3})
    promise(wants("C", cup, 1, priority=1))
    assert book() == [
        ("A", 3, "PO-1", day(1)), ("C", 1, "PO-1", day(1)), ("B", 3, "PO-2", day(9)),
    ]  # fmt: skip


def test_units_of_two_deliveries_that_came_are_not_more_than_lie_free(cup, here):
    orders = [expect("PO-1", here, day(1), {cup: 2}), expect("PO-2", here, day(2), {cup: 2})]
    promise(wants("A", cup, 2), wants("B", cup, 2, minutes=1))
    for number, order in enumerate(orders):
        receive(order, {cup: 2}, number=f"R{number}")
    assert replan(cup) == []
    StockLevel.objects.update(reserved=2)
    assert replan(cup) == [Change("B", 1, cup.pk, day(2), None, "PO-2")]
    assert book() == [("A", 2, "PO-1", day(1)), ("B", 2, "None", None)]


def test_no_more_stays_than_the_delivery_itself_brought(cup, here):
    company.stock(cup, here, 5)
    order = expect("PO-1", here, day(1), {cup: 4})
    promise(wants("A", cup, 4))
    receive(order, {cup: 1}, final=True)
    assert replan(cup) == [Change("A", 1, cup.pk, day(1), None, "PO-1")]
    assert book() == [("A", 1, "PO-1", day(1)), ("A", 3, "None", None)]


def test_presales_keep_what_they_have_and_nobody_else_gets_it(cup, here):
    order = expect("PO-1", here, day(1), {cup: 4})
    share = ChannelShare.objects.create(
        channel="TM", kind="presale", sku=cup, amount=3, ships_from_date=day(1), created_at=NOON, created_by="x"
    )
    pool = SharePool.objects.create(share=share, sku=cup, channel="TM", opened_at=NOON)
    presold = SupplyPromise.objects.create(
        reference="PRE", sku=cup, quantity=3, expected_line=order.lines.get(), pool=pool, promised_date=day(1),
        waiting_since_at=NOON, promised_at=NOON,
    )  # fmt: skip
    promise(wants("A", cup, 3, priority=9), wants("PRE", cup, 1, line=2))
    assert book() == [
        ("A", 1, "PO-1", day(1)), ("A", 2, "None", None), ("PRE", 3, "PO-1", day(1)), ("PRE", 1, "None", None),
    ]  # fmt: skip
    ahead.forget(["PRE", "A"])
    assert SupplyPromise.objects.get() == presold


def test_who_waits_for_a_document_is_listed_as_they_are_served(cup, here):
    order = expect("PO-1", here, day(1), {cup: 9})
    promise(wants("A", cup, 2), wants("B", cup, 2, minutes=1), wants("VIP", cup, 1, priority=1, minutes=5))
    assert [(one.reference, one.quantity, one.promised_date) for one in queries.waiting_for_receipt(order.pk)] == [
        ("VIP", 1, day(1)), ("A", 2, day(1)), ("B", 2, day(1)),
    ]  # fmt: skip
    assert len(queries.waiting_for_receipt(order.pk, most=2)) == 2


@pytest.mark.parametrize("waiting", [1, 40])
def test_planning_again_takes_as_many_statements_for_one_as_for_many(cup, here, django_assert_num_queries, waiting):
    order = expect("PO-1", here, day(1), {cup: 100})
    promise(*(wants(f"O{n}", cup, 1, minutes=n) for n in range(waiting)))
    receipts.slip(order.pk, due_date=day(5))
    with django_assert_num_queries(6):  # savepoint twice, queue lock, queue, deliveries, one UPDATE
        assert len(replan(cup)) == waiting
