"""Two workers look at one listing at the same moment: the newer stock wins, because figures are read after the lock."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from channels.models import Listing, ListingStock, OutboundMessage
from channels.services import stock_dues, stock_push
from inventory.models import StockSignal
from inventory.queries import offers
from tests import small_company as company
from tests.channels.services.stock_shop import accept, change, list_on, stock_of

AT = datetime(2030, 1, 1, 1, 0, tzinfo=UTC)  # after the moments of the database's own clock
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listing() -> Listing:
    """A listing whose channel has the right figure, forty."""
    shop, cup, near = company.channel("JD"), company.sku("CUP"), company.node("SH")
    listing = list_on(shop, cup)
    company.stock(cup, near, 40)
    stock_push.collect(AT - timedelta(hours=1))
    accept(AT - timedelta(hours=1))
    return listing


def collect_in_thread() -> threading.Thread:
    def run() -> None:
        try:
            stock_push.collect(AT)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def meet(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one worker read 37 and stop for a moment; meanwhile stock falls to 30 and another worker looks."""
    has_read, may_go = threading.Event(), threading.Event()
    read: Callable[..., Any] = offers.figures

    def read_and_rest(*args: Any, **kwargs: Any) -> Any:
        figures = read(*args, **kwargs)
        if not has_read.is_set():
            has_read.set()
            assert may_go.wait(20)
        return figures

    monkeypatch.setattr(offers, "figures", read_and_rest)
    node = listing.sku.levels.get().node
    change(listing.sku, node, -3, since=AT)
    first = collect_in_thread()
    assert has_read.wait(20)
    change(listing.sku, node, -7, since=AT)
    second = collect_in_thread()
    second.join(1.0)  # ends now when nothing holds it back
    may_go.set()
    for thread in (first, second):
        thread.join(20)
        assert not thread.is_alive()


def test_the_newer_stock_wins(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    meet(listing, monkeypatch)
    assert stock_of(listing)[0] == 30
    assert [row.body["quantity"] for row in OutboundMessage.objects.filter(status="pending")] == [30]
    assert not StockSignal.objects.exists()


def test_without_the_lock_the_older_stock_wins(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked = stock_dues._LOCK.replace("FOR NO KEY UPDATE", "")
    monkeypatch.setattr(stock_dues, "_LOCK", unlocked)
    meet(listing, monkeypatch)
    assert stock_of(listing)[0] == 37


def test_while_the_outbox_records_a_yes_the_next_figure_is_not_lost(listing: Listing) -> None:
    node = listing.sku.levels.get().node
    change(listing.sku, node, -3, since=AT)
    stock_push.collect(AT)
    [message] = OutboundMessage.objects.filter(status="pending")
    OutboundMessage.objects.update(not_before=AT + timedelta(minutes=3))  # claimed
    change(listing.sku, node, -7, since=AT)
    with transaction.atomic():
        OutboundMessage.objects.filter(pk=message.pk).update(status="sent")
        stock_push.record_accepted([message], at=AT)
        other = collect_in_thread()
        other.join(0.5)
        assert other.is_alive()  # waits for the listing
    other.join(20)
    assert stock_of(listing)[:3] == (30, AT, 37)
    assert [row.body["quantity"] for row in OutboundMessage.objects.filter(status="pending")] == [30]
    assert ListingStock.objects.count() == 1
