"""One walk through the desk in a real browser, in both languages: no error on the console, no sideways scrolling."""

import os
import shutil

import pytest
from django.db import connection, connections

from orders.models import Order

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTH = 1440
WORDS = {
    "en": {"held": "Held orders", "waits": "Needs a person", "hold": "Hold…", "lift": "Lift hold", "is_held": "On hold",
           "is_released": "Released", "filters": "Filters"},
    "zh-hans": {"held": "挂起的订单", "waits": "需人工处理", "hold": "挂起…", "lift": "解除挂起", "is_held": "已挂起",
                "is_released": "已下发", "filters": "过滤器"},
}  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture
def page(live_server, monkeypatch):
    """A page of Chromium that remembers what went wrong on its console."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright keeps a loop in this thread
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)  # or the server's threads keep the database busy
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_context(viewport={"width": WIDTH, "height": 1000}).new_page()
        tab.troubles = []
        tab.on("console", lambda said: tab.troubles.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
        tab.on("response", lambda answer: tab.troubles.append(answer.url) if answer.status >= 400 else None)
        yield tab
        browser.close()
        connections.close_all()  # beside playwright's loop Django opens a connection of its own


def log_in(page, url: str, language: str) -> None:
    """Log in as the superuser and choose a language in the user's menu."""
    page.goto(f"{url}/admin/login/")
    page.fill("[name=username]", "boss")
    page.fill("[name=password]", "a-long-password")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    choices = page.locator("form[action*='setlang']").filter(has=page.locator(f"input[value={language}]"))
    with page.expect_navigation():
        choices.evaluate("form => form.submit()")


def look_for_what_waits(page, words: dict[str, str]) -> None:
    """Open the orders, check that the list fits, and narrow it to what needs a person."""
    with page.expect_navigation():
        page.click("#nav-sidebar-apps a[href='/admin/orders/order/']")
    assert page.locator("#result_list tbody tr").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.desk-list'))") == 0
    with page.expect_navigation():
        page.click(f".view >> text={words['waits']}")
    assert page.url.endswith("?status=on_hold")
    assert page.locator("#result_list tbody tr").count() == 1
    page.click(f"#changelist >> text={words['filters']}")
    page.wait_for_selector("#filter-form >> visible=true")


@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_walk_through_the_desk(page, live_server, boss, sell, language):
    sell({"1": {"CUP": 2}, "2": {"GHOST": 1}})
    words, order = WORDS[language], Order.objects.get(number="JD-1")
    log_in(page, live_server.url, language)
    look_for_what_waits(page, words)

    page.goto(f"{live_server.url}/admin/orders/order/?q=JD-1")
    with page.expect_navigation():
        page.click("#result_list a.key")
    with page.expect_navigation():
        page.click(f".button >> text={words['hold']}")
    page.fill("[name=reason]", "Call the buyer")
    with page.expect_navigation():
        page.click(".verb-form button[type=submit]")
    assert page.url.endswith(f"/{order.pk}/change/")
    assert page.locator(f".head-main .tag >> text={words['is_held']}").count() == 1
    with page.expect_navigation():
        page.click(f".button >> text={words['lift']}")
    assert page.locator(f".head-main .tag >> text={words['is_released']}").count() == 1
    order.refresh_from_db()
    assert order.status == "released"
    assert page.troubles == []
