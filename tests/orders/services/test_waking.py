"""A delivery slips or comes, and a real worker moves the orders that wait for it, long before the sweep would."""

import threading
import time
from datetime import date

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from redis import Redis

from audit.services import waking
from config.celery import app
from inventory.models import ExpectedReceipt, Receipt
from inventory.services import receipts
from inventory.services.receipts import Arrival
from orders.services import promises
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = ("intake", "stock")


@pytest.fixture
def waiting(hub, monkeypatch):
    """An order for fourteen lids, of which ten are there and the rest come in December."""
    monkeypatch.setattr(waking, "_WAKER", waking.Waker())
    row = ExpectedReceipt(number="PO", node=hub.near, due_date=date(2026, 12, 1))
    receipts.expect(row, units={hub.lid.pk: 9}, actor=TESTER, at=NOON)
    hub.take(company.order_message("1", {"LID": 14}))
    assert standing() == ("backordered", date(2026, 12, 1))
    return row


@pytest.fixture
def worker():
    """A worker of the queues that wake-up calls go to, on the tests' own broker."""
    broker = Redis.from_url(settings.REDIS_URL)
    broker.delete(*QUEUES)
    with start_worker(app, pool="solo", queues=QUEUES, perform_ping_check=False, shutdown_timeout=30):
        yield
    broker.delete(*QUEUES)
    broker.close()


def standing():
    order = scenes.order("1")
    return order.status, order.promised_date


def comes_to(expected, seconds=20.0):
    """Return whether the order gets there soon enough."""
    end = time.monotonic() + seconds
    while standing() != expected and time.monotonic() < end:
        time.sleep(0.1)
    return standing() == expected


def test_a_slip_reaches_the_order_and_so_does_the_arrival(waiting, hub, worker):
    receipts.slip(waiting.pk, due_date=date(2026, 12, 20))
    assert comes_to(("backordered", date(2026, 12, 20)))
    receipt = Receipt(number="R", node=hub.near, expected=waiting)
    receipts.receive(receipt, arrivals=[Arrival(hub.lid.pk, 9)], actor=TESTER, at=NOON)
    assert comes_to(("released", None))


def test_with_the_broker_away_the_sweep_finds_it(waiting, monkeypatch):
    away = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr(waking, "current_app", away)
    receipts.slip(waiting.pk, due_date=date(2026, 12, 20))
    assert standing() == ("backordered", date(2026, 12, 1))
    assert promises.refresh(at=NOON) == 1
    assert standing() == ("backordered", date(2026, 12, 20))
    for thread in threading.enumerate():
        if thread.name == "wake-up":
            thread.join(timeout=10)
    away.close()
