"""A buyer orders on each of three platforms; the hub fetches, reserves, routes, ships, and the platform knows."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone

from channels.adapters import douyin as douyin_adapter
from channels.adapters import jd as jd_adapter
from channels.adapters import pinduoduo as pinduoduo_adapter
from channels.adapters import registry
from channels.models import Channel, InboundMessage
from channels.services import outbox, pull
from channels.simulators import douyin, jd, pinduoduo
from channels.simulators.signed import SignedPlatform
from inventory.models import StockLevel
from orders.models import Order
from orders.services import fulfillment, pipeline
from tests import small_company as company
from tests.small_company import TESTER

pytestmark = pytest.mark.django_db

NUMBER = 6919000000000000001
WUHAN = {"province": "湖北省", "city": "武汉市"}
ADAPTERS = {
    "douyin": douyin_adapter.ADAPTER,
    "jd": jd_adapter.ADAPTER,
    "pinduoduo": pinduoduo_adapter.ADAPTER,
}
SHIPPED = {"douyin": "3", "jd": "WAIT_GOODS_RECEIVE_CONFIRM", "pinduoduo": "2"}
Shop = tuple[ModuleType, Any, Channel]


@pytest.fixture(params=[douyin, jd, pinduoduo], ids=list(ADAPTERS))
def shop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    name = request.param.__name__.rsplit(".", 1)[1]
    monkeypatch.setitem(registry.BY_NAME, name, ADAPTERS[name])
    platform: SignedPlatform = request.param.Platform()
    with platform.serve() as server:
        channel = Channel.objects.create(
            code="SHOP",
            name=name,
            platform="own",
            adapter=name,
            base_url=server.url + platform.path,
            credentials=platform.credentials,
            options=platform.options,
        )
        yield request.param, platform, channel


def buy(shop: Shop, *, paid: bool = True) -> None:
    module, platform, _ = shop
    at = timezone.now() - timedelta(minutes=5)
    line = ("CUP", "保温杯", 2, Decimal("109.00"))
    order = module.make_order(NUMBER, [line], placed_at=at, paid_at=at if paid else None, receiver=WUHAN)
    platform.add_order(order)


def fetch(channel: Channel) -> None:
    pull.pull(channel, at=timezone.now())
    pipeline.drain()


def test_from_the_buyers_click_to_the_platform_knowing_the_parcel(shop: Shop) -> None:
    _, platform, channel = shop
    cup, near = company.sku("CUP"), company.node("WH", "42")
    company.stock(cup, near, 10)
    buy(shop)

    fetch(channel)
    order = Order.objects.get()
    assert (order.number, order.status, str(order.total_amount)) == (f"SHOP-{NUMBER}", "released", "218.00")
    parcel = order.fulfillments.get()

    now = timezone.now()
    fulfillment.pick([parcel.pk], actor=TESTER, at=now)
    fulfillment.pack([parcel.pk], actor=TESTER, at=now)
    fulfillment.ship({parcel.pk: fulfillment.Handover("SF", "SF1234567890123")}, actor=TESTER, at=now)
    assert outbox.deliver("shipments", at=now).sent == 1
    assert platform.state()["by_status"] == {SHIPPED[channel.adapter]: 1}

    fetch(channel)  # the platform now says “shipped”: nothing happens twice
    order.refresh_from_db()
    level = StockLevel.objects.get()
    assert (order.status, order.open_holds, order.fulfillments.count()) == ("shipped", 0, 1)
    assert (level.on_hand, level.reserved) == (8, 0)
    assert set(InboundMessage.objects.values_list("status", flat=True)) == {"done"}


def test_an_order_that_is_closed_gives_the_stock_back(shop: Shop) -> None:
    _, platform, channel = shop
    company.stock(company.sku("CUP"), company.node("WH", "42"), 10)
    buy(shop, paid=False)
    fetch(channel)
    assert Order.objects.get().status != "released"
    assert StockLevel.objects.get().reserved == 2

    platform.close_order(NUMBER)
    fetch(channel)

    assert Order.objects.get().status == "cancelled"
    assert StockLevel.objects.get().reserved == 0
