"""Short orders are promised what will come; when deliveries change, the dates of all of them move in one job."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Case
from inventory.models import ExpectedReceipt, Receipt, SupplyPromise
from inventory.services import ahead, receipts
from inventory.services.receipts import Arrival
from orders.models import Order, OrderEvent, OrderLine
from orders.services import backorders, cancellation, holds, promises
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(hours=1)


def day(n):
    return date(2026, 12, n)


def expect(number, hub, due_date, units):
    row = ExpectedReceipt(number=number, node=hub.near, due_date=due_date)
    return receipts.expect(row, units={sku.pk: n for sku, n in units.items()}, actor=TESTER, at=NOON)


def dates(external_id="1"):
    """The order's date and those of its lines."""
    lines = OrderLine.objects.filter(order__external_id=external_id).order_by("line_number")
    return scenes.order(external_id).promised_date, list(lines.values_list("promised_date", flat=True))


def told(external_id="1"):
    """The sentences of an order's timeline about missing stock."""
    rows = OrderEvent.objects.filter(order__external_id=external_id, kind="backordered").order_by("pk")
    return [row.detail["text"] % row.detail["values"] for row in rows]


def promised():
    rows = SupplyPromise.objects.order_by("pk")
    return [(row.reference, row.line_number, row.quantity, row.promised_date) for row in rows]


def place(hub, number, units, minutes=10, **facts):
    placed = (NOON - timedelta(minutes=minutes)).isoformat()
    hub.take(company.order_message(number, units, placed_at=placed, **facts))


def moved_cases():
    rows = Case.objects.filter(kind="promise_moved").order_by("pk")
    return [(row.subject, row.status, row.why["text"] % row.why["values"], row.subject_url) for row in rows]


# -- at allocation ------------------------------------------------------------------------------------------


def test_missing_units_are_promised_and_the_order_says_when_and_with_what(hub):
    expect("PO-77", hub, day(1), {hub.cup: 30})
    place(hub, "1", {"CUP": 32, "LID": 1})
    assert promised() == [("JD-1", 1, 12, day(1))]
    assert dates() == (day(1), [day(1), None])
    assert told() == [
        "12 units are not in stock at any node that serves this destination.",
        "12 units are expected on 2026-12-01 with PO-77.",
    ]
    assert scenes.order().routing.get().explanation["expected"] == [[12, "2026-12-01", "PO-77"]]
    row = SupplyPromise.objects.get()
    assert (row.waiting_since_at, row.promised_at) == (NOON - timedelta(minutes=10), NOON)


def test_the_order_has_a_date_only_when_every_part_has_one(hub):
    expect("PO-1", hub, day(1), {hub.cup: 4})
    expect("PO-2", hub, day(9), {hub.cup: 4, hub.lid: 1})
    place(hub, "1", {"CUP": 26, "LID": 11})
    place(hub, "2", {"CUP": 5}, minutes=9)
    assert dates("1") == (day(9), [day(9), day(9)])
    assert told("1")[1] == "7 units are expected until 2026-12-09 with PO-1, PO-2."
    assert dates("2") == (None, [None])
    assert told("2")[1] == "2 of 5 units are expected until 2026-12-09 with PO-2, the rest has no date."


def test_what_nobody_has_announced_waits_without_a_word_about_dates(hub):
    place(hub, "1", {"CUP": 25})
    assert promised() == [("JD-1", 1, 5, None)]
    assert (dates(), told()) == (
        (None, [None]), ["5 units are not in stock at any node that serves this destination."],
    )  # fmt: skip


def test_a_bundle_waits_for_its_parts(hub):
    company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    expect("PO-1", hub, day(1), {hub.cup: 10})
    expect("PO-2", hub, day(5), {hub.lid: 10})
    place(hub, "1", {"SET": 12})
    assert sorted(promised()) == [("JD-1", 1, 2, day(5)), ("JD-1", 1, 4, day(1))]
    assert dates() == (day(5), [day(5)])


@pytest.mark.parametrize("end", ["cancelled", "stock came", "lines changed"])
def test_an_order_that_lacks_nothing_any_more_leaves_the_queue(hub, end):
    expect("PO-77", hub, day(1), {hub.cup: 30})
    place(hub, "1", {"CUP": 25})
    assert dates() == (day(1), [day(1)])
    if end == "cancelled":
        cancellation.cancel([scenes.order().pk], reason="", actor=TESTER, at=NOON)
    elif end == "stock came":
        company.stock(hub.cup, hub.near, 5)
        assert backorders.retry(at=NOON) == 1
    else:
        hub.take(company.order_message("1", {"CUP": 20}, revision=2))
    assert (promised(), dates()) == ([], (None, [None]))


def test_taking_an_order_up_again_changes_neither_rows_nor_timeline(hub):
    expect("PO-77", hub, day(1), {hub.cup: 30})
    place(hub, "1", {"CUP": 25})
    rows = list(SupplyPromise.objects.values())
    holds.try_again([scenes.order().pk], actor=TESTER, at=LATER)
    assert (list(SupplyPromise.objects.values()), len(told())) == (rows, 2)


def test_nothing_is_asked_of_the_queues_when_nothing_is_short(hub):
    with CaptureQueriesContext(connection) as queries:
        place(hub, "1", {"CUP": 1})
    assert [query["sql"] for query in queries if "supplypromise" in query["sql"]] == []


# -- when deliveries change -----------------------------------------------------------------------------------


@pytest.fixture
def waiting(hub):
    """Three orders of five cups each; PO-1 brings ten on the first, PO-2 ten on the ninth."""
    first = expect("PO-1", hub, day(1), {hub.cup: 10})
    expect("PO-2", hub, day(9), {hub.cup: 10})
    place(hub, "0", {"CUP": 20}, minutes=50)
    for number in (1, 2, 3):
        place(hub, str(number), {"CUP": 5}, minutes=40 - number)
    assert [dates(n)[0] for n in "123"] == [day(1), day(1), day(9)]
    return hub, first


def test_a_slip_moves_every_order_and_opens_one_case_with_the_list(waiting):
    hub, first = waiting
    receipts.slip(first.pk, due_date=day(20))
    assert promises.refresh(at=LATER) == 3
    assert [dates(n)[0] for n in "123"] == [day(9), day(9), day(20)]
    assert [told(n)[-1] for n in "123"] == [
        "The missing units are expected until 2026-12-09 instead of 2026-12-01.",
        "The missing units are expected until 2026-12-09 instead of 2026-12-01.",
        "The missing units are expected until 2026-12-20 instead of 2026-12-09.",
    ]
    event = OrderEvent.objects.filter(order__external_id="3").latest("pk")
    assert (event.happened_at, event.actor) == (LATER, "job:promises")
    assert moved_cases() == [
        (
            "PO-1", "open", "3 orders wait longer because of PO-1, until 2026-12-20 at most: JD-1, JD-2, JD-3",
            "/admin/orders/order/?supply=PO-1",
        )
    ]  # fmt: skip


def test_running_it_again_changes_nothing(waiting):
    hub, first = waiting
    receipts.slip(first.pk, due_date=day(20))
    promises.refresh(at=LATER)
    before = (scenes.everything(), list(SupplyPromise.objects.order_by("pk").values()), moved_cases())
    assert promises.refresh(at=LATER + timedelta(hours=1)) == 0
    assert (scenes.everything(), list(SupplyPromise.objects.order_by("pk").values()), moved_cases()) == before


def test_an_earlier_date_opens_no_case(waiting):
    _hub, _first = waiting
    row = ExpectedReceipt.objects.get(number="PO-2")
    receipts.slip(row.pk, due_date=day(5))
    assert promises.refresh(at=LATER) == 1
    assert (dates("3")[0], moved_cases()) == (day(5), [])


def test_a_cancelled_receipt_takes_the_dates_away(waiting):
    hub, first = waiting
    receipts.cancel(first.pk, at=LATER)
    assert promises.refresh(at=LATER, sku_ids=[hub.cup.pk]) == 3
    assert [dates(n)[0] for n in "123"] == [day(9), day(9), None]
    assert told("3")[-1] == "The date 2026-12-09 does not hold any more: a part of the missing units has no date."
    assert moved_cases() == [
        (
            "PO-1", "open", "3 orders wait longer because of PO-1, 1 of them without a date: JD-1, JD-2, JD-3",
            "/admin/orders/order/?promise=none",
        )
    ]  # fmt: skip


def test_a_second_slip_renews_the_case(waiting):
    hub, first = waiting
    for n in (20, 25):
        receipts.slip(first.pk, due_date=day(n))
        promises.refresh(at=LATER)
    assert [(status, why) for _subject, status, why, _url in moved_cases()] == [
        ("resolved", "3 orders wait longer because of PO-1, until 2026-12-20 at most: JD-1, JD-2, JD-3"),
        ("open", "1 orders wait longer because of PO-1, until 2026-12-25 at most: JD-3"),
    ]


def test_the_case_ends_when_the_goods_are_here_and_nobody_waits(waiting):
    hub, first = waiting
    receipts.slip(first.pk, due_date=day(20))
    promises.refresh(at=LATER)
    for order in ExpectedReceipt.objects.order_by("pk"):
        receipt = Receipt(number=f"R-{order.number}", node=hub.near, expected=order)
        receipts.receive(receipt, arrivals=[Arrival(hub.cup.pk, 10)], actor=TESTER, at=LATER)
    assert promises.refresh(at=LATER) == 0, "what came is theirs until it is reserved"
    assert moved_cases()[0][1] == "open"
    assert backorders.retry(at=LATER) == 3
    promises.refresh(at=LATER)
    assert (promised(), moved_cases()[0][1]) == ([], "resolved")


def test_a_job_that_died_between_queues_and_orders_is_finished_by_the_next(waiting):
    hub, first = waiting
    receipts.slip(first.pk, due_date=day(20))
    ahead.replan([hub.cup.pk], at=LATER)
    assert dates("1")[0] == day(1)
    assert promises.refresh(at=LATER) == 3
    assert [dates(n)[0] for n in "123"] == [day(9), day(9), day(20)]
    assert [subject for subject, *_rest in moved_cases()] == ["–"]


def test_orders_that_stand_in_no_queue_are_taken_in(waiting):
    hub, first = waiting
    SupplyPromise.objects.all().delete()
    Order.objects.update(promised_date=None)
    OrderLine.objects.update(promised_date=None)
    promises.refresh(at=LATER)
    assert [dates(n)[0] for n in "0123"] == [None, day(1), day(1), day(9)]
    assert told("1")[-1] == "The missing units are expected until 2026-12-01."


def test_promises_of_an_order_that_is_gone_are_taken_away(waiting):
    hub, first = waiting
    Order.objects.filter(external_id="1").delete()
    promises.refresh(at=LATER)
    assert {reference for reference, *_rest in promised()} == {"JD-2", "JD-3"}
    assert dates("3")[0] == day(1)


@pytest.mark.parametrize("count", [1, 30])
def test_a_slip_takes_as_many_statements_for_one_order_as_for_many(hub, django_assert_num_queries, count):
    order = expect("PO-1", hub, day(1), {hub.cup: 100})
    place(hub, "0", {"CUP": 20}, minutes=90)
    for number in range(1, count + 1):
        place(hub, str(number), {"CUP": 1}, minutes=60 - number)
    receipts.slip(order.pk, due_date=day(3))
    with django_assert_num_queries(33):
        assert promises.refresh(at=LATER) == count
