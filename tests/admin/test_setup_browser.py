"""Connecting the simulated Taobao shop in a real browser, at a desk and on a phone, as a new user would."""

import os
from time import monotonic

import pytest

from channels.models import Channel, Listing
from channels.services import setup_listings
from channels.simulators.taobao import Platform
from inventory.models import Sku
from tests import small_company as company
from tests.admin.test_browser import CHROMIUM, log_in, page  # noqa: F401 - page is the fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
PICTURES = os.environ.get("PICTURES", "")  # a folder to keep pictures of the pages in
MOST_STEPS = 12  # clicks that send something, from the list to a live channel
TEN_MINUTES = 600


class Walk:
    """One user's way through the pages: counts what is sent, and looks at each page on the way."""

    def __init__(self, tab, url: str, width: int) -> None:
        self.tab, self.url, self.width, self.steps, self.began = tab, url, width, 0, monotonic()

    def look(self, name: str) -> None:
        """Assert that nothing scrolls sideways; keep a picture where they are wanted."""
        if PICTURES:
            self.tab.screenshot(path=f"{PICTURES}/{self.width}-{name}.png", full_page=True)
        assert self.tab.evaluate("document.documentElement.scrollWidth") <= self.width, name

    def go(self, selector: str, name: str) -> None:
        """Look at the page, then click what leads to the next one."""
        self.look(name)
        with self.tab.expect_navigation():
            self.tab.click(selector)
        self.steps += 1


def choose_and_enter(walk: Walk, address: str, credentials: dict[str, str]) -> None:
    tab = walk.tab
    tab.goto(f"{walk.url}/admin/channels/channelsetup/add/")
    walk.go("a[href='?adapter=taobao']", "1-platforms")
    tab.fill("[name=name]", "Tmall shop")
    tab.fill("[name=code]", "TMALL")
    walk.go(".setup-form button.primary", "2-name")
    tab.fill("[name=base_url]", address)
    for name, value in credentials.items():
        assert tab.get_attribute(f"[name=credential-{name}]", "type") == "password"
        tab.fill(f"[name=credential-{name}]", value)
    walk.go(".setup-form button.primary", "3-credentials")
    assert tab.locator(".setup-result.good").count() == 1
    assert credentials["app_secret"] not in tab.content()
    walk.go(".setup-result a.primary", "4-reached")


def read_listings(walk: Walk) -> None:
    walk.go("button[value=read]", "5-to-read")
    walk.look("6-reading")
    setup_listings.read_waiting()  # the worker's part; the page finds out by itself
    walk.tab.wait_for_selector(".setup-result.good", timeout=10_000)
    walk.go("a.primary", "7-read")


def match_listings(walk: Walk) -> None:
    tab = walk.tab
    walk.go("button[value=accept]", "8-sure")
    assert (tab.input_value("[data-sku]"), tab.is_checked("[name=found]")) == ("KETTLE-15", False)
    tab.check("[name=found]")
    walk.go("button[value=accept]", "9-doubtful")
    tab.type("[data-sku]", "li", delay=30)
    tab.wait_for_function("document.querySelectorAll('datalist option').length === 1")
    tab.fill("[data-sku]", "LID")
    assert tab.is_checked("[name=found]")
    walk.go("button[value=accept]", "10-unknown")
    walk.go("button[value=take_over]", "11-accepted")


def agree(walk: Walk, node_id: int) -> None:
    walk.tab.check(f"input[name=nodes][value='{node_id}']")
    walk.tab.fill("[name=fee_percent]", "5")
    walk.tab.select_option("[name=share_kind]", "capped")
    walk.tab.fill("[name=share_percent]", "30")
    walk.go(".setup-form button.primary", "12-terms")
    walk.go("button[value=live]", "13-summary")
    walk.look("14-live")


@pytest.fixture
def platform() -> Platform:
    """A shop that lists an equal code, a similar name and something alien."""
    made = Platform()
    made.add_item(1, 11, outer_id="CUP", title="Cup", kind="blue", price="35.00", quantity=3)
    made.add_item(2, 0, outer_id="T-9", title="Electric kettle 1.5 l steel, free gift", price="129.00", quantity=4)
    made.add_item(3, 0, outer_id="ALIEN", title="Silicone thing 42", price="9.90", quantity=8)
    return made


@pytest.mark.parametrize("seen", [(1440, "zh-hans"), (390, "en")], ids=["desk", "phone"])
def test_a_new_user_connects_a_shop(page, live_server, boss, shop, platform, seen):  # noqa: F811
    (width, language), near = seen, shop[3]
    Sku.objects.filter(pk=company.sku("KETTLE-15").pk).update(name="Electric kettle 1.5 l steel")
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, live_server.url, language)
    walk = Walk(page, live_server.url, width)
    with platform.serve() as server:
        choose_and_enter(walk, f"{server.url}/router/rest", platform.credentials)
        read_listings(walk)
    match_listings(walk)
    agree(walk, near.pk)

    channel = Channel.objects.get(code="TMALL")
    assert (channel.is_active, channel.is_sandbox, list(channel.nodes.all())) == (True, False, [near])
    told = Listing.objects.filter(channel=channel).order_by("external_code").values_list("external_code", "sku__code")
    assert list(told) == [("ALIEN", "LID"), ("CUP", "CUP"), ("T-9", "KETTLE-15")]
    assert walk.steps <= MOST_STEPS
    assert monotonic() - walk.began < TEN_MINUTES
    assert page.troubles == []
