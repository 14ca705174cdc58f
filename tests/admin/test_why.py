"""Where figures come from, on the desk: the sum, its rows, the past, differences, and who may look."""

from datetime import timedelta
from urllib.parse import quote_plus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from channels.admin import promised
from channels.models import Channel
from inventory.admin import why
from inventory.models import (
    ChannelShare,
    Node,
    SafetyChange,
    SharePool,
    StockDifference,
    StockLevel,
    Transfer,
)
from inventory.services import quality, reservations, shares, transfers
from inventory.services.reservations import Claim, Want
from orders.models import Fulfillment
from orders.services import fulfillment
from orders.services.fulfillment import Handover
from tests import small_company as company
from tests.admin.reading import chinese_left, english_left, words_of
from tests.admin.test_language import LATIN
from tests.small_company import NOON, TESTER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_reasons")]


def hours(n):
    return NOON + timedelta(hours=n)


@pytest.fixture
def story(sell, shop):
    """Ten cups at SH: two sold and one of them gone, one held, three safety stock, four on their way to WH."""
    _channel, cup, _lid, near, far = shop
    sell({"1": {"CUP": 2}, "2": {"CUP": 1}})
    parcel = Fulfillment.objects.get(number="JD-1-1")
    fulfillment.pack([parcel.pk], actor=TESTER, at=hours(1))
    fulfillment.ship({parcel.pk: Handover("SF", "1")}, actor=TESTER, at=hours(1))
    keep = quality.Keep("Q", cup.pk, near.pk, 1, "suspected", "li", hours(99))
    quality.place([keep], actor=TESTER, at=hours(2))
    row = transfers.draft(
        Transfer(number="T1", source=near, destination=far), units={cup.pk: 4}, actor=TESTER, at=hours(3)
    )
    transfers.send([row.pk], actor=TESTER, at=hours(3))
    StockLevel.objects.filter(sku=cup, node=near).update(safety_stock=1)
    SafetyChange.objects.create(sku=cup, node=near, before=0, after=1, actor="person:tester", changed_at=hours(4))
    return cup, near, far


def bars(page):
    return {bar.name: bar.value for bar in page.context["bars"]}


def look(browser, sku, node, **query):
    page = browser.get(reverse("admin:inventory_stocklevel_why", args=[sku.pk, node.pk]), query)
    assert page.status_code == 200
    return page


def test_the_sum_now_and_at_three_moments(desk, story):
    cup, near, _far = story
    names = ("on_hand", "reserved", "quality_hold", "safety_stock", "available")
    assert bars(look(desk, cup, near)) == dict(zip(names, (4, -1, -1, -1, 1), strict=True))
    then = {
        n: tuple(bars(look(desk, cup, near, at=hours(n).isoformat()))[name] for name in names) for n in (0, 1, 2, 3, 4)
    }
    assert then == {
        0: (10, -3, 0, 0, 7), 1: (8, -1, 0, 0, 7), 2: (8, -1, -1, 0, 6), 3: (4, -1, -1, 0, 2), 4: (4, -1, -1, -1, 1),
    }  # fmt: skip


def test_a_moment_is_read_in_local_time(desk, story):
    cup, near, _far = story
    page = look(desk, cup, near, at="2026-11-02T13:30")  # half past five in UTC
    assert (bars(page)["on_hand"], page.context["as_of_words"]) == (8, "2026-11-02 13:30")
    assert page.context["as_of"] == "2026-11-02T13:30"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("yesterday", "“yesterday” is no date and time; this is what holds now."),
        ("2026-13-40T99:00", "“2026-13-40T99:00” is no date and time; this is what holds now."),
        ("2999-01-01T00:00", "2999-01-01 00:00 has not come yet; this is what holds now."),
    ],
)
def test_a_moment_that_cannot_be_asked_for_says_why(desk, story, at, words):
    cup, near, _far = story
    page = look(desk, cup, near, at=at)
    assert words in words_of(page.content.decode())
    assert (bars(page)["on_hand"], page.context["at"]) == (4, None)


def test_every_row_leads_to_its_own_page(desk, story):
    cup, near, far = story
    pages = {
        "on_hand": look(desk, cup, near, figure="on_hand"),
        "reserved": look(desk, cup, near, figure="reserved"),
        "quality_hold": look(desk, cup, near, figure="quality_hold"),
        "safety_stock": look(desk, cup, near, figure="safety_stock"),
        "in_transit": look(desk, cup, far, figure="in_transit"),
    }
    assert {name: len(page.context["rows"]) for name, page in pages.items()} == {
        "on_hand": 3, "reserved": 1, "quality_hold": 1, "safety_stock": 1, "in_transit": 1,
    }  # fmt: skip
    for page in pages.values():
        for row in page.context["rows"]:
            assert desk.get(row["url"]).status_code == 200 if row["url"] else row["kind"] == "the level's own figure"
    assert "/admin/inventory/transfer/?q=T1" in pages["on_hand"].context["rows"][0]["reference"]
    assert "/admin/orders/fulfillment/?q=JD-2-1" in pages["reserved"].context["rows"][0]["reference"]


def test_a_figure_is_the_number_of_rows_in_its_list(desk, story):
    cup, near, _far = story
    for figure, rows in (("on_hand", 3), ("reserved", 1), ("quality_hold", 1)):
        page = look(desk, cup, near, figure=figure)
        assert page.context["figure"].count == rows
        assert desk.get(page.context["all_url"]).context["cl"].result_count == rows
    assert look(desk, cup, near, figure="on_hand", at=hours(1).isoformat()).context["all_url"] == ""


def test_every_figure_of_the_list_opens(desk, story):
    cup, near, _far = story
    html = desk.get(reverse("admin:inventory_stocklevel_changelist")).content.decode()
    for figure in ("on_hand", "reserved", "quality_hold", "safety_stock", "available"):
        assert f'href="{why.node_url(cup.pk, near.pk, figure)}"' in html
    html = desk.get(reverse("admin:inventory_sku_changelist")).content.decode()
    assert html.count(f'href="{why.network_url(cup.pk)}"') == 2
    assert why.network_url(cup.pk) in desk.get(reverse("admin:inventory_sku_change", args=[cup.pk])).content.decode()


def test_a_spoilt_balance_is_shown_with_its_case(desk, story):
    cup, near, _far = story
    assert look(desk, cup, near).context["differences"] == []
    StockLevel.objects.filter(sku=cup, node=near).update(on_hand=6)
    [wrong] = look(desk, cup, near).context["differences"]
    assert (wrong["stored"], wrong["derived"], wrong["url"]) == (6, 4, "")
    row = StockDifference.objects.create(
        check_name="on_hand", subject="CUP@SH", sku=cup, node=near, stored=6, derived=4, found_at=NOON
    )
    [wrong] = look(desk, cup, near).context["differences"]
    assert wrong["url"] == reverse("admin:inventory_stockdifference_change", args=[row.pk])
    assert look(desk, cup, near, at=hours(4).isoformat()).context["differences"] == []
    page = desk.get(why.network_url(cup.pk))
    assert page.content.decode().count("wrong") == 4  # on hand and available, of the node and of all nodes


def test_the_matrix_of_all_nodes(desk, story):
    cup, near, far = story
    page = desk.get(why.network_url(cup.pk))
    assert [figure.value for figure in page.context["totals"]] == [14, 1, 1, 1, 11, 4, 0]
    assert [row["node"].code for row in page.context["matrix"]] == ["SH", "WH"]
    html = page.content.decode()
    for node in (near, far):
        for name in why.NAMES:
            assert f'href="{why.node_url(cup.pk, node.pk, name)}"' in html
    past = desk.get(why.network_url(cup.pk, hours(0)))
    assert [figure.value for figure in past.context["totals"]] == [20, 3, 0, 0, 17, 0, 0]
    assert why.node_url(cup.pk, near.pk, "on_hand", hours(0)).replace("&", "&amp;") in past.content.decode()


def test_a_node_below_its_safety_stock_takes_nothing_from_the_others(desk, story):
    cup, near, _far = story
    StockLevel.objects.filter(sku=cup, node=near).update(safety_stock=9)
    SafetyChange.objects.create(sku=cup, node=near, before=1, after=9, actor="x", changed_at=hours(5))
    page = desk.get(why.network_url(cup.pk))
    assert bars(page) == {
        "on_hand": 14, "reserved": -1, "quality_hold": -1, "safety_stock": -9, "below_zero": 7, "available": 10,
    }  # fmt: skip


def test_a_bundle_leads_to_its_parts(desk, shop):
    bundle = company.sku("SET", parts={shop[1]: 2})
    page = desk.get(why.network_url(bundle.pk))
    assert f'href="{why.network_url(shop[1].pk)}"' in page.content.decode()


def test_what_each_channel_may_sell(desk, clerk, story):
    cup, _near, far = story
    company.channel("DY").nodes.add(far)
    url = reverse("admin:channels_channel_promised", args=[cup.pk])
    assert f'href="{url}"' in desk.get(why.network_url(cup.pk)).content.decode()
    rows = desk.get(url).context["rows"]
    assert [(row["nodes"], row["at_nodes"], row["room"]) for row in rows] == [(1, "10", "–"), (2, "11", "–")]
    bundle = company.sku("SET", parts={cup: 2})
    page = desk.get(reverse("admin:channels_channel_promised", args=[bundle.pk])).content.decode()
    assert f'href="{url}"' in page
    assert clerk("channels.view_channel").get(url).status_code == 403
    assert clerk("inventory.view_stocklevel").get(url).status_code == 403
    assert clerk("channels.view_channel", "inventory.view_stocklevel").get(url).status_code == 200


@pytest.fixture
def shared(story):
    """JD has five cups set aside since the fifth hour and reserved two of them in the sixth."""
    cup, _near, far = story
    Channel.history.update(history_date=hours(-24))
    Node.history.update(history_date=hours(-24))
    row = ChannelShare.objects.create(
        channel="JD", kind="exclusive", sku=cup, amount=5, created_at=NOON, created_by="x"
    )
    shares.publish(row, actor=TESTER, at=hours(5))
    reservations.reserve(Claim("K", (Want("K", "JD-7-1", cup.pk, far.pk, 2),), channel="JD"), at=hours(6))
    return row


def test_what_a_channel_could_sell_then_and_what_of_its_share_was_used(desk, story, shared):
    cup, _near, _far = story
    url = reverse("admin:channels_channel_promised", args=[cup.pk])
    then = {n: desk.get(url, {"at": hours(n).isoformat()}).context for n in (-25, 4, 5, 6)}
    assert {n: [(row["at_nodes"], row["room"]) for row in page["rows"]] for n, page in then.items()} == {
        -25: [], 4: [("11", "–")], 5: [("11", "11")], 6: [("9", "9")],
    }  # fmt: skip
    assert {n: [use["used"] for use in page["uses"]] for n, page in then.items()} == {
        -25: [],
        4: [],
        5: ["0"],
        6: ["2"],
    }
    shares.retire(shared, actor=TESTER, at=hours(7))
    past = {"at": hours(6).isoformat(), "share": shared.pk, "use": "reserved"}
    page = desk.get(url, past)
    html = page.content.decode()
    assert [(row["units"], "JD-7-1" in row["reference"]) for row in page.context["open"]["rows"]] == [("2", True)]
    assert (
        f'href="{promised.page_url(cup.pk, hours(6), share=shared.pk, use="sold")}#behind"'.replace("&", "&amp;")
        in html
    )
    assert "What each channel could sell then, and why" in html
    assert f'href="{reverse("admin:inventory_channelshare_change", args=[shared.pk])}"' in html
    assert f'href="{why.network_url(cup.pk, hours(6))}"' in html
    later = f'href="{url}?at={quote_plus(timezone.localtime(hours(6)).isoformat())}"'
    assert later in desk.get(why.network_url(cup.pk, hours(6))).content.decode()
    now = desk.get(url, {"share": shared.pk, "use": "reserved"}).context
    assert (now["uses"], now.get("open")) == ([], None)


def test_a_count_of_the_hub_that_its_rows_do_not_bear_out_is_red(desk, story, shared):
    SharePool.objects.update(reserved=4)
    html = desk.get(reverse("admin:channels_channel_promised", args=[story[0].pk])).content.decode()
    assert html.count("figure more wrong") == 1


def test_shares_are_linked_for_those_who_may_view_them(clerk, story, shared):
    url = reverse("admin:channels_channel_promised", args=[story[0].pk])
    link = reverse("admin:inventory_channelshare_change", args=[shared.pk])
    html = clerk("channels.view_channel", "inventory.view_stocklevel").get(url).content.decode()
    assert (link in html, "5 units" in html) == (False, True)


def test_only_channels_that_sell_have_a_figure(desk, story):
    Channel.objects.create(code="WMS", name="WMS", platform="qimen", adapter="qimen")
    Channel.objects.create(code="CSV", name="CSV", platform="file", adapter="file")
    rows = desk.get(reverse("admin:channels_channel_promised", args=[story[0].pk])).context["rows"]
    assert [str(row["name"]).split("<")[0].split()[0] for row in rows] == ["CSV", "JD"]


@pytest.mark.parametrize("at", [None, 6], ids=["now", "then"])
def test_the_channels_page_asks_no_more_for_more_channels(desk, story, shared, at):
    url = reverse("admin:channels_channel_promised", args=[story[0].pk])
    told = {"share": shared.pk, "use": "reserved"} | ({"at": hours(at).isoformat()} if at else {})
    counts = []
    for codes in ((), ("C1", "C2", "C3")):
        for code in codes:
            company.channel(code)
            row = ChannelShare.objects.create(
                channel=code, kind="capped", sku=story[0], amount=1, created_at=NOON, created_by="x"
            )
            shares.publish(row, actor=TESTER, at=hours(5))
        Channel.history.update(history_date=hours(-24))
        desk.get(url, told)
        with CaptureQueriesContext(connection) as queries:
            page = desk.get(url, told)
        counts.append((len(queries), len(page.context["rows"]), len(page.context["uses"])))
    assert (counts[0][0], counts[0][1:], counts[1][1:]) == (counts[1][0], (1, 1), (4, 4))


def test_only_those_who_may_view_stock_look(clerk, story):
    cup, near, _far = story
    urls = (why.node_url(cup.pk, near.pk), why.network_url(cup.pk))
    allowed, other = clerk("inventory.view_stocklevel"), clerk("orders.view_order")
    assert [allowed.get(url).status_code for url in urls] == [200, 200]
    assert [other.get(url).status_code for url in urls] == [403, 403]


def test_what_does_not_exist_is_not_found(desk, story):
    cup, near, _far = story
    assert desk.get(why.node_url(cup.pk, 10**6)).status_code == 404
    assert desk.get(why.network_url(10**6)).status_code == 404


def test_the_number_of_queries_does_not_grow(desk, sell, shop):
    cup, near = shop[1], shop[3]
    counts = []
    for numbers in (("1",), ("2", "3", "4")):
        sell({number: {"CUP": 1} for number in numbers})
        for url in (why.node_url(cup.pk, near.pk, "reserved"), why.network_url(cup.pk)):
            desk.get(url)
            with CaptureQueriesContext(connection) as queries:
                desk.get(url)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


@pytest.mark.parametrize(("language", "left"), [("zh-hans", english_left), ("en", chinese_left)])
def test_both_pages_are_read_in_one_language(desk, story, language, left):
    cup, near, far = story
    desk.cookies["django_language"] = language
    allowed = {*LATIN, "li"} if language == "zh-hans" else {"简体中文"}
    pages = [why.node_url(cup.pk, node.pk, name) for node in (near, far) for name in why.NAMES]
    pages.append(reverse("admin:channels_channel_promised", args=[cup.pk]))
    for url in (*pages, why.network_url(cup.pk), why.network_url(cup.pk, timezone.now())):
        assert left(desk.get(url).content.decode(), allowed) == [], url


def test_the_order_page_leads_to_what_is_reserved(desk, sell, shop):
    sell({"1": {"CUP": 2}})
    order = Fulfillment.objects.get(number="JD-1-1").order
    page = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert f'href="{why.node_url(shop[1].pk, shop[3].pk, "reserved")}">2</a>' in page
