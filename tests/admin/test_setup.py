"""Connecting a channel at the desk: the steps, who may do what, and what is said when something is wrong."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.models import Channel, ChannelSetup, FoundListing, Listing
from channels.services import setup_listings
from channels.simulators.server import LoopbackServer
from channels.simulators.taobao import Platform
from inventory.models import ChannelShare
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
ADD = "/admin/channels/channelsetup/add/"
LIST = "/admin/channels/channelsetup/"
SECRET = "very-secret-session"


@pytest.fixture
def platform() -> Platform:
    return Platform(credentials={"app_key": "12345678", "app_secret": "helloworld", "session": SECRET})


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


def begin(browser, adapter: str = "taobao", code: str = "TM") -> ChannelSetup:
    told = {"name": "Tmall shop", "code": code, "currency": "CNY"}
    assert browser.post(f"{ADD}?adapter={adapter}", told).status_code == 302
    return ChannelSetup.objects.get(channel__code=code)


def page(row: ChannelSetup, step: str) -> str:
    return f"{reverse('admin:channels_channelsetup_change', args=[row.pk])}?step={step}"


def enter(browser, row: ChannelSetup, url: str, **credentials: str):
    told = {"app_key": "12345678", "app_secret": "helloworld", "session": SECRET} | credentials
    fields = {f"credential-{name}": value for name, value in told.items()}
    return browser.post(page(row, "credentials"), {"base_url": url} | fields, follow=True)


@pytest.fixture
def read_shop(desk, platform, server) -> ChannelSetup:
    """A shop whose listings are read: one equal code, one similar name, one alien."""
    company.sku("MUG"), company.sku("KETTLE")
    platform.add_item(1, 0, outer_id="MUG", title="Mug", price="35.00", quantity=3)
    platform.add_item(2, 0, outer_id="T-9", title="Kettle, steel")
    platform.add_item(3, 0, outer_id="ALIEN", title="Tyre")
    row = begin(desk)
    enter(desk, row, f"{server.url}/router/rest")
    desk.post(page(row, "listings"), {"deed": "read"})
    setup_listings.read_waiting(at=lambda: NOON)
    row.refresh_from_db()
    return row


def found(code: str) -> FoundListing:
    return FoundListing.objects.get(external_code=code)


def text(answer) -> str:
    return answer.content.decode()


def test_the_platforms_are_shown_with_what_they_can(desk):
    shown = text(desk.get(ADD))
    assert "?adapter=taobao" in shown
    assert "reads listings" in shown
    assert "How is the shop called?" in text(desk.get(f"{ADD}?adapter=taobao"))
    assert "Which platform" in text(desk.get(f"{ADD}?adapter=no_such"))


def test_a_code_that_is_taken_is_said_beside_its_field(desk):
    begin(desk)
    told = {"name": "x", "code": "tm", "currency": "CNY"}
    assert "There is a channel tm already." in text(desk.post(f"{ADD}?adapter=taobao", told))
    assert "This field is required." in text(desk.post(f"{ADD}?adapter=taobao", {"code": "A", "currency": "CNY"}))
    assert Channel.objects.count() == 1


def test_the_connection_is_tried_at_once_and_the_secret_never_shown(desk, server):
    row = begin(desk)
    shown = text(enter(desk, row, f"{server.url}/router/rest"))
    assert "Connected to 演示旗舰店." in shown
    for url in (page(row, "credentials"), page(row, "summary"), LIST,
                reverse("admin:channels_channel_change", args=[row.channel_id])):  # fmt: skip
        assert SECRET not in text(desk.get(url))
    assert "Stored; leave it empty to keep it." in text(desk.get(page(row, "credentials")))


def test_wrong_credentials_and_a_wrong_address_are_said(desk, server):
    row = begin(desk)
    assert "code 27" in text(enter(desk, row, f"{server.url}/router/rest", session="wrong"))
    refused = text(enter(desk, row, "ftp://shop"))
    assert "An address begins with http:// or https://." in refused
    row.refresh_from_db()
    assert (row.is_reached, row.step, row.channel.base_url) == (False, "credentials", f"{server.url}/router/rest")
    shown = text(desk.post(page(row, "summary"), {"deed": "live"}, follow=True))
    assert "The connection has not been tried with success: try it first." in shown
    assert Channel.objects.get().is_active is False


def test_options_may_be_words_or_json(desk):
    row = begin(desk, adapter="shopify")
    told = {"base_url": "", "option-location_id": "7", "option-carriers": '{"SF": "sf-express"}'}
    desk.post(page(row, "credentials"), told)
    assert Channel.objects.get().options == {"location_id": "7", "carriers": {"SF": "sf-express"}}
    assert "This is not JSON." in text(desk.post(page(row, "credentials"), told | {"option-carriers": "{x"}))


def test_the_matching_page_ticks_the_sure_ones(desk, read_shop):
    shown = text(desk.get(page(read_shop, "matching")))
    assert f'value="{found("MUG").pk}" id="found-{found("MUG").pk}" checked' in shown
    assert "Code 100 %" in shown
    doubtful = text(desk.get(page(read_shop, "matching") + "&show=doubtful"))
    assert f'name="sku-{found("T-9").pk}" value="KETTLE"' in doubtful
    assert "checked" not in doubtful.split("<tbody>")[1].split("</tbody>")[0]
    assert "ALIEN" in text(desk.get(page(read_shop, "matching") + "&show=unknown"))


def test_ticked_listings_are_accepted_with_the_typed_sku(desk, read_shop):
    mug, alien = found("MUG"), found("ALIEN")
    told = {"deed": "accept", "found": [mug.pk, alien.pk], f"sku-{mug.pk}": "MUG", f"sku-{alien.pk}": "KETTLE"}
    assert "2 listings accepted." in text(desk.post(page(read_shop, "matching"), told, follow=True))
    assert (found("ALIEN").sku.code, found("ALIEN").matched_by) == ("KETTLE", "person")
    desk.post(page(read_shop, "matching"), {"deed": "leave_out", "found": [found("T-9").pk]})
    shown = text(desk.post(page(read_shop, "matching"), {"deed": "take_over"}, follow=True))
    assert "2 listings made." in shown
    assert set(Listing.objects.values_list("external_code", "sku__code")) == {("MUG", "MUG"), ("ALIEN", "KETTLE")}


def test_an_unknown_sku_is_said_and_nothing_is_accepted(desk, read_shop):
    told = {"deed": "accept", "found": [found("MUG").pk], f"sku-{found('MUG').pk}": "GHOST"}
    assert "There is no such SKU: GHOST" in text(desk.post(page(read_shop, "matching"), told, follow=True))
    assert found("MUG").decision == "open"


def test_skus_are_found_by_code_name_and_barcode(desk, shop):
    url = reverse("admin:channels_channelsetup_skus")
    company.sku("SET", parts={shop[1]: 2})
    assert desk.get(url, {"q": "cu"}).json() == {"skus": [{"code": "CUP", "name": "CUP"}]}
    assert desk.get(url, {"q": "set"}).json() == {"skus": [{"code": "SET", "name": "SET · Bundle"}]}
    assert desk.get(url, {"q": " \0"}).json() == {"skus": []}


def test_terms_then_sandbox_then_live(desk, read_shop):
    node = company.node("SH")
    told = {"nodes": [node.pk], "fee_percent": "5", "unpaid_minutes": "30", "ship_within_hours": "24",
            "share_kind": "capped", "share_percent": ""}  # fmt: skip
    assert "How much of the stock?" in text(desk.post(page(read_shop, "terms"), told))
    assert ChannelShare.objects.count() == 0
    shown = text(desk.post(page(read_shop, "terms"), told | {"share_percent": "30"}, follow=True))
    assert "At most so much 30 %" in shown
    desk.post(page(read_shop, "summary"), {"deed": "sandbox"})
    channel = Channel.objects.get()
    assert (channel.is_active, channel.is_sandbox, channel.ship_within_hours) == (True, True, 24)
    desk.post(page(read_shop, "summary"), {"deed": "live"})
    channel.refresh_from_db()
    assert (channel.is_active, channel.is_sandbox) == (True, False)


@pytest.mark.parametrize(
    ("permissions", "may"),
    [
        ((), set()),
        (("channels.view_channelsetup",), {"look"}),
        (("channels.view_channelsetup", "channels.add_channel"), {"look", "begin"}),
        (("channels.view_channelsetup", "channels.change_channel"), {"look", "act"}),
        (("channels.view_channelsetup", "channels.change_channel", "channels.add_listing"), {"look", "act", "match"}),
    ],
)
def test_who_may_do_what(read_shop, clerk, permissions, may):
    browser, before = clerk(*permissions), Channel.objects.get()

    def status(answer) -> int:
        return answer.status_code

    asked = {
        "look": status(browser.get(page(read_shop, "matching"))) == 200,
        "begin": status(browser.get(ADD)) == 200,
        "act": status(browser.post(page(read_shop, "listings"), {"deed": "skip"})) == 302,
        "match": status(browser.post(page(read_shop, "matching"), {"deed": "take_over"})) == 302,
    }
    assert {name for name, was_done in asked.items() if was_done} == may
    progress = browser.get(reverse("admin:channels_channelsetup_progress", args=[read_shop.pk]))
    assert status(progress) == (200 if "look" in may else 403)
    if not may:
        assert browser.get(reverse("admin:channels_channelsetup_skus")).status_code == 403
    assert Channel.objects.get().is_active == before.is_active


def test_who_may_not_write_shares_is_not_asked_for_one(read_shop, clerk):
    browser = clerk("channels.view_channelsetup", "channels.change_channel")
    told = {"fee_percent": "5", "unpaid_minutes": "30", "ship_within_hours": "24", "share_kind": "capped",
            "share_percent": "10"}  # fmt: skip
    assert browser.post(page(read_shop, "terms"), told).status_code == 302
    assert ChannelShare.objects.count() == 0
    assert "You may not write channel shares" in text(browser.get(page(read_shop, "terms")))


@pytest.mark.parametrize("step", ["credentials", "listings", "matching", "terms", "summary"])
def test_every_step_can_be_looked_at_by_who_may_not_act(read_shop, clerk, step):
    browser = clerk("channels.view_channelsetup")
    assert browser.get(page(read_shop, step)).status_code == 200
    assert browser.post(page(read_shop, step), {"deed": "live"}).status_code == 403


def test_a_row_that_is_not_there_is_not_found(desk):
    assert desk.get("/admin/channels/channelsetup/999/change/").status_code == 404
    assert desk.get("/admin/channels/channelsetup/x/change/").status_code == 404


def test_the_matching_page_asks_as_often_for_three_as_for_fifty(desk, read_shop):
    url = page(read_shop, "matching") + "&show=unknown"
    counts = []
    for more in (0, 40):
        FoundListing.objects.bulk_create(
            FoundListing(setup=read_shop, external_code=f"M{n}", title="x") for n in range(more)
        )
        desk.get(url)
        with CaptureQueriesContext(connection) as queries:
            desk.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]
