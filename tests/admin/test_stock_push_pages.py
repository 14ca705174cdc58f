"""The pages about stock at channels: states, filters, speed, and the buttons that push again."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from channels.admin.stock_states import WHERE, state_of
from channels.models import Listing, ListingStock, OutboundMessage, StockPush
from tests import small_company as company

pytestmark = pytest.mark.django_db
LIST = reverse("admin:channels_listingstock_changelist")
PAGE = "/admin/channels/listingstock/convergence/"


@pytest.fixture
def four(shop):
    """One listing in each state: unknown, under way, drifted, equal; 100 waits to be seen by the channel again."""
    channel, cup, *_ = shop
    now = timezone.now()
    before = now - timedelta(hours=1)
    facts = {
        "unknown": {},
        "underway": {"quantity_due": 9, "due_since_at": before, "quantity_accepted": 8, "accepted_at": before},
        "drift": {"quantity_due": 7, "quantity_accepted": 7, "accepted_at": before, "quantity_seen": 5, "seen_at": now},
        "equal": {"quantity_due": 6, "quantity_accepted": 6, "accepted_at": now, "quantity_seen": 1, "seen_at": before},
    }
    for name, columns in facts.items():
        listing = Listing.objects.create(channel=channel, external_code=name.upper(), sku=cup)
        ListingStock.objects.create(listing=listing, **columns)
    return channel


def codes(html: str) -> list[str]:
    return re.findall(r"UNKNOWN|UNDERWAY|DRIFT|EQUAL", html)


def test_each_row_is_found_by_the_state_it_shows(four, desk):
    assert {
        row.listing.external_code.lower(): state_of(row) for row in ListingStock.objects.select_related("listing")
    } == {name: name for name in WHERE}
    for name in WHERE:
        page = desk.get(f"{LIST}?state={name}&channel={four.pk}").content.decode()
        assert set(codes(page)) == {name.upper()}
    assert set(codes(desk.get(f"{LIST}?state=nonsense").content.decode())) == {name.upper() for name in WHERE}


def test_the_search_knows_both_codes(four, desk):
    assert set(codes(desk.get(f"{LIST}?q=DRI").content.decode())) == {"DRIFT"}
    assert len(set(codes(desk.get(f"{LIST}?q=CUP").content.decode()))) == 4
    assert codes(desk.get(f"{LIST}?q=LID").content.decode()) == []


def test_a_drifted_listing_is_pushed_again_and_an_unpushable_one_says_why(four, desk):
    ids = ",".join(str(pk) for pk in ListingStock.objects.values_list("pk", flat=True))
    url = f"{reverse('admin:channels_listingstock_verb', args=['again'])}?ids={ids}"
    assert desk.post(url, {"go": 1}).status_code == 302
    assert "4 figures are sent again." in desk.get(LIST).content.decode()
    assert OutboundMessage.objects.filter(kind="stock_figure", status="pending").count() == 4
    type(four).objects.update(is_active=False)
    assert desk.post(url, {"go": 1}).status_code == 302
    assert "anything to a channel that is off" in desk.get(LIST).content.decode()
    assert OutboundMessage.objects.count() == 4


def test_the_page_shows_percentiles_counts_and_their_rows(four, desk):
    listing = Listing.objects.get(external_code="EQUAL")
    now = timezone.now()
    for seconds, is_urgent in ((2, True), (2, True), (30, False)):
        StockPush.objects.create(
            listing=listing, channel=four, quantity=1, is_urgent=is_urgent,
            changed_at=now - timedelta(seconds=60 + seconds), accepted_at=now - timedelta(seconds=60),
        )  # fmt: skip
    html = desk.get(PAGE).content.decode()
    assert html.count("2.0 s") >= 2  # half within, last hour and last day
    assert re.findall(r'tag-(\w+)" title="">([\d.]+) s<', html) == [
        ("red", "27.2"), ("green", "2.0"), ("red", "27.2"), ("green", "2.0"),
    ]  # fmt: skip
    for name in WHERE:
        assert f'href="{LIST}?channel={four.pk}&amp;state={name}">1</a>' in html
    assert '<rect class="red"' in html


def test_a_channels_own_page_shows_its_speed_to_those_who_may_see_it(four, desk, clerk):
    url = reverse("admin:channels_channel_change", args=[four.pk])
    now = timezone.now()
    listing = Listing.objects.get(external_code="EQUAL")
    for seconds, minutes in ((2, 1), (2, 2), (9, 90)):
        at = now - timedelta(minutes=minutes)
        StockPush.objects.create(
            listing=listing, channel=four, quantity=1, changed_at=at - timedelta(seconds=seconds), accepted_at=at
        )
    shown = desk.get(url).content.decode()
    assert re.findall(r'tag-(\w+)" title="">([\d.]+) s<', shown) == [("green", "2.0"), ("red", "8.3")]
    assert re.findall(r'<span class="figure">(\d+)</span> Pushes', shown) == ["2", "3"]
    assert f'href="{PAGE}"' in shown
    stranger = clerk("channels.view_channel").get(url).content.decode()
    assert ("95 per cent within" in stranger, "95 per cent within" in shown) == (False, True)
    type(four).objects.update(adapter="file")
    assert "95 per cent within" not in desk.get(url).content.decode()


def test_a_channel_that_was_told_nothing_yet_has_no_speed(four, desk):
    shown = desk.get(reverse("admin:channels_channel_change", args=[four.pk])).content.decode()
    assert re.findall(r'tag-(\w+)" title="">([\d.]+) s<', shown) == []
    assert f'href="{PAGE}"' in shown


def test_the_page_asks_as_often_for_three_channels_as_for_one(four, desk):
    desk.get(PAGE)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(PAGE).status_code == 200
        return len(queries)

    one = count()
    company.channel("DY")
    company.channel("TM")
    assert (one, count()) == (8, 8)


def test_one_button_sends_a_channels_figures_again(four, desk):
    url = reverse("admin:channels_listingstock_push", args=[four.pk])
    assert desk.get(url).status_code == 405
    assert OutboundMessage.objects.count() == 0
    assert desk.post(url).status_code == 302
    said = desk.get(PAGE).content.decode()
    assert "4 figures of JD are sent again; 0 listings of unknown stock are not." in said
    assert OutboundMessage.objects.count() == 4


def test_each_address_asks_for_its_permission(four, clerk):
    push = reverse("admin:channels_listingstock_push", args=[four.pk])
    again = f"{reverse('admin:channels_listingstock_verb', args=['again'])}?ids={ListingStock.objects.first().pk}"
    viewer = clerk("channels.view_listingstock")
    assert [viewer.get(PAGE).status_code, viewer.post(push).status_code, viewer.post(again).status_code] == [
        200,
        403,
        403,
    ]
    assert "Push all again" not in viewer.get(PAGE).content.decode()
    stranger = clerk("channels.view_channel")
    assert [stranger.get(PAGE).status_code, stranger.post(push).status_code] == [403, 403]
    assert OutboundMessage.objects.count() == 0
