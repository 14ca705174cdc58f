"""From a change of stock over HTTP to what the shop accepted, with the outbox as it runs."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.models import ListingStock, OutboundMessage, StockPush
from channels.services import outbox, stock_push
from channels.services.outbox import Delivered
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer
from tests import small_company as company
from tests.channels.services.conftest import make_channel
from tests.channels.services.stock_shop import change, list_on, stock_of

AT = datetime(2030, 1, 1, 1, 0, tzinfo=UTC)  # after the moments of the database's own clock
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_change_reaches_the_shop_and_is_measured(partner: LoopbackServer, house: House) -> None:
    shop, cup, near = make_channel("SHOP", partner.url), company.sku("CUP"), company.node("SH")
    listing = list_on(shop, cup)
    company.stock(cup, near, 40)
    stock_push.collect(AT)
    assert outbox.deliver(at=AT) == Delivered(sent=1)
    change(cup, near, -38, since=AT + timedelta(seconds=9))
    stock_push.collect(AT + timedelta(seconds=10))
    assert outbox.deliver(at=AT + timedelta(seconds=11)) == Delivered(sent=1)
    said = [(each.body["quantity"], each.body["change"], each.times) for each in house.deliveries()]
    assert said == [(40, None, 1), (2, -38, 1)]
    due, since, accepted, _at = stock_of(listing)
    assert (due, since, accepted) == (2, None, 2)
    push = StockPush.objects.order_by("-pk")[0]
    assert (push.quantity, push.changed_at, push.is_urgent) == (2, AT + timedelta(seconds=9), True)
    assert timedelta(seconds=2) <= push.accepted_at - push.changed_at < timedelta(seconds=7)


def test_a_figure_that_a_shop_does_not_take_now_stays_due(partner: LoopbackServer, house: House) -> None:
    shop, cup, near = make_channel("SHOP", partner.url), company.sku("CUP"), company.node("SH")
    listing = list_on(shop, cup)
    company.stock(cup, near, 40)
    stock_push.collect(AT)
    partner.faults.plan("http503")
    assert outbox.deliver(at=AT) == Delivered(retried=1)
    assert (stock_of(listing)[0], stock_of(listing)[2], StockPush.objects.count()) == (40, None, 0)
    change(cup, near, -1, since=AT + timedelta(minutes=1))
    stock_push.collect(AT + timedelta(hours=2))
    assert outbox.deliver(at=AT + timedelta(hours=2)) == Delivered(sent=1)
    assert [each.body["quantity"] for each in house.deliveries()] == [39]
    assert stock_of(listing)[:3] == (39, None, 39)
    assert sorted(OutboundMessage.objects.values_list("status", flat=True)) == ["given_up", "sent"]
    assert ListingStock.objects.get().quantity_seen is None
