"""What a shop lists, read from the simulated platform, matched, decided and made into listings."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from audit.models.sentences import render
from channels.adapters import registry
from channels.messages import ListedItem
from channels.models import ChannelSetup, FoundListing, Listing
from channels.services import setup, setup_listings
from channels.services.setup import Entered, NewChannel, SetupRefused
from channels.simulators.server import LoopbackServer
from channels.simulators.taobao import Platform
from inventory.models import Sku
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def server(platform: Platform) -> Iterator[LoopbackServer]:
    with platform.serve() as running:
        yield running


@pytest.fixture
def row(platform: Platform, server: LoopbackServer) -> ChannelSetup:
    begun = setup.begin(NewChannel("taobao", "TM", "Tmall"), actor=TESTER, at=NOON)
    entered = Entered(base_url=f"{server.url}/router/rest", credentials=platform.credentials)
    return setup.check(setup.enter(begun, entered, actor=TESTER), at=NOON)


@pytest.fixture
def skus() -> dict[str, Sku]:
    made = {code: company.sku(code) for code in ("MUG", "LID", "KETTLE")}
    Sku.objects.filter(code="LID").update(barcode="690017")
    Sku.objects.filter(code="KETTLE").update(name="电热水壶 1.5L")
    made["SET"] = company.sku("SET", parts={made["MUG"]: 2})
    return made


def read(row: ChannelSetup) -> ChannelSetup:
    setup_listings.ask(row, at=NOON)
    setup_listings.read_waiting(at=lambda: NOON)
    row.refresh_from_db()
    return row


def stock_the_shop(platform: Platform) -> None:
    platform.add_item(1, 0, outer_id="MUG", quantity=3, title="马克杯", price="35.00")
    platform.add_item(2, 0, outer_id="T-LID", quantity=1, title="杯盖", barcode="690017")
    platform.add_item(3, 0, outer_id="T-9", title="【旗舰店】电热水壶 1.5L 家用")
    platform.add_item(4, 0, title="无编码商品")
    platform.add_item(5, 0, outer_id="SET", title="套装")


def found(code: str) -> FoundListing:
    return FoundListing.objects.get(external_code=code)


def test_what_the_shop_lists_is_read_and_matched(platform, row, skus):
    stock_the_shop(platform)
    read(row)
    assert (row.listings_found, row.listings_read_at, row.step) == (5, NOON, "matching")
    told = FoundListing.objects.order_by("external_item_id").values_list("external_code", "sku__code", "matched_by")
    assert list(told) == [
        ("MUG", "MUG", "code"), ("T-LID", "LID", "barcode"), ("T-9", "KETTLE", "name"), ("", None, "none"),
        ("SET", "SET", "code"),
    ]  # fmt: skip
    mug = found("MUG")
    assert (mug.quantity, mug.price, mug.title, mug.decision) == (3, Decimal("35.00"), "马克杯", "open")


def test_a_refusal_is_said_and_the_next_try_goes_on(platform, row, skus):
    platform.add_item(1, 0, outer_id="MUG", title="x")
    platform.credentials["session"] = "changed"
    read(row)
    assert (row.listings_read_at, setup_listings.is_reading(row)) == (None, False)
    assert "code 27" in render(row.listings_problem)
    platform.credentials["session"] = "test"
    read(row)
    assert (row.listings_found, row.listings_problem) == (1, {})


def test_a_platform_that_lists_nothing_is_refused():
    house = setup.begin(NewChannel("house", "POS", "POS"), actor=TESTER, at=NOON)
    with pytest.raises(SetupRefused, match="does not tell what its shop lists"):
        setup_listings.ask(house, at=NOON)
    house.refresh_from_db()
    assert house.listings_asked_at is None


def test_what_was_decided_survives_reading_again(platform, row, skus):
    stock_the_shop(platform)
    read(row)
    setup_listings.accept(row, {found("MUG").pk: None})
    setup_listings.decide(row, [found("T-9").pk], decision="left_out")
    platform.add_item(6, 0, outer_id="NEW", title="new")
    read(row)
    decisions = dict(FoundListing.objects.values_list("external_code", "decision"))
    assert decisions == {
        "MUG": "accepted", "T-LID": "open", "T-9": "left_out", "": "open", "SET": "open", "NEW": "open",
    }  # fmt: skip


def test_sure_ones_are_accepted_at_once_and_become_listings(platform, row, skus):
    stock_the_shop(platform)
    read(row)
    assert setup_listings.accept_sure(row).count == 3
    made = setup_listings.take_over(row, actor=TESTER)
    assert (made.count, made.refused) == (3, {})
    told = Listing.objects.order_by("external_code").values_list("external_code", "external_item_id", "sku__code")
    assert list(told) == [("MUG", "1", "MUG"), ("SET", "5", "SET"), ("T-LID", "2", "LID")]
    history = Listing.history.get(external_code="MUG")
    assert history.history_change_reason == "person:tester: accepted while connecting"
    assert setup_listings.take_over(row, actor=TESTER).count == 0
    row.refresh_from_db()
    assert row.step == "terms"


def test_a_person_chooses_another_sku(platform, row, skus):
    stock_the_shop(platform)
    read(row)
    setup_listings.accept(row, {found("T-9").pk: skus["SET"].pk})
    one = found("T-9")
    assert (one.sku, one.matched_by, one.confidence, one.decision) == (skus["SET"], "person", 100, "accepted")


def test_a_listing_without_a_code_or_a_sku_is_refused(platform, row, skus):
    stock_the_shop(platform)
    platform.add_item(7, 0, outer_id="ALIEN", title="轮胎")
    read(row)
    decided = setup_listings.accept(row, {found("").pk: skus["MUG"].pk, found("ALIEN").pk: None})
    assert decided.count == 0
    assert {name: str(why) for name, why in decided.refused.items()} == {
        "无编码商品": "It has no code of yours: give it one in the shop, then read the listings again.",
        "ALIEN": "Choose a SKU for it.",
    }
    assert set(FoundListing.objects.values_list("decision", flat=True)) == {"open"}


def test_a_sku_that_is_not_sold_is_refused(platform, row, skus):
    stock_the_shop(platform)
    read(row)
    Sku.objects.filter(code="MUG").update(is_active=False)
    decided = setup_listings.accept(row, {found("MUG").pk: None})
    assert {name: str(why) for name, why in decided.refused.items()} == {"MUG": "This SKU is not sold."}
    assert found("MUG").decision == "open"


def test_of_two_listings_with_one_code_only_one_is_taken(platform, row, skus):
    platform.add_item(1, 0, outer_id="MUG", title="one")
    platform.add_item(2, 0, outer_id="MUG", title="two")
    read(row)
    decided = setup_listings.accept_sure(row)
    assert decided.count == 1
    assert str(decided.refused["MUG"]).startswith("Another listing of this shop has the same code")
    again = setup_listings.accept_sure(row)
    assert (again.count, list(again.refused)) == (0, ["MUG"])
    assert setup_listings.take_over(row, actor=TESTER).count == 1
    assert Listing.objects.get().external_item_id == "2"  # the newest is read first


def test_a_listing_that_is_there_keeps_its_sku_and_learns_its_ids(platform, row, skus):
    kept = Listing.objects.create(channel=row.channel, external_code="MUG", sku=skus["LID"])
    stock_the_shop(platform)
    read(row)
    one = found("MUG")
    assert (one.sku, one.matched_by, one.confidence) == (skus["LID"], "person", 100)
    refused = setup_listings.accept(row, {one.pk: skus["MUG"].pk}).refused
    assert str(refused["MUG"]).startswith("The code means another SKU on this channel already")
    setup_listings.accept(row, {one.pk: None})
    assert setup_listings.take_over(row, actor=TESTER).count == 0
    kept.refresh_from_db()
    assert (kept.sku, kept.external_item_id) == (skus["LID"], "1")


def test_a_listing_made_meanwhile_is_not_overwritten(platform, row, skus):
    stock_the_shop(platform)
    read(row)
    setup_listings.accept(row, {found("MUG").pk: None})
    Listing.objects.create(channel=row.channel, external_code="MUG", external_item_id="9", sku=skus["LID"])
    made = setup_listings.take_over(row, actor=TESTER)
    assert (made.count, list(made.refused)) == (0, ["MUG"])
    assert Listing.objects.get().sku == skus["LID"]


def test_what_a_platform_says_is_made_fit_for_the_database(row, monkeypatch):
    odd = ListedItem("i" * 60, "s\0", "c" * 81, "t\0" * 400, "b" * 60)

    class Odd(type(registry.BY_NAME["taobao"])):
        def listings(self, connection):
            yield [odd, odd]

    monkeypatch.setitem(registry.BY_NAME, "taobao", Odd())
    read(row)
    one = FoundListing.objects.get()
    assert (one.external_item_id, one.external_sku_id, one.external_code) == ("i" * 40, "s", "")
    assert (len(one.title), len(one.barcode)) == (300, 40)


def test_an_adapter_that_breaks_is_said(row, monkeypatch):
    class Broken(type(registry.BY_NAME["taobao"])):
        def listings(self, connection):
            yield [ListedItem("1", "", "A", "a")]
            raise ValueError("moved")

    monkeypatch.setitem(registry.BY_NAME, "taobao", Broken())
    read(row)
    assert row.listings_found == 1
    assert "ValueError('moved')" in render(row.listings_problem)


def test_a_shop_that_another_worker_reads_is_left_alone(platform, row, skus):
    stock_the_shop(platform)
    setup_listings.ask(row, at=NOON)
    other = connections.create_connection("default")
    other.settings_dict = connection.settings_dict
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('channels.listings'), %s)", [row.pk])
            assert setup_listings.read_waiting(at=lambda: NOON) == 0
            cursor.execute("SELECT pg_advisory_unlock(hashtext('channels.listings'), %s)", [row.pk])
    finally:
        other.close()
    assert setup_listings.read_waiting(at=lambda: NOON) == 1


def test_reading_a_page_costs_as_many_queries_for_many_listings_as_for_few(platform, row, skus):
    counts = []
    for most in (3, 18):
        for number in range(1, most + 1):
            platform.add_item(number, 0, outer_id=f"A{number}", title="x")
        setup_listings.ask(row, at=NOON)
        with CaptureQueriesContext(connection) as queries:
            setup_listings.read_waiting(at=lambda: NOON)
        row.refresh_from_db()
        counts.append((row.listings_found, len(queries)))
    assert [found for found, _queries in counts] == [3, 18]
    assert counts[0][1] >= counts[1][1]
