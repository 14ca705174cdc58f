"""Every page can be read in either language from the first to the last word."""

from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from audit.rules.sentences import say
from audit.services.cases import Trouble, open_cases
from channels.models import (
    Channel,
    ChannelHealth,
    ChannelSetup,
    FoundListing,
    InboundMessage,
    Listing,
    ListingStock,
    OutboundMessage,
    PullCursor,
    WantedOrder,
)
from inventory.models import ChannelShare, Sku, StockDifference, Transfer
from inventory.services import quality, stock_import, transfers
from orders.models import Backtest, Order, Oversell, ParcelScan, Refund, Return
from orders.services import holds
from promotions.admin.kinds import KINDS
from promotions.models import Campaign, Promotion, Scope
from tests import small_company as company
from tests.admin import offers, papers, ways
from tests.admin.reading import chinese_left, english_left
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
LANGUAGES = {"简体中文"}  # each language is offered under its own name
# Codes, names of the test's own rows, units and abbreviations that Chinese readers write in Latin letters.
LATIN = {
    "SKU", "ID", "JSON", "CSV", "XLSX", "ISO", "GB", "km", "JD", "CUP", "LID", "SH", "WH", "GHOST", "English", "Wang",
    "boss", "en", "zh", "hans", "Cups", "Shanghai", "Wuhan", "Test", "Road", "tester", "CNY", "NEW", "Autumn",
    "fewest", "parcels", "then", "distance", "order", "house", "file", "taobao", "jd", "Celery", "celery", "Asia",
    "sweep", "inbox", "crew", "SF", "USD", "tmall", "pos", "Too", "small", "UTC", "beat", "CELERY", "QUEUES", "AMQP",
    "None", "HTTP", "cups", "UTF", "http", "esc", "False", "True", "enabled", "Control", "Mac", "Command", "LDAP",
    "argument", "value", "Boss", "Crew", "single", "Sweep", "sku", "orders", "PBKDF", "sha", "person",
    "correction", "damaged", "defective", "expired", "found", "lost", "short", "suspected", "recall", "inspection",
    "repack", "Damaged", "all", "stores", "east", "ZTO", "YTO", "STO", "YUNDA", "EMS", "CAINIAO", "DHL", "FEDEX", "UPS",
    "OWN", "Shopify", "Square", "AfterShip", "YonBIP", "ERP", "webhook", "events", "summary",
}  # fmt: skip


@pytest.fixture
def full_desk(desk, sell, shop):
    """A desk with at least one row in every list, and every kind of trouble."""
    channel, cup, lid, near, far = shop
    sell({"1": {"CUP": 2, "LID": 1}, "2": {"GHOST": 1}, "3": {"CUP": 12}, "4": {"CUP": 90}})
    order = Order.objects.get(number="JD-1")
    holds.place([Order.objects.get(number="JD-3").pk], reason="Too small", actor=TESTER, at=NOON)
    Return.objects.create(order=order, order_line=order.lines.first(), node=near, quantity=1, reason="Too small",
                          requested_at=NOON)  # fmt: skip
    Refund.objects.create(order=order, external_id="1", status="asked", amount=1, received_at=NOON)
    ParcelScan.objects.create(fulfillment=order.fulfillments.get(), scanned_at=NOON, state="underway", told_at=NOON)
    WantedOrder.objects.create(channel=channel, external_id="1", wanted_at=NOON, not_before=NOON,
                               reason=say("The platform does not show this order.").stored())  # fmt: skip
    listing = Listing.objects.create(channel=channel, external_code="NEW", sku=cup)
    ListingStock.objects.create(listing=listing, quantity_due=3, due_since_at=NOON)
    Oversell.objects.create(order=order, line_number=1, channel=channel, sku=cup, quantity=1, cause="push_lag",
                            told_quantity=9, told_at=NOON, stock_fell_at=NOON, found_at=NOON)  # fmt: skip
    Scope.objects.create(kind="region", code="east")
    Campaign.objects.create(code="NEW", name="Autumn", starts_at=NOON, ends_at=timezone.now() + timedelta(days=1))
    PullCursor.objects.create(channel=channel, pulled_until=NOON, last_pulled_at=NOON)
    InboundMessage.objects.create(channel=channel, external_id="9", payload=b"\xff", status="parked", received_at=NOON,
                                  reason=say("Sent again by %(actor)s.", actor="tester"))  # fmt: skip
    OutboundMessage.objects.create(channel=channel, lane="stock", kind="stock", key="k", subject="JD-1", body={},
                                   status="needs_person", not_before=NOON, created_at=NOON)  # fmt: skip
    connected = ChannelSetup.objects.create(channel=channel, started_by="person:boss", started_at=NOON, step="summary")
    FoundListing.objects.create(setup=connected, external_code="NEW", title="Autumn", sku=cup, confidence=60)
    Backtest.objects.create(promotion_code="NEW", version_number=1, starts_at=NOON, ends_at=timezone.now(),
                            asked_by="person:boss", asked_at=NOON)  # fmt: skip
    partner(channel)
    people_and_times()
    why = say("The hub could not work with this message: %(error)s", error="UTF")
    kinds = ("poisoned_message", "message_not_delivered", "channel_not_pulled", "change_without_order", "no_node")
    ways.fill(order, near, 1)
    open_cases([Trouble(kind, "JD-1", why, say("Correct the address, then choose “Try again”.")) for kind in kinds],
               at=NOON)  # fmt: skip
    Sku.objects.filter(pk=lid.pk).update(is_active=False)
    stock_documents(cup, lid, near, far)
    return desk


def people_and_times():
    """Add a group of people and a task with its times."""
    every = IntervalSchedule.objects.create(every=5, period="seconds")
    CrontabSchedule.objects.create(minute="5")
    PeriodicTask.objects.create(name="sweep-inbox", task="orders.run_pipeline", interval=every)
    Group.objects.create(name="crew")


def partner(shop):
    """Add a partner's endpoint that does not answer, and let the shop answer."""
    endpoint = Channel.objects.create(code="NEW", name="NEW", platform="pos", adapter="webhook", calls_per_second=1,
                                      options={"events": ["order.created"]})  # fmt: skip
    OutboundMessage.objects.create(channel=endpoint, lane="events", kind="event", key="e", subject="JD-1", body={},
                                   status="pending", not_before=NOON, created_at=NOON)  # fmt: skip
    why = say("%(code)s answered %(status)s.", code="NEW", status=500)
    ChannelHealth.objects.create(channel=endpoint, breaker="open", failures=5, probe_at=timezone.now() + timedelta(1),
                                 reason=why.stored())  # fmt: skip
    ChannelHealth.objects.create(channel=shop, failures=1, last_success_at=NOON)


def stock_documents(cup, lid, near, far):
    """Write one transfer, quality hold, import and difference down; reason codes are there from the start."""
    row = Transfer(number="1", source=near, destination=far)
    transfers.draft(row, units={cup.pk: 1}, actor=TESTER, at=NOON)
    company.stock(lid, far, 1)
    keep = quality.Keep("1", lid.pk, far.pk, 1, "suspected", "tester", NOON + timedelta(days=1))
    quality.place([keep], actor=TESTER, at=NOON)
    rows = iter([("sku", "node", "on_hand"), ("GHOST", "SH", "1")])
    stock_import.take_in(rows, file_name="1.csv", actor=TESTER, at=NOON)
    StockDifference.objects.create(
        check_name="on_hand", subject="CUP@SH", sku=cup, node=near, stored=2, derived=1, found_at=NOON
    )
    ChannelShare.objects.create(channel="JD", kind="capped", sku=cup, amount=1, created_at=NOON, created_by="boss")
    offers.ask_for(offers.promise_gift("GIFT1", lid))
    offers.give_coupons(offers.promise_gift("GIFT2", lid))
    papers.keep_safe(cup)
    papers.receive_goods(cup, lid, near)
    papers.count_goods(cup, near)
    papers.date_goods(lid, far)


def pages() -> list[tuple[str, object]]:
    return [(kind, model) for model in sorted(site._registry, key=lambda m: m._meta.label)
            for kind in ("changelist", "add", "change", "history", "delete")]  # fmt: skip


def address(kind: str, model) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}"
    if kind in ("changelist", "add"):
        return reverse(name)
    row = model._default_manager.order_by("pk").first()
    assert row is not None, f"the test has no {model._meta.label}"
    return reverse(name, args=[row.pk])


def read_all(browser, language: str) -> dict[str, str]:
    """Return every page that opens, by its address."""
    browser.cookies["django_language"] = language
    found = {}
    for kind, model in pages():
        url = address(kind, model)
        page = browser.get(url)
        assert page.status_code in (200, 403), url
        if page.status_code == 200:
            found[url] = page.content.decode()
    for url in (reverse("admin:index"), *(reverse("admin:app_list", args=[app]) for app in ("orders", "inventory"))):
        found[url] = browser.get(url).content.decode()
    for step in ("credentials", "listings", "matching", "terms", "summary"):
        url = f"{address('change', ChannelSetup)}?step={step}"
        found[url] = browser.get(url).content.decode()
    found["table"] = browser.get(reverse("admin:orders_oversell_table")).content.decode()
    found["again"] = browser.get(reverse("admin:channels_outboundmessage_again")).content.decode()
    for page in ("change", "secret"):
        url = reverse(f"admin:channels_channel_{page}", args=[Channel.objects.get(adapter="webhook").pk])
        found[url] = browser.get(url).content.decode()
    found["speed"] = browser.get(reverse("admin:channels_listingstock_convergence")).content.decode()
    for kind in KINDS:
        url = f"{reverse('admin:promotions_promotion_add')}?kind={kind}"
        found[url] = browser.get(url).content.decode()
    url = reverse("admin:promotions_promotion_build", args=[Promotion.objects.get(code="GIFT2").pk])
    found[url] = browser.get(url).content.decode()
    for order in Order.objects.all():
        url = reverse("admin:orders_order_change", args=[order.pk])
        found[url] = browser.get(url).content.decode()
    return found


def worst(left: dict[str, list[str]]) -> dict[str, str]:
    """Return each foreign piece once, with the first page that shows it."""
    return {piece: url for url, pieces in reversed(left.items()) for piece in pieces}


def test_every_page_is_chinese_in_chinese(full_desk):
    left = {url: english_left(html, LATIN) for url, html in read_all(full_desk, "zh-hans").items()}
    assert worst(left) == {}


def test_every_page_is_english_in_english(full_desk):
    left = {url: chinese_left(html, LANGUAGES) for url, html in read_all(full_desk, "en").items()}
    assert worst(left) == {}


def test_the_language_switch_changes_the_page(desk):
    desk.post(reverse("set_language"), {"language": "zh-hans", "next": "/admin/"})
    assert "等您处理" in desk.get("/admin/").content.decode()
    desk.post(reverse("set_language"), {"language": "en", "next": "/admin/"})
    assert "What waits for you" in desk.get("/admin/").content.decode()
