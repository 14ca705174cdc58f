"""A buyer orders on Tmall; the hub fetches, reserves, routes, tells the node, ships, and Tmall knows the parcel."""

from datetime import timedelta

import pytest
from django.utils import timezone

from channels.models import Channel
from channels.services import outbox, pull
from channels.simulators.house import House
from channels.simulators.server import LoopbackServer
from channels.simulators.taobao import Platform
from channels.simulators.taobao_trades import Receiver, Sale, make_trade
from inventory.models import StockLevel, StockMovement
from orders.models import Order
from orders.services import fulfillment, pipeline
from tests import small_company as company
from tests.small_company import TESTER

pytestmark = pytest.mark.django_db

CREDENTIALS = {"app_key": "12345678", "app_secret": "helloworld", "session": "test"}
WUHAN = Receiver(state="湖北省", city="武汉市")
TID = 3902211234567890123


@pytest.fixture
def tmall():
    platform = Platform()
    with platform.serve() as server:
        channel = Channel.objects.create(
            code="TM",
            name="天猫",
            platform="tmall",
            adapter="taobao",
            base_url=f"{server.url}/router/rest",
            credentials=CREDENTIALS,
        )
        yield platform, channel


@pytest.fixture
def wms():
    house = House()
    with LoopbackServer(house.answer) as server:
        company.channel("WMS", base_url=server.url, credentials={"secret": house.secret}, options={"nodes": ["WH"]})
        yield house


def buy(platform, *, minutes_ago, status="WAIT_SELLER_SEND_GOODS", modified=None):
    placed = timezone.now() - timedelta(minutes=minutes_ago)
    line = ("CUP", 68000000001, 5000000001, "保温杯", 2, "109.00", "200.00")
    paid_at = None if status == "WAIT_BUYER_PAY" else placed
    platform.add_trade(make_trade(Sale(TID, [line], placed, paid_at, modified or placed, status, WUHAN)))


def fetch(channel):
    pull.pull(channel, at=timezone.now())
    pipeline.drain()


def test_from_the_buyers_click_to_the_platform_knowing_the_parcel(tmall, wms):
    platform, channel = tmall
    cup, near = company.sku("CUP"), company.node("WH", "42")
    company.stock(cup, company.node("SH"), 10)
    company.stock(cup, near, 10)
    buy(platform, minutes_ago=5)

    fetch(channel)
    order = Order.objects.get()
    assert (order.number, order.status, str(order.total_amount)) == (f"TM-{TID}", "released", "200.00")
    parcel = order.fulfillments.get()
    assert parcel.node == near

    now = timezone.now()
    outbox.deliver(at=now)
    [told] = wms.deliveries()
    assert (told.body["parcel_number"], told.body["node_code"], told.body["lines"]) == (
        parcel.number,
        "WH",
        [{"sku_code": "CUP", "quantity": 2, "unit_price": "100.00"}],
    )

    fulfillment.pick([parcel.pk], actor=TESTER, at=now)
    fulfillment.pack([parcel.pk], actor=TESTER, at=now)
    fulfillment.ship({parcel.pk: fulfillment.Handover("SF", "SF1234567890123")}, actor=TESTER, at=now)
    assert outbox.deliver(at=now).sent == 1

    state = platform.state()
    assert state["by_status"] == {"WAIT_BUYER_CONFIRM_GOODS": 1}
    assert [shipped["out_sid"] for shipped in state["parcels"]] == ["SF1234567890123"]
    level = StockLevel.objects.get(sku=cup, node=near)
    assert (level.on_hand, level.reserved) == (8, 0)
    assert StockMovement.objects.get(kind="shipment").quantity == -2

    fetch(channel)  # the platform now says “shipped”: nothing happens twice
    order.refresh_from_db()
    assert (order.status, order.open_holds, order.fulfillments.count()) == ("shipped", 0, 1)


def test_a_buyer_who_never_pays_gives_the_stock_back(tmall):
    platform, channel = tmall
    cup, node = company.sku("CUP"), company.node("WH", "42")
    company.stock(cup, node, 10)
    buy(platform, minutes_ago=5, status="WAIT_BUYER_PAY")
    fetch(channel)
    assert Order.objects.get().status == "awaiting_payment"
    assert StockLevel.objects.get().reserved == 2

    platform.close_trade(TID)
    fetch(channel)
    assert Order.objects.get().status == "cancelled"
    assert StockLevel.objects.get().reserved == 0
