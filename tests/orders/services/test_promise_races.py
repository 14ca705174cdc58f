"""Arrivals, slips and orders at once: no unit that will come is promised twice; a control shows that it could be."""

from collections import Counter
from datetime import date, timedelta
from functools import partial
from threading import Barrier

import pytest
from django.db import transaction
from django.db.models import F, Sum

from inventory.models import ExpectedLine, ExpectedReceipt, Receipt, StockLevel, SupplyPromise
from inventory.queries import ahead as queries
from inventory.rules.ahead import Waiting, share_out
from inventory.services import ahead, receipts
from inventory.services.receipts import Arrival
from orders.models import Order, OrderLine
from orders.services import backorders, promises
from tests import small_company as company
from tests.orders.services import scenes
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db(transaction=True)


def day(n):
    return date(2026, 12, n)


def expect(number, sku, node, due_date, units):
    row = ExpectedReceipt(number=number, node=node, due_date=due_date)
    return receipts.expect(row, units={sku.pk: units}, actor=TESTER, at=NOON)


def wants(number, sku, quantity=1):
    return Waiting(f"O{number}", 1, sku.pk, quantity, 0, NOON + timedelta(minutes=number))


def failures(results):
    return [result for result in results if isinstance(result, Exception)]


def promised_per_delivery():
    return dict(
        SupplyPromise.objects.exclude(expected_line=None)
        .order_by("expected_line")
        .values_list("expected_line__expected__number")
        .annotate(units=Sum("quantity"))
    )


@pytest.fixture
def cup():
    return company.sku("CUP")


@pytest.fixture
def here():
    return company.node("SH")


def test_twenty_who_ask_at_once_are_promised_ten_units_once(cup, here):
    expect("PO-1", cup, here, day(1), 10)
    results = race([partial(ahead.promise, [wants(n, cup)], at=NOON) for n in range(20)])
    assert failures(results) == []
    assert promised_per_delivery() == {"PO-1": 10}
    assert SupplyPromise.objects.filter(expected_line=None).count() == 10
    ahead.replan([cup.pk], at=NOON)
    dated = SupplyPromise.objects.filter(promised_date=day(1)).order_by("waiting_since_at")
    assert list(dated.values_list("reference", flat=True)) == [f"O{n}" for n in range(10)]


def test_without_the_lock_of_the_queue_the_same_units_are_promised_to_everybody(cup, here):
    """The control: read what comes, share it out, write, as it is often written."""
    line = expect("PO-1", cup, here, day(1), 10).lines.get()
    everybody_has_read = Barrier(4)

    def promise_naively(number):
        with transaction.atomic():
            supplies = [delivery.supply() for delivery in queries.deliveries([cup.pk]).values()]
            everybody_has_read.wait(PATIENCE)
            for part in share_out([wants(number, cup, 10)], supplies):
                SupplyPromise.objects.create(
                    reference=part.waiting.reference, sku=cup, quantity=part.quantity, expected_line=line,
                    waiting_since_at=part.waiting.waiting_since_at, promised_at=NOON,
                )  # fmt: skip

    assert race([partial(promise_naively, n) for n in range(4)]) == [None] * 4
    assert promised_per_delivery() == {"PO-1": 40}


def test_two_arrivals_and_a_slip_at_once_promise_no_unit_twice(cup, here):
    channel = company.channel()
    orders = {n: expect(f"PO-{n}", cup, here, day(n), 12) for n in (1, 2, 3)}
    messages = [
        company.order_message(str(n), {"CUP": 3}, placed_at=(NOON - timedelta(minutes=60 - n)).isoformat())
        for n in range(20)
    ]
    company.receive(channel, *messages[:12])
    scenes.drain()
    assert promised_per_delivery() == {"PO-1": 12, "PO-2": 12, "PO-3": 12}
    company.receive(channel, *messages[12:])

    def arrive(number, units):
        receipt = Receipt(number=f"R{number}", node=here, expected=orders[number])
        receipts.receive(receipt, arrivals=[Arrival(cup.pk, units)], actor=TESTER, at=NOON)
        backorders.retry(at=NOON)

    def slip():
        receipts.slip(orders[3].pk, due_date=day(20))
        promises.refresh(at=NOON)

    refresh = partial(promises.refresh, at=NOON)
    results = race([partial(arrive, 1, 12), partial(arrive, 2, 5), slip, refresh, refresh, scenes.drain])
    assert failures(results) == []

    backorders.retry(at=NOON)
    promises.refresh(at=NOON)
    assert Order.objects.count() == 20
    assert StockLevel.objects.values_list("on_hand", "reserved").get() == (17, 17)
    left = dict(ExpectedLine.objects.values_list("expected__number", F("quantity") - F("quantity_received")))
    assert left == {"PO-1": 0, "PO-2": 7, "PO-3": 12}
    assert promised_per_delivery() == {"PO-2": 7, "PO-3": 12}
    waiting = Counter(dict(SupplyPromise.objects.values_list("reference").annotate(units=Sum("quantity"))))
    for line in OrderLine.objects.select_related("order"):
        assert line.quantity - line.quantity_allocated == waiting[line.order.number]
    told = {(order.number, 1): order.promised_date for order in Order.objects.filter(number__in=waiting)}
    assert told == queries.dates(waiting)
    scenes.assert_books_add_up()
