"""Working out a refund at the desk: choose what comes back, read what to refund and why."""

from decimal import Decimal as D

import pytest
from django.urls import reverse

from orders.models import Order, Refund
from promotions.rules.conditions import Amount
from promotions.rules.rewards import Gift, Item, SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from tests import small_company as company
from tests.orders.services import scenes
from tests.promotions.services.scenes import live
from tests.small_company import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(desk, shop, sell):
    channel, _cup, _lid, near, _far = shop
    channel.is_priced_here = True
    channel.save()
    company.stock(company.sku("GIFT"), near, 5)
    live("SAVE", Rule(reward=SpendAndSave((Step(D(20), D(5)),))))
    live("THREE", Rule(reward=Gift((Item("GIFT"),)), condition=Amount(D(25)), limits=Limits(most_uses=9)))
    sell({"1": {"CUP": 2, "LID": 1}})
    return Order.objects.get()


def page(browser, order, **told):
    answer = browser.get(reverse("admin:orders_order_refund_quote", args=[order.pk]), told)
    assert answer.status_code == 200
    return answer.content.decode()


def refund(order, lines, amount, status="asked"):
    told = [{"line": line, "quantity": units} for line, units in lines.items()]
    return Refund.objects.create(order=order, external_id="R1", status=status, amount=D(amount), lines=told,
                                 received_at=NOON)  # fmt: skip


def test_the_order_page_leads_there_and_the_page_asks_for_units(desk, order):
    url = reverse("admin:orders_order_refund_quote", args=[order.pk])
    shown = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert f'href="{url}"' in shown
    assert 'href="/admin/promotions/redemption/?q=JD-1"' in shown
    asked = page(desk, order)
    for number, most in ((1, 2), (2, 1), (3, 1)):
        assert f'name="units-{number}" value="" min="0" max="{most}"' in asked
    assert "To refund" not in asked


def test_what_comes_back_is_answered_with_figures_reasons_and_gifts_and_nothing_is_written(desk, order):
    before = scenes.everything()
    shown = page(desk, order, **{"units-1": "2", "units-2": "", "units-3": ""})
    for words in (
        "<dt>The order cost</dt><dd>¥25.00</dd>", "<dt>What stays costs</dt><dd>¥-10.00</dd>",
        "<dt>To refund</dt><dd>¥15.00</dd>", "In this order the units cost 16.67.",
        "SAVE gave 5.00; without them it gives 0.00: Its goods come to 10.00; they need 20.00.",
        "1 × GIFT of THREE: to be sent back, or charged ¥10.00", "If the buyer keeps them: refund ¥5.00.",
    ):  # fmt: skip
        assert words in shown, words
    assert scenes.everything() == before


@pytest.mark.parametrize(
    ("units", "words"),
    [("3", "Of line 1 2 units can come back."), ("-1", "Units are whole numbers."), ("x", "Units are whole numbers.")],
)
def test_what_cannot_come_back_is_said_at_its_line(desk, order, units, words):
    shown = page(desk, order, **{"units-1": units})
    assert words in shown
    assert f'class="units wrong" name="units-1" value="{units}"' in shown
    assert "<h2>To refund</h2>" not in shown


def test_a_refund_of_the_channel_fills_the_page_and_is_compared(desk, order):
    told = refund(order, {"1": 2}, "16.00")
    shown = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert f"/refund-quote/?refund={told.pk}" in shown
    shown = page(desk, order, refund=told.pk)
    assert "Refund R1: the channel says ¥16.00." in shown
    assert "<dt>To refund</dt><dd>¥15.00</dd>" in shown
    shown = desk.get(reverse("admin:orders_refund_change", args=[told.pk])).content.decode()
    assert "<b>¥15.00</b>" in shown
    assert "not what the channel says" in shown
    Refund.objects.update(amount=D(15))
    shown = desk.get(reverse("admin:orders_refund_change", args=[told.pk])).content.decode()
    assert "as the channel says" in shown


def test_a_refund_of_the_whole_order_fills_all_lines_and_one_of_another_order_none(desk, order, sell):
    told = refund(order, {}, "25.00")
    assert "<dt>To refund</dt><dd>¥25.00</dd>" in page(desk, order, refund=told.pk)
    sell({"2": {"CUP": 1}})
    other = Order.objects.get(number="JD-2")
    assert "the channel says" not in page(desk, other, refund=told.pk)


def test_who_may_not_see_orders_is_refused(clerk, order):
    url = reverse("admin:orders_order_refund_quote", args=[order.pk])
    assert clerk("promotions.view_promotion").get(url).status_code == 403
    assert clerk("orders.view_order").get(url).status_code == 200
    assert clerk("orders.view_order").get(reverse("admin:orders_order_refund_quote", args=[9**9])).status_code == 404
