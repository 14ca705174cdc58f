"""Coupons, their uses and a refund's figures in a real browser, in both languages: it fits, and nothing goes wrong."""

import os
from decimal import Decimal as D

import pytest

from orders.models import Order
from promotions.models import CouponBatch, Redemption
from promotions.rules.conditions import Amount
from promotions.rules.rewards import Gift, Item, SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from tests import small_company as company
from tests.admin.test_browser import CHROMIUM, log_in, page  # noqa: F401 - page is the fixture
from tests.promotions.services.scenes import live

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
PICTURES = os.environ.get("PICTURES", "")  # a folder to keep pictures of the pages in
WIDTH, PHONE = 1440, 390


@pytest.fixture
def promotion(boss, shop, sell):
    channel, _cup, _lid, near, _far = shop
    channel.is_priced_here = True
    channel.save()
    company.stock(company.sku("GIFT"), near, 5)
    rule = Rule(reward=SpendAndSave((Step(D(20), D(5)),)), needs_coupon=True, limits=Limits(budget=D(500)))
    live("THREE", Rule(reward=Gift((Item("GIFT"),)), condition=Amount(D(25)), limits=Limits(most_uses=9)))
    return live("WELCOME", rule).promotion


def look(tab, name: str) -> None:
    """Assert that nothing scrolls sideways, at a desk and on a phone; keep pictures where they are wanted."""
    for width in (PHONE, WIDTH):
        tab.set_viewport_size({"width": width, "height": 1000})
        if PICTURES:
            tab.screenshot(path=f"{PICTURES}/{width}-{name}.png", full_page=True)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_coupons_are_made_used_and_stopped_and_a_refund_is_worked_out(page, live_server, promotion, sell, language):  # noqa: F811
    url = live_server.url
    log_in(page, url, language)
    page.goto(f"{url}/admin/promotions/promotion/{promotion.pk}/change/")
    with page.expect_navigation():
        page.click("a[href*='/couponbatch/add/']")
    look(page, f"batch-add-{language}")
    page.fill("[name=name]", "Autumn")
    page.fill("[name=size]", "3")
    with page.expect_navigation():
        page.click("button.primary[type=submit]")
    batch = CouponBatch.objects.get()
    codes = list(batch.coupons.order_by("pk").values_list("code", flat=True))
    sell({"1": {"CUP": 2, "LID": 1}}, coupon_codes=codes[:1])
    assert Redemption.objects.get(coupon__code=codes[0]).amount == D(5)
    pages = {
        "batch": f"couponbatch/{batch.pk}/change/", "batches": "couponbatch/", "coupons": "coupon/",
        "coupon-add": "coupon/add/", "redemptions": "redemption/", "promotions": "promotion/",
        "promotion": f"promotion/{promotion.pk}/change/",
    }  # fmt: skip
    for name, place in pages.items():
        page.goto(f"{url}/admin/promotions/{place}")
        look(page, f"{name}-{language}")
    stop_the_batch(page, url, batch)
    work_out_a_refund(page, url, language)
    assert page.troubles == []


def stop_the_batch(tab, url: str, batch: CouponBatch) -> None:
    tab.goto(f"{url}/admin/promotions/couponbatch/{batch.pk}/change/")
    with tab.expect_navigation():
        tab.click("a[href*='/do/stop/']")
    tab.fill("[name=reason]", "printed twice")
    with tab.expect_navigation():
        tab.click("button.grave-full[type=submit]")
    assert not batch.coupons.filter(is_active=True).exists()


def work_out_a_refund(tab, url: str, language: str) -> None:
    tab.goto(f"{url}/admin/orders/order/{Order.objects.get().pk}/change/")
    with tab.expect_navigation():
        tab.click("a[href$='/refund-quote/']")
    tab.fill("[name=units-1]", "2")
    with tab.expect_navigation():
        tab.click("form[method=get] button.primary[type=submit]")
    assert tab.locator(".refund-quote .sums dd").all_inner_texts()[-1] == "¥15.00"
    look(tab, f"refund-{language}")
