"""What a channel says of our stock is compared with what it accepted; where it differs, people are told."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.models import Case
from audit.rules.sentences import say
from channels.adapters import registry
from channels.adapters.protocol import Adapter, Capabilities, Connection, RetryLater
from channels.messages import ListedItem
from channels.models import Channel, Listing, ListingStock, OutboundMessage
from channels.services import drift, stock_push
from channels.services.stock_dues import Told
from inventory.models import StockSignal
from tests import small_company as company
from tests.channels.services.stock_shop import accept, change, list_on, messages

AT = datetime(2030, 1, 1, 1, 0, tzinfo=UTC)  # after the moments of the database's own clock
HOUR_AGO = AT - timedelta(hours=1)
pytestmark = pytest.mark.django_db


class Shop(Adapter):
    """A platform that lists what it is told to list, two to a page."""

    capabilities = Capabilities(stock_set=True, listing_pull=True)

    def __init__(self) -> None:
        self.items: list[ListedItem] = []
        self.is_away = False

    def listings(self, connection: Connection) -> Iterator[list[ListedItem]]:
        if self.is_away:
            raise RetryLater(say("away"))
        yield from (self.items[first : first + 2] for first in range(0, len(self.items), 2))

    def says(self, figures: Mapping[str, int | None]) -> None:
        self.items = [
            ListedItem(f"i{place}", f"s{place}", code, code, quantity=quantity)
            for place, (code, quantity) in enumerate(figures.items(), start=1)
        ]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Shop:
    platform = Shop()
    monkeypatch.setitem(registry.BY_NAME, "shop", platform)
    return platform


@pytest.fixture
def shop(platform: Shop) -> Channel:
    """A channel with three listings, each told and accepted an hour ago: 40, 41 and 42."""
    channel, near = company.channel("JD"), company.node("SH")
    Channel.objects.update(adapter="shop")
    for number in range(3):
        sku = company.sku(f"S{number}")
        company.stock(sku, near, 40 + number)
        list_on(channel, sku)
    stock_push.collect(HOUR_AGO)
    assert accept(HOUR_AGO) == 3
    return Channel.objects.get()


def seen() -> list[Any]:
    return list(ListingStock.objects.order_by("listing__external_code").values_list("quantity_seen", "seen_at"))


def test_equal_figures_are_kept_and_no_case_is_opened(shop: Channel, platform: Shop) -> None:
    platform.says({"J-S0": 40, "J-S1": 41, "J-S2": 42})
    assert drift.check(shop, at=AT) == 0
    assert seen() == [(40, AT), (41, AT), (42, AT)]
    assert not Case.objects.exists()


def test_another_figure_opens_one_case_with_both_numbers_which_closes_when_it_is_right_again(
    shop: Channel, platform: Shop
) -> None:
    platform.says({"J-S0": 40, "J-S1": 14, "J-S2": None})
    assert drift.check(shop, at=AT) == 1
    assert drift.check(shop, at=AT) == 1
    case = Case.objects.get()
    assert (case.kind, case.subject, case.status) == ("stock_drifted", "JD", "open")
    assert case.why["values"] == {"channel": "JD", "count": 1, "examples": "J-S1: 41 / 14"}
    assert case.subject_url == f"/admin/channels/listingstock/?state=drift&channel={shop.pk}"
    platform.says({"J-S0": 40, "J-S1": 41})
    assert drift.check(shop, at=AT) == 0
    assert Case.objects.get().status == "resolved"


def test_pushing_again_repairs_it(shop: Channel, platform: Shop) -> None:
    platform.says({"J-S1": 14, "J-S2": 42, "J-S0": 40})
    Listing.objects.update(external_item_id="", external_sku_id="")
    drift.check(shop, at=AT)
    wrong = ListingStock.objects.get(listing__external_code="J-S1")
    assert stock_push.push_again([wrong.listing_id], at=AT) == Told(figures=1)
    assert messages() == [("stock", 41, 0)]
    accept(AT + timedelta(seconds=1))
    wrong.refresh_from_db()
    assert (wrong.quantity_accepted, wrong.accepted_at) == (41, AT + timedelta(seconds=1))
    platform.says({"J-S1": 41})
    assert drift.check(shop, at=AT + timedelta(hours=1)) == 0


def test_a_listing_whose_figure_is_under_way_has_not_drifted(shop: Channel, platform: Shop) -> None:
    sku = Listing.objects.get(external_code="J-S0").sku
    change(sku, sku.levels.get().node, -30, since=AT)
    stock_push.collect(AT)
    platform.says({"J-S0": 40, "J-S1": 41, "J-S2": 42})
    assert drift.check(shop, at=AT) == 0
    accept(AT + timedelta(seconds=1))
    assert drift.check(shop, at=AT + timedelta(seconds=30)) == 0  # accepted a moment ago
    assert drift.check(shop, at=AT + timedelta(minutes=5)) == 1


def test_the_platforms_own_ids_come_before_the_code(shop: Channel, platform: Shop) -> None:
    platform.items = [ListedItem("i1", "s1", "RENAMED", "", quantity=7), ListedItem("i9", "s9", "J-S1", "", quantity=8)]
    drift.check(shop, at=AT)
    assert seen() == [(7, AT), (None, None), (None, None)]


def test_a_channel_that_is_away_keeps_what_was_known(shop: Channel, platform: Shop) -> None:
    platform.is_away = True
    StockSignal.objects.all().delete()
    assert drift.check_all(at=AT) == 0
    assert seen() == [(None, None)] * 3
    assert StockSignal.objects.count() == 3  # all listings are looked at again all the same
    with pytest.raises(RetryLater):
        drift.check(shop, at=AT)


def test_all_channels_that_can_list_are_asked(shop: Channel, platform: Shop) -> None:
    list_on(company.channel("TM"), company.sku("CUP"))
    platform.says({"J-S0": 1, "J-S1": 2, "J-S2": 3})
    assert drift.check_all(at=AT) == 3
    assert Case.objects.get().why["values"]["count"] == 3


def test_a_figure_that_got_lost_is_sent_again_and_a_refused_one_is_not(shop: Channel) -> None:
    rows = dict(Listing.objects.values_list("external_code", "pk"))
    ListingStock.objects.update(quantity_accepted=1, due_since_at=HOUR_AGO)
    OutboundMessage.objects.filter(key__startswith=f"stock/{rows['J-S1']}/").update(status="needs_person")
    ListingStock.objects.filter(listing=rows["J-S2"]).update(due_since_at=AT - timedelta(minutes=9))
    assert drift.push_stuck(at=AT) == Told(figures=1)
    assert messages() == [("stock", 40, 39)]
