"""Who is served first when stock comes."""

from datetime import date, timedelta

import pytest

from inventory.models import ExpectedReceipt, Receipt
from inventory.services import receipts
from inventory.services.receipts import Arrival
from orders.models import Order
from orders.services import backorders, holds
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER


def place(hub, number, units, *, minutes=10, channel=None, **facts):
    placed = (NOON - timedelta(minutes=minutes)).isoformat()
    company.receive(channel or hub.channel, company.order_message(number, units, placed_at=placed, **facts))
    scenes.drain()


@pytest.fixture
def sold_out(hub):
    place(hub, "0", {"CUP": 20}, minutes=59)
    return hub


def served():
    """Which orders have everything, by the channel's number."""
    return sorted(
        Order.objects.filter(status="released").exclude(external_id="0").values_list("external_id", flat=True)
    )


def test_an_order_has_the_priority_of_its_channel(sold_out):
    vip = company.channel("VIP", priority=7)
    place(sold_out, "1", {"CUP": 1})
    place(sold_out, "2", {"CUP": 1}, channel=vip)
    assert (scenes.order("1").priority, scenes.order("2").priority) == (0, 7)


def test_who_waits_longest_is_served_first(sold_out):
    for number, minutes in (("1", 10), ("2", 30), ("3", 20)):
        place(sold_out, number, {"CUP": 2}, minutes=minutes)
    company.stock(sold_out.cup, sold_out.near, 4)
    assert backorders.retry(at=NOON) == 2
    assert served() == ["2", "3"]


def test_a_higher_priority_is_served_before_a_longer_wait(sold_out):
    vip, low = company.channel("VIP", priority=7), company.channel("LOW", priority=-3)
    place(sold_out, "1", {"CUP": 2}, minutes=50, channel=low)
    place(sold_out, "2", {"CUP": 2}, minutes=40)
    place(sold_out, "3", {"CUP": 2}, minutes=5, channel=vip)
    company.stock(sold_out.cup, sold_out.near, 4)
    assert backorders.retry(at=NOON) == 2
    assert served() == ["2", "3"]


def test_the_order_is_kept_from_page_to_page(sold_out):
    vip = company.channel("VIP", priority=7)
    for number in range(1, 6):
        place(sold_out, str(number), {"CUP": 1}, minutes=number)
    place(sold_out, "6", {"CUP": 1}, minutes=0, channel=vip)
    company.stock(sold_out.cup, sold_out.near, 3)
    assert backorders.retry(at=NOON, page=1) == 3
    assert served() == ["4", "5", "6"]


def test_units_of_a_delivery_go_to_those_who_were_promised_them(sold_out):
    """The later delivery comes early: those it was promised to stand before older ones who wait for another."""
    vip = company.channel("VIP", priority=7)
    for number, day in (("PO-1", 1), ("PO-2", 9)):
        row = ExpectedReceipt(number=number, node=sold_out.near, due_date=date(2026, 12, day))
        receipts.expect(row, units={sold_out.cup.pk: 4}, actor=TESTER, at=NOON)
    place(sold_out, "1", {"CUP": 4}, minutes=5, channel=vip)
    place(sold_out, "2", {"CUP": 2}, minutes=30)
    place(sold_out, "3", {"CUP": 2}, minutes=20)
    early = ExpectedReceipt.objects.get(number="PO-2")
    receipt = Receipt(number="R", node=sold_out.near, expected=early)
    receipts.receive(receipt, arrivals=[Arrival(sold_out.cup.pk, 2)], actor=TESTER, at=NOON)
    assert backorders.retry(at=NOON) == 1
    assert served() == ["2"]


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"paid_at": None}, id="unpaid within its term"),
        pytest.param({"must_not_ship": "wait"}, id="kept back by its channel"),
        pytest.param({"paid_at": None, "must_not_ship": "deposit only"}, id="unpaid and kept back"),
    ],
)
def test_orders_that_may_reserve_get_stock_though_they_may_not_leave(sold_out, facts):
    place(sold_out, "1", {"CUP": 1}, **facts)
    assert scenes.order().goods_state == "backordered"
    company.stock(sold_out.cup, sold_out.near, 1)
    assert backorders.retry(at=NOON) == 1
    assert scenes.order().goods_state == "allocated"


def test_an_order_on_another_hold_and_an_unpaid_one_out_of_its_term_get_none(sold_out):
    place(sold_out, "1", {"CUP": 1})
    holds.place([scenes.order("1").pk], reason="?", actor=TESTER, at=NOON)
    place(sold_out, "2", {"CUP": 1}, minutes=10, paid_at=None)
    company.stock(sold_out.cup, sold_out.near, 2)
    before = scenes.everything()
    assert backorders.retry(at=NOON + timedelta(minutes=20)) == 0
    assert scenes.everything() == before
