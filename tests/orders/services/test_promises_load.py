"""Five thousand orders wait for one receipt; when it slips all of their dates move in one job."""

import time
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Case
from inventory.models import ExpectedReceipt, SupplyPromise
from inventory.services import receipts
from orders.models import Order, OrderEvent
from orders.services import promises
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER

ORDERS = 5_000
SECONDS = 10


@pytest.mark.load
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("waiting", [50, ORDERS])
def test_a_slip_moves_five_thousand_promises_in_one_job(capsys, waiting):
    channel, cup, node = company.channel(), company.sku("CUP"), company.node("SH")
    row = ExpectedReceipt(number="PO-1", node=node, due_date=date(2026, 12, 1))
    order = receipts.expect(row, units={cup.pk: 2 * waiting}, actor=TESTER, at=NOON)
    placed = [(NOON - timedelta(hours=2) + timedelta(seconds=number)).isoformat() for number in range(waiting)]
    company.receive(
        channel, *(company.order_message(str(n), {"CUP": 2}, placed_at=moment) for n, moment in enumerate(placed))
    )
    scenes.drain()
    assert Order.objects.filter(promised_date=date(2026, 12, 1)).count() == waiting
    receipts.slip(order.pk, due_date=date(2026, 12, 9))

    started = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        moved = promises.refresh(at=NOON)
    seconds = time.perf_counter() - started
    with capsys.disabled():
        print(f"\norders: {waiting}\nslip_seconds: {seconds:.2f}\nslip_statements: {len(queries)}")  # noqa: T201

    late = date(2026, 12, 9)
    assert moved == waiting
    assert SupplyPromise.objects.filter(promised_date=late).count() == waiting
    assert Order.objects.filter(promised_date=late, lines__promised_date=late).count() == waiting
    assert OrderEvent.objects.filter(actor="job:promises").count() == waiting
    assert Case.objects.filter(kind="promise_moved").count() == 1
    assert len(queries) == 33
    assert seconds < SECONDS
