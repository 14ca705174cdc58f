"""The oversell table on the desk: each figure is the number of rows that it opens."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Case
from channels.models import Listing, StockPush
from orders.admin import oversell
from orders.models import Fulfillment, Oversell
from orders.services import pipeline
from tests import small_company as company
from tests.admin.reading import chinese_left, english_left, words_of
from tests.admin.test_language import LATIN
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
TABLE = "/admin/orders/oversell/table/"


@pytest.fixture
def trade(shop):
    """Today: JD sells three orders, one beyond what it was told; DY one that nobody told it of; one is not found."""
    channel, cup, _lid, _near, _far = shop
    other = company.channel("DY")
    now = timezone.now()
    listing = Listing.objects.create(channel=channel, external_code="CUP", sku=cup)
    StockPush.objects.create(listing=listing, channel=channel, quantity=5, changed_at=NOON, accepted_at=NOON)

    def placed(where, number, units):
        at = now.isoformat()
        message = company.order_message(number, {"CUP": units}, placed_at=at, paid_at=at)
        company.receive(where, message, at=now)
        pipeline.drain(at=lambda: now)

    placed(channel, "1", 1)
    placed(channel, "2", 30)
    placed(channel, "3", 1)
    placed(other, "4", 2)
    return channel, other, cup


@pytest.fixture
def reported(desk, trade):
    """The desk reports that the first parcel's cups are not there."""
    parcel = Fulfillment.objects.get(number="JD-1-1")
    url = f"{reverse('admin:orders_fulfillment_verb', args=['unfound'])}?ids={parcel.pk}"
    assert desk.post(url, {"skus": [str(trade[2].pk)]}).status_code == 302
    desk.get("/admin/")  # which says what was done
    return trade


def links(html):
    """Return (figure, address) of every figure of the page."""
    found = re.findall(r'<a class="figure more[^"]*" href="([^"]+)">([\d,]+)</a>', html)
    return [(int(figure.replace(",", "")), url.replace("&amp;", "&")) for url, figure in found]


def test_each_figure_is_the_number_of_rows_it_opens(desk, reported):
    html = desk.get(TABLE).content.decode()
    figures = links(html)
    assert len(figures) == 3 * (3 + 4)  # two channels and all: orders, two sides, four causes
    for figure, url in figures:
        assert desk.get(url).context["cl"].result_count == figure, url
    assert [figure for figure, _url in figures[-14:-7]] != [0] * 7


def test_the_figures_of_a_channel(desk, reported):
    channel, other, _cup = reported
    page = desk.get(TABLE, {"days": "7"})
    table = page.context["table"]
    by_channel = {one.channel_id: one for one in table.channels}
    assert (by_channel[channel.pk].orders, by_channel[channel.pk].oversold) == (3, {"channel": 2, "ours": 1})
    assert by_channel[channel.pk].lines == {"over_figure": 2, "not_found": 1}
    assert (by_channel[other.pk].orders, by_channel[other.pk].lines) == (1, {"never_told": 1})
    words = words_of(page.content.decode())
    assert "66.67 %" in words
    assert "33.33 %" in words


def test_a_small_rate_never_reads_as_nothing():
    assert [oversell._percent(rate) for rate in (0.0, 0.00005, 0.0001, 0.5)] == [
        "0.00 %", "< 0.01 %", "0.01 %", "50.00 %",
    ]  # fmt: skip


@pytest.mark.parametrize(("asked", "days"), [("7", 7), ("30", 30), ("90", 90), ("8", 30), ("x", 30), ("", 30)])
def test_the_span_is_one_of_three(desk, trade, asked, days):
    page = desk.get(TABLE, {"days": asked})
    assert (page.context["days"], page.context["table"].day_count) == (days, days)


def test_the_home_page_counts_what_its_tiles_open(desk, reported):
    groups = desk.get("/admin/").context["tile_groups"]
    tiles = {str(tile["title"]): tile for tile in groups[-1]["tiles"]}
    assert {title: tile["count"] for title, tile in tiles.items()} == {
        "On our side (target 0)": 1, "Figure pushed too late": 0, "All causes": 4,
    }  # fmt: skip
    assert [tile["warns"] for tile in tiles.values()] == [True, False, False]
    for tile in tiles.values():
        assert desk.get(tile["url"]).context["cl"].result_count == tile["count"]


def test_the_list_shows_the_proof(desk, trade):
    Oversell.objects.filter(cause="never_told").update(
        cause="push_lag", told_quantity=8, told_at=NOON, stock_fell_at=timezone.now() - timedelta(hours=5)
    )
    Oversell.objects.exclude(cause="push_lag").delete()
    words = words_of(desk.get(reverse("admin:orders_oversell_changelist")).content.decode())
    assert words[words.index("2026-11-02 12:00") - 1] == "8"
    assert "5 h" in words or "4 h" in words


def test_an_empty_company_says_so(desk):
    assert "No channel took an order in these days." in words_of(desk.get(TABLE).content.decode())


def test_only_those_who_may_view_orders_and_oversells_look(clerk, trade):
    assert clerk("orders.view_oversell", "orders.view_order").get(TABLE).status_code == 200
    assert clerk("orders.view_oversell").get(TABLE).status_code == 403
    assert clerk("orders.view_order").get(TABLE).status_code == 403


def test_what_was_not_found_is_reported_once_and_waits_for_a_person(desk, reported):
    assert list(Oversell.objects.filter(cause="not_found").values_list("order__number", "quantity")) == [("JD-1", 1)]
    assert Fulfillment.objects.get(number="JD-1-1").status == "cancelled"
    assert Case.objects.filter(kind="count_needed").count() == 1


def test_reporting_nothing_or_something_else_changes_nothing(desk, trade):
    parcel = Fulfillment.objects.get(number="JD-1-1")
    url = f"{reverse('admin:orders_fulfillment_verb', args=['unfound'])}?ids={parcel.pk}"
    for told in ({}, {"skus": ["999999"]}):
        assert desk.post(url, told).status_code == 200
    assert Fulfillment.objects.get(number="JD-1-1").status == "released"
    assert not Oversell.objects.filter(cause="not_found").exists()


@pytest.mark.parametrize(("language", "left"), [("zh-hans", english_left), ("en", chinese_left)])
def test_the_table_is_read_in_one_language(desk, reported, language, left):
    desk.cookies["django_language"] = language
    allowed = {*LATIN, "DY"} if language == "zh-hans" else {"简体中文"}
    pages = [desk.get(TABLE).content.decode(), desk.get(reverse("admin:orders_oversell_changelist")).content.decode()]
    assert [left(html, allowed) for html in pages] == [[], []]
