"""What channels must be told of stock: signals become figures, one waits per listing, the last one wins."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from audit.models import Case
from audit.models.sentences import render
from channels import tasks
from channels.models import Channel, Listing, ListingStock, OutboundMessage, StockPush
from channels.services import stock_push, stock_unknown
from channels.services.stock_dues import Told
from inventory.models import Node, Sku, StockSignal
from inventory.services import reservations
from tests import small_company as company
from tests.channels.services.stock_shop import accept, change, list_on, messages, stock_of

AT = datetime(2030, 1, 1, 1, 0, tzinfo=UTC)  # after the moments of the database's own clock
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Channel:
    return company.channel("JD")


@pytest.fixture
def cup() -> Sku:
    return company.sku("CUP")


@pytest.fixture
def near() -> Node:
    return company.node("SH")


@pytest.fixture
def listing(shop: Channel, cup: Sku, near: Node) -> Listing:
    """A listing of a SKU of which forty are there, not told yet."""
    company.stock(cup, near, 40)
    return list_on(shop, cup)


@pytest.fixture
def told(listing: Listing) -> Listing:
    """A listing whose channel has the right figure, forty, since an hour."""
    stock_push.collect(AT - timedelta(hours=1))
    accept(AT - timedelta(hours=1))
    StockPush.objects.all().delete()
    return listing


def test_without_signals_one_query_is_asked(db, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert stock_push.collect(AT) == Told()


def test_changed_stock_becomes_a_figure_for_its_listing(listing: Listing, cup: Sku) -> None:
    changed_at = StockSignal.objects.get().changed_at
    assert stock_push.collect(AT) == Told(skus=1, figures=1)
    [message] = OutboundMessage.objects.all()
    assert (message.lane, message.kind, message.subject, message.status) == (
        "stock", "stock_figure", "JD/J-CUP", "pending",
    )  # fmt: skip
    assert message.body == {
        "external_item_id": "i1", "external_sku_id": "s1", "quantity": 40, "change": None, "external_code": "J-CUP",
    }  # fmt: skip
    assert message.key == f"stock/{listing.pk}/{int(changed_at.timestamp()):d}{changed_at.microsecond:06d}"
    assert stock_of(listing) == (40, changed_at, None, None)
    assert not StockSignal.objects.exists()


def test_what_the_channel_accepted_is_kept_with_the_time_it_took(listing: Listing) -> None:
    changed_at = StockSignal.objects.get().changed_at
    stock_push.collect(AT)
    later = changed_at + 3 * SECOND
    assert accept(later) == 1
    assert stock_of(listing) == (40, None, 40, later)
    [push] = StockPush.objects.values_list("listing", "channel", "quantity", "changed_at", "accepted_at", "is_urgent")
    assert push == (listing.pk, listing.channel_id, 40, changed_at, later, False)


def test_the_same_figure_again_is_not_sent(told: Listing, cup: Sku) -> None:
    StockSignal.objects.create(sku=cup, changed_at=AT)
    assert stock_push.collect(AT) == Told(skus=1)
    assert (messages(), stock_of(told)[:2]) == ([], (40, None))


def test_of_two_changes_the_last_is_sent_and_only_one_waits(told: Listing, cup: Sku, near: Node) -> None:
    change(cup, near, -3, since=AT)
    stock_push.collect(AT + SECOND)
    change(cup, near, -4, since=AT + 2 * SECOND)
    stock_push.collect(AT + 3 * SECOND)
    assert messages() == [("stock", 33, -7)]
    assert stock_of(told)[:2] == (33, AT)  # the channel has been wrong since the first change
    accept(AT + 4 * SECOND)
    assert StockPush.objects.values_list("quantity", "accepted_at").get() == (33, AT + 4 * SECOND)


def test_a_change_that_is_taken_back_takes_its_message_with_it(told: Listing, cup: Sku, near: Node) -> None:
    change(cup, near, -3, since=AT)
    stock_push.collect(AT + SECOND)
    change(cup, near, 3, since=AT + SECOND)
    assert stock_push.collect(AT + 2 * SECOND) == Told(skus=1)
    assert (messages(), stock_of(told)[:2]) == ([], (40, None))


def test_a_figure_that_was_tried_gives_way_under_another_key(told: Listing, cup: Sku, near: Node) -> None:
    change(cup, near, -3, since=AT)
    stock_push.collect(AT + SECOND)
    OutboundMessage.objects.filter(status="pending").update(attempts=1)
    change(cup, near, -4, since=AT + SECOND)
    stock_push.collect(AT + 2 * SECOND)
    rows = OutboundMessage.objects.exclude(status="sent").order_by("key")
    assert [(row.status, row.body["quantity"], row.attempts) for row in rows] == [
        ("given_up", 37, 1),
        ("pending", 33, 0),
    ]
    assert render(rows[0].reason) == "A newer figure took its place."
    assert rows[0].key < rows[1].key


def test_while_one_is_under_way_the_next_waits_for_it(told: Listing, cup: Sku, near: Node) -> None:
    change(cup, near, -3, since=AT)
    stock_push.collect(AT + SECOND)
    under_way = OutboundMessage.objects.get(status="pending")
    OutboundMessage.objects.filter(pk=under_way.pk).update(not_before=AT + timedelta(minutes=3))  # as a claim does
    change(cup, near, -37, since=AT + 2 * SECOND)
    assert stock_push.collect(AT + 3 * SECOND) == Told(skus=1)
    assert (messages(), stock_of(told)[:2]) == ([("stock", 37, -3)], (0, AT + 2 * SECOND))
    accept(AT + 4 * SECOND)
    assert messages() == [("urgent", 0, -37)]
    assert stock_of(told) == (0, AT + 2 * SECOND, 37, AT + 4 * SECOND)
    accept(AT + 5 * SECOND)
    assert stock_of(told) == (0, None, 0, AT + 5 * SECOND)
    pushes = StockPush.objects.order_by("pk").values_list("quantity", "changed_at", "accepted_at", "is_urgent")
    assert list(pushes) == [
        (37, AT, AT + 4 * SECOND, False),
        (0, AT + 2 * SECOND, AT + 5 * SECOND, True),
    ]


def test_a_newer_figure_takes_the_place_of_one_that_needs_a_person(told: Listing, cup: Sku, near: Node) -> None:
    change(cup, near, -3, since=AT)
    stock_push.collect(AT + SECOND)
    OutboundMessage.objects.filter(status="pending").update(status="needs_person", attempts=10)
    Case.objects.create(kind="message_not_delivered", subject="JD/J-CUP", why={}, suggestion={}, opened_at=AT)
    change(cup, near, -4, since=AT + SECOND)
    stock_push.collect(AT + 2 * SECOND)
    assert messages() == [("stock", 33, -7)]
    assert sorted(OutboundMessage.objects.values_list("status", flat=True)) == ["given_up", "pending", "sent"]
    assert Case.objects.get().status == "resolved"


@pytest.mark.parametrize(
    ("units", "lane"),
    [pytest.param(-34, "stock", id="six left"), pytest.param(-35, "urgent", id="five left"),
     pytest.param(-40, "urgent", id="none left")],
)  # fmt: skip
def test_figures_near_zero_take_the_urgent_lane(told: Listing, cup: Sku, near: Node, units: int, lane: str) -> None:
    change(cup, near, units, since=AT)
    assert stock_push.collect(AT) == Told(skus=1, figures=1, urgent=int(lane == "urgent"))
    assert messages() == [(lane, 40 + units, units)]


def test_a_channel_may_call_another_number_few(told: Listing, cup: Sku, near: Node) -> None:
    Channel.objects.update(options={"urgent_stock": 30})
    change(cup, near, -10, since=AT)
    assert stock_push.collect(AT).urgent == 1


def test_stock_that_comes_back_is_urgent(told: Listing, cup: Sku, near: Node) -> None:
    change(cup, near, -40, since=AT)
    stock_push.collect(AT)
    accept(AT)
    change(cup, near, 500, since=AT)
    assert stock_push.collect(AT) == Told(skus=1, figures=1, urgent=1)


def test_a_part_changes_the_bundles_it_is_in(shop: Channel, cup: Sku, near: Node) -> None:
    box = company.sku("BOX", parts={cup: 3})
    listing = list_on(shop, box)
    company.stock(cup, near, 40)
    assert stock_push.collect(AT) == Told(skus=1, figures=1)
    assert stock_of(listing)[0] == 13


def test_channels_that_cannot_be_told_are_left_out(cup: Sku, near: Node) -> None:
    list_on(company.channel("OFF", is_active=False), cup)
    list_on(company.channel("TRY", is_sandbox=True), cup)
    listing = list_on(company.channel("FILE"), cup)
    Channel.objects.filter(code="FILE").update(adapter="file")
    company.stock(cup, near, 40)
    assert stock_push.collect(AT) == Told(skus=1)
    assert (messages(), ListingStock.objects.filter(listing=listing).exists()) == ([], False)


def test_unknown_stock_is_never_pushed_and_one_case_says_so(shop: Channel, cup: Sku, near: Node) -> None:
    lid = company.sku("LID")
    far = company.node("WH", "42")
    shop.nodes.add(far)
    listings = [list_on(shop, cup), list_on(shop, lid)]
    company.stock(cup, near, 40)  # at a node that does not serve the channel
    company.stock(lid, near, 40)
    assert stock_push.collect(AT) == Told(skus=2, unknown=2)
    assert messages() == []
    assert [stock_of(listing)[0] for listing in listings] == [None, None]
    case = Case.objects.get()
    assert (case.kind, case.subject, case.status) == ("stock_unknown", "JD", "open")
    assert case.why["values"] == {"count": 2, "channel": "JD", "skus": "CUP, LID"}
    StockSignal.objects.create(sku=cup, changed_at=AT)
    stock_push.collect(AT)
    assert Case.objects.count() == 1
    company.stock(cup, far, 8)
    company.stock(lid, far, 8)
    stock_push.collect(AT)
    assert stock_unknown.settle({shop.pk: shop}, at=AT) == 0
    assert (Case.objects.get().status, len(messages())) == ("resolved", 2)


def test_stock_that_nobody_knows_any_more_takes_its_message_back(told: Listing, cup: Sku, near: Node) -> None:
    change(cup, near, -3, since=AT)
    stock_push.collect(AT)
    Node.objects.update(is_active=False)
    StockSignal.objects.create(sku=cup, changed_at=AT)
    assert stock_push.collect(AT) == Told(skus=1, unknown=1)
    assert (messages(), stock_of(told)[:3]) == ([], (None, None, 40))


def test_a_bulk_run_repeats_every_listing_behind_what_changes(told: Listing, shop: Channel, near: Node) -> None:
    lid = company.sku("LID")
    company.stock(lid, near, 12)
    list_on(shop, lid)
    assert stock_push.push_all(shop, at=AT) == Told(figures=2)
    rows = OutboundMessage.objects.filter(status="pending").order_by("not_before")
    assert [(row.subject, row.lane, row.body["quantity"], row.not_before < AT) for row in rows] == [
        ("JD/J-LID", "stock", 12, True),
        ("JD/J-CUP", "stock", 40, False),
    ]
    change(told.sku, near, -1, since=AT)
    stock_push.collect(AT + SECOND)
    assert set(
        OutboundMessage.objects.filter(status="pending", not_before__lt=AT).values_list("subject", flat=True)
    ) == {"JD/J-CUP", "JD/J-LID"}
    assert len(messages()) == 2


def test_a_repeated_figure_is_no_convergence(told: Listing, shop: Channel) -> None:
    stock_push.push_all(shop, at=AT)
    assert accept(AT + SECOND) == 1
    assert stock_of(told) == (40, None, 40, AT + SECOND)
    assert not StockPush.objects.exists()


def test_a_bulk_run_goes_through_all_pages(shop: Channel, near: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_push, "LISTINGS_AT_ONCE", 2)
    for number in range(5):
        sku = company.sku(f"S{number}")
        company.stock(sku, near, 10 + number)
        list_on(shop, sku)
    assert stock_push.push_all(shop, at=AT) == Told(figures=5)
    assert sorted(quantity for _lane, quantity, _change in messages()) == [10, 11, 12, 13, 14]


def test_a_bulk_run_on_a_channel_that_cannot_be_told_does_nothing(told: Listing, shop: Channel) -> None:
    Channel.objects.update(is_active=False)
    assert (stock_push.push_all(shop, at=AT), messages()) == (Told(), [])


def test_a_listing_is_pushed_again_on_demand(told: Listing) -> None:
    assert stock_push.push_again([told.pk], at=AT) == Told(figures=1)
    [message] = OutboundMessage.objects.filter(status="pending")
    assert (message.body["quantity"], message.body["change"], message.not_before) == (40, 0, AT - timedelta(days=1))


def test_a_resweep_signals_each_listed_sku_once(told: Listing, shop: Channel, cup: Sku) -> None:
    company.sku("NOT LISTED")
    list_on(company.channel("TM"), cup)
    list_on(company.channel("OFF", is_active=False), company.sku("LID"))
    assert stock_push.resweep(at=AT) == 1
    assert list(StockSignal.objects.values_list("sku", "changed_at")) == [(cup.pk, AT)]


def test_other_messages_are_none_of_its_business(told: Listing) -> None:
    other = OutboundMessage(key="shipment/1", body={})
    assert stock_push.record_accepted([other], at=AT) == 0
    assert stock_push.record_accepted([], at=AT) == 0


def test_a_reservation_reaches_the_channel(told: Listing, cup: Sku, near: Node) -> None:
    wants = (reservations.Want("k", "k", cup.pk, near.pk, 2),)
    reservations.reserve(reservations.Claim("k", wants), at=AT)
    assert stock_push.collect(AT) == Told(skus=1, figures=1)
    assert messages() == [("stock", 38, -2)]


@pytest.mark.parametrize("number", [1, 20])
def test_the_number_of_queries_does_not_grow_with_listings(
    shop: Channel, near: Node, number: int, django_assert_num_queries
) -> None:
    for place in range(number):
        sku = company.sku(f"S{place}")
        company.stock(sku, near, 50)
        list_on(shop, sku)
        list_on(shop, sku, code=f"SECOND-{place}")
    with django_assert_num_queries(24):
        assert stock_push.collect(AT) == Told(skus=number, figures=2 * number)


def test_the_outbox_is_woken_when_figures_are_due_and_only_then(
    listing: Listing, cup: Sku, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as woken:
        tasks.push_stock(sent_by="an older release")
    assert (len(woken), len(messages())) == (1, 1)
    StockSignal.objects.create(sku=cup, changed_at=AT)
    with django_capture_on_commit_callbacks() as woken:
        tasks.push_stock()
    assert (woken, len(messages())) == ([], 1)
    entry = settings.CELERY_BEAT_SCHEDULE["push-stock"]
    assert (entry["task"], entry["schedule"]) == (tasks.push_stock.name, 1.0)
    assert settings.WAKE_UPS["figures_due"] == [tasks.deliver_outbox.name]


def test_drift_is_looked_for_by_the_clock(told: Listing) -> None:
    tasks.check_drift(sent_by="an older release")
    assert StockSignal.objects.count() == 1
    assert settings.CELERY_BEAT_SCHEDULE["check-drift"]["task"] == tasks.check_drift.name
