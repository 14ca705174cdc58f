"""The three cases of the mission in a real browser: configured in the builder, approved by another user, live."""

import os
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import User

from promotions.models import PromotionVersion
from promotions.rules import conditions as c
from promotions.rules.rule import from_json
from tests import small_company as company
from tests.admin.test_browser import CHROMIUM, log_in, page  # noqa: F401 - page is the fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
PICTURES = os.environ.get("PICTURES", "")  # a folder to keep pictures of the pages in
WIDTH, PHONE = 1440, 390


@pytest.fixture
def goods(boss):
    cup, sample = company.sku("CUP"), company.sku("SAMPLE-B")
    node = company.node("SH")
    company.stock(cup, node, 10)
    company.stock(sample, node, 10)
    User.objects.create_superuser("chief", "", "a-long-password")


def look(tab, name: str) -> None:
    """Assert that nothing scrolls sideways, at a desk and on a phone; keep pictures where they are wanted."""
    for width in (PHONE, WIDTH):
        tab.set_viewport_size({"width": width, "height": 1000})
        if PICTURES:
            tab.screenshot(path=f"{PICTURES}/{width}-{name}.png", full_page=True)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


def begin(tab, url: str, kind: str, code: str) -> None:
    tab.goto(f"{url}/admin/promotions/promotion/add/")
    look(tab, f"{code}-kinds")
    with tab.expect_navigation():
        tab.click(f"a[href='?kind={kind}']")
    tab.fill("[name=code]", code)
    tab.fill("[name=name]", code)


def condition(tab, group: int, row: int, what: str, **values: str) -> None:
    tab.select_option(f"[name=condition-{group}-{row}-what]", what)
    for name, value in values.items():
        tab.fill(f"[name=condition-{group}-{row}-{name}]", value)
    tab.keyboard.press("Escape")


def gift(tab, sku: str, most_uses: str = "1000") -> None:
    tab.fill("[name=items-0-sku]", sku)
    tab.keyboard.press("Escape")
    tab.fill("[name=items-0-quantity]", "1")
    tab.fill("[name=most_uses]", most_uses)


def says(tab, words: str, name: str) -> None:
    """Wait until the preview says this, and that nothing is wrong with it."""
    tab.wait_for_selector(f".said >> text={words}")
    tab.wait_for_selector("[data-shown] .tag-green")
    look(tab, name)


def bring_live(tab, url: str, name: str) -> PromotionVersion:
    """Save the draft, submit it, and let two others approve it as its limits ask; return what is live."""
    with tab.expect_navigation():
        tab.click("button.primary[type=submit]")
    tab.fill(".deeds [name=reason]", "for the festival")
    with tab.expect_navigation():
        tab.click("button[formaction$='/submit/']")
    look(tab, f"{name}-waiting")
    version = PromotionVersion.objects.get()
    assert version.status == "submitted"
    address = tab.url
    for person in ("chief", "second"):
        if PromotionVersion.objects.get().status == "submitted":
            User.objects.filter(username="second").exists() or User.objects.create_superuser(
                "second", "", "a-long-password"
            )
            tab.context.clear_cookies()
            tab.goto(f"{url}/admin/login/")
            tab.fill("[name=username]", person)
            tab.fill("[name=password]", "a-long-password")
            tab.click("button[type=submit]")
            tab.wait_for_url("**/admin/")
            tab.goto(address)
            with tab.expect_navigation():
                tab.click("button[formaction$='/approve/']")
    look(tab, f"{name}-live")
    return PromotionVersion.objects.get()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_orders_of_300_to_east_china_get_a_gift(page, live_server, goods, language):  # noqa: F811
    log_in(page, live_server.url, language)
    begin(page, live_server.url, "gift", "EAST-300")
    condition(page, 0, 0, "amount", least="300")
    page.click("[data-add-condition]")
    condition(page, 0, 1, "ships_to", words="east")
    gift(page, "SAMPLE-B")
    says(page, "Orders of ¥300 or more shipped to East China get 1 × SAMPLE-B", f"east-{language}")
    page.fill("[name=baskets]", "CUP*40 | 31\nCUP*40 | 44")
    page.click("[data-try]")
    page.wait_for_selector("[data-trial] tr")
    assert page.locator("[data-trial] tbody tr td:last-child").all_inner_texts() == ["1 × SAMPLE-B", ""]
    assert bring_live(page, live_server.url, f"east-{language}").status == "live"
    assert page.troubles == []


def test_who_buys_a_gets_the_sample_b(page, live_server, goods):  # noqa: F811
    log_in(page, live_server.url, "en")
    begin(page, live_server.url, "buy_gift", "618-GIFT")
    page.fill("[name=goods]", "CU")
    page.click(".proposals button:has(b:text-is('CUP'))")
    gift(page, "SAMPLE-B")
    says(page, "All orders get 1 × SAMPLE-B for every 1 × CUP, once", "618")
    version = bring_live(page, live_server.url, "618")
    assert (version.status, from_json(version.body).reward.goods.skus) == ("live", ("CUP",))
    assert page.troubles == []


def test_the_festival_configured_at_eight_goes_live_at_nine(page, live_server, goods):  # noqa: F811
    log_in(page, live_server.url, "en")
    begin(page, live_server.url, "save", "FESTIVAL")
    page.fill("[name=steps-0-at_least]", "300")
    page.fill("[name=steps-0-off]", "50")
    page.fill("[name=budget]", "20000")
    page.fill("[name=publish_at]", "2099-11-11T21:00")
    says(page, "All orders get ¥50 off from ¥300 on; ¥20,000 in all", "festival")
    version = bring_live(page, live_server.url, "festival")
    assert (version.status, f"{version.publish_at:%Y-%m-%d %H:%M}") == ("scheduled", "2099-11-11 13:00")
    assert page.troubles == []


def test_a_group_is_put_inside_another_and_taken_out_again(goods, live_server, page):  # noqa: F811
    tab, url = page, live_server.url
    log_in(tab, url, "en")
    begin(tab, url, "gift", "NESTED")
    condition(tab, 0, 0, "amount", least="300")
    tab.click("[data-add-group]")
    condition(tab, 1, 0, "member", words="gold")
    tab.click("[data-group]:nth-of-type(2) [data-add-inside]")
    condition(tab, 2, 0, "quantity", least="5")
    tab.select_option("[name=condition-2-mode]", "all")
    tab.click("[data-group]:nth-of-type(3) [data-add-condition]")
    condition(tab, 2, 1, "on_weekdays", words="6, 7")
    tab.click("[data-group]:nth-of-type(1) [data-add-inside]")
    condition(tab, 1, 0, "ships_to", words="mars")
    assert tab.eval_on_selector_all("[data-inside]", "all => all.map(one => one.value)") == ["", "0", "", "2"]
    tab.click("[data-group]:nth-of-type(2) [data-remove]")
    assert tab.eval_on_selector_all("[data-inside]", "all => all.map(one => one.value)") == ["", "", "1"]
    gift(tab, "SAMPLE-B")
    look(tab, "NESTED-form")
    with tab.expect_navigation():
        tab.click("button.primary[type=submit]")
    condition_of = from_json(PromotionVersion.objects.get().body).condition
    assert condition_of == c.All(
        (c.Amount(D(300)), c.Any((c.Member(("gold",)), c.All((c.Quantity(5), c.OnWeekdays((6, 7)))))))
    )
    look(tab, "NESTED-page")
