"""The number of queries of a page is the same with one row and with three."""

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from audit.admin.paging import CAP, CappedCount, CappedPaginator
from audit.models import Case
from channels.models import ChannelSetup, InboundMessage, Listing, ListingStock, OutboundMessage, WantedOrder
from inventory.models import (
    Category,
    ChannelShare,
    ExpectedReceipt,
    Lot,
    LotLevel,
    Node,
    QualityHold,
    ReasonCode,
    Receipt,
    RemainingLife,
    SafetyChange,
    SafetyRule,
    Sku,
    StockCount,
    StockDifference,
    StockImport,
    Transfer,
)
from orders.models import Hold, Order, Oversell, ParcelScan, Refund, Return
from promotions.models import Campaign, Scope
from tests import small_company as company
from tests.admin import offers, ways
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
LISTS = sorted(site._registry, key=lambda model: model._meta.label)
# Session, user, saved views, count, rows; more where a list looks something up for all its rows or offers choices.
QUERIES = {
    "audit.approvalrequest": 5,
    "audit.case": 5,
    "auth.group": 5,
    "auth.user": 5,
    "channels.channel": 8,
    "channels.channelsetup": 5,
    "channels.inboundmessage": 6,
    "channels.listing": 6,
    "channels.listingstock": 6,
    "channels.outboundmessage": 6,
    "channels.wantedorder": 6,
    "django_celery_beat.crontabschedule": 5,
    "django_celery_beat.intervalschedule": 5,
    "django_celery_beat.periodictask": 5,
    "inventory.category": 5,
    "inventory.channelshare": 6,
    "inventory.expectedreceipt": 7,
    "inventory.lot": 7,
    "inventory.lotlevel": 6,
    "inventory.node": 6,
    "inventory.qualityhold": 6,
    "inventory.reasoncode": 5,
    "inventory.receipt": 7,
    "inventory.remaininglife": 5,
    "inventory.reservation": 6,
    "inventory.safetychange": 6,
    "inventory.safetyrule": 6,
    "inventory.sku": 7,
    "inventory.stockcount": 7,
    "inventory.stockdifference": 5,
    "inventory.stockimport": 6,
    "inventory.stocklevel": 7,
    "inventory.stockmovement": 6,
    "inventory.transfer": 8,
    "orders.backtest": 5,
    "orders.carrierlane": 6,
    "orders.customer": 7,
    "orders.disruption": 6,
    "orders.freighttariff": 5,
    "orders.fulfillment": 7,
    "orders.hold": 5,
    "orders.nodestanding": 6,
    "orders.order": 8,
    "orders.oversell": 6,
    "orders.refund": 5,
    "orders.return": 5,
    "orders.routingattempt": 6,
    "orders.routingdecision": 5,
    "orders.routingpilot": 5,
    "orders.routingpolicy": 7,
    "orders.routingrun": 5,
    "orders.whatif": 6,
    "promotions.campaign": 5,
    "promotions.coupon": 6,
    "promotions.couponbatch": 7,
    "promotions.promotion": 8,
    "promotions.redemption": 5,
    "promotions.scope": 5,
}


def fill(sell, shop, number: int) -> None:
    """Add one row to every list."""
    channel, cup, _lid, near, _far = shop
    sell({f"{number}": {"CUP": 1}, f"{number}9": {"GHOST": 1}})
    order = Order.objects.get(number=f"JD-{number}")
    Return.objects.create(order=order, order_line=order.lines.get(), node=near, quantity=1, requested_at=NOON)
    Refund.objects.create(order=order, external_id=f"R{number}", status="asked", amount=1, received_at=NOON)
    WantedOrder.objects.create(channel=channel, external_id=f"W{number}", wanted_at=NOON, not_before=NOON)
    listing = Listing.objects.create(channel=channel, external_code=f"N{number}", sku=cup)
    ListingStock.objects.create(listing=listing, quantity_due=number, due_since_at=NOON)
    Oversell.objects.create(order=order, line_number=1, channel=channel, sku=cup, quantity=1, cause="never_told",
                            found_at=NOON)  # fmt: skip
    Campaign.objects.create(code=f"P{number}", name="Autumn", starts_at=NOON, ends_at=timezone.now())
    offers.give_coupons(offers.ask_for(offers.promise_gift(f"G{number}", cup)))
    ways.fill(order, near if number == 1 else company.node(f"W{number}"), number)
    Scope.objects.create(kind="channel", code=f"C{number}")
    OutboundMessage.objects.create(channel=channel, lane="stock", kind="stock", key=f"k{number}", subject="JD-1",
                                   body={}, not_before=NOON, created_at=NOON)  # fmt: skip
    begun = company.channel(f"SU{number}")
    ChannelSetup.objects.create(channel=begun, started_by="person:boss", started_at=NOON)
    _fill_stock(cup, near, _far, number)
    every = IntervalSchedule.objects.create(every=number, period="seconds")
    CrontabSchedule.objects.create(minute=str(number))
    PeriodicTask.objects.create(name=f"task {number}", task="orders.run_pipeline", interval=every)


def _fill_stock(cup, near, far, number: int) -> None:
    """Add one row to the lists of stock's documents."""
    ReasonCode.objects.create(use="adjustment", code=f"r{number}", name="r")
    ChannelShare.objects.create(channel="JD", kind="capped", sku=cup, amount=number, created_at=NOON, created_by="x")
    rule = SafetyRule.objects.create(name=f"S{number}", amount=number, sku=cup, node=near, created_at=NOON)
    SafetyChange.objects.create(sku=cup, node=near, before=0, after=number, rule=rule, actor="x", changed_at=NOON)
    Transfer.objects.create(number=f"T{number}", source=near, destination=far, created_at=NOON, created_by="x")
    promised = ExpectedReceipt.objects.create(number=f"PO{number}", node=near, due_date=NOON, created_at=NOON)
    promised.lines.create(sku=cup, quantity=2)
    came = Receipt.objects.create(number=f"R{number}", node=near, expected=promised, received_at=NOON, received_by="x")
    came.lines.create(sku=cup, quantity_received=1)
    counting = StockCount.objects.create(number=f"CT{number}", node=near, opened_at=NOON, opened_by="x")
    counting.lines.create(sku=cup)
    StockImport.objects.create(file_name=f"{number}.csv", status="applied", imported_at=NOON, imported_by="x")
    StockDifference.objects.create(
        check_name="on_hand", subject=f"CUP@{number}", sku=cup, node=near, stored=1, derived=2, found_at=NOON
    )
    lot = Lot.objects.create(sku=cup, code=f"L{number}", expires_date=NOON, created_at=NOON)
    LotLevel.objects.create(lot=lot, sku=cup, node=near, on_hand=number)
    RemainingLife.objects.create(channel=f"C{number}", category=cup.category, days=number)
    QualityHold.objects.create(
        key=f"q{number}", sku=cup, node=near, quantity=1, reason_code="recall", owner="x", opened_at=NOON,
        opened_by="x", ends_at=NOON,
    )  # fmt: skip


def more(shop, number: int) -> None:
    """Add one row to the lists that orders do not fill."""
    company.sku(f"X{number}")
    company.node(f"N{number}")
    company.channel(f"C{number}")
    Category.objects.create(code=f"c{number}", name=f"c{number}")


def count(browser, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_a_list_asks_as_often_for_three_rows_as_for_one(desk, sell, shop, model):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    fill(sell, shop, 1)
    desk.get(url)
    with_one = count(desk, url)
    for number in (2, 3):
        fill(sell, shop, number)
        more(shop, number)
    assert (with_one, count(desk, url)) == (QUERIES[model._meta.label_lower],) * 2


def test_every_list_has_its_number():
    assert sorted(QUERIES) == sorted(model._meta.label_lower for model in LISTS)


@pytest.mark.parametrize("lines", [{"CUP": 1}, {"CUP": 1, "LID": 1, "MUG": 1}], ids=["one line", "three lines"])
@pytest.mark.parametrize("told", [0, 1, 3], ids=["nothing told", "a refund and a scan", "three of each"])
def test_the_order_page_asks_seventeen_times_whatever_it_shows(desk, sell, shop, lines, told):
    mug = company.sku("MUG")
    company.stock(mug, shop[3], 5)
    sell({"1": lines})
    order = Order.objects.get()
    for number in range(told):
        Refund.objects.create(order=order, external_id=f"R{number}", status="asked", amount=1, received_at=NOON)
        ParcelScan.objects.create(
            fulfillment=order.fulfillments.get(), scanned_at=NOON, state="underway", text=f"{number}", told_at=NOON
        )
    url = reverse("admin:orders_order_change", args=[order.pk])
    desk.get(url)
    assert count(desk, url) == 17


def test_the_home_page_asks_a_fixed_number_of_times(desk, sell):
    sell({"1": {"CUP": 1}, "2": {"GHOST": 1}})
    assert count(desk, "/admin/") == 9


def test_a_count_stops_at_the_cap(shop):
    assert (str(CappedCount(42)), str(CappedCount(CAP)), str(CappedCount(CAP + 1))) == ("42", "10000", "10 000+")
    paginator = CappedPaginator(Node.objects.order_by("pk"), 50)
    with CaptureQueriesContext(connection) as queries:
        assert (paginator.count, paginator.num_pages) == (2, 1)
    assert "LIMIT 10001" in queries[0]["sql"]


def test_no_page_beyond_the_cap_is_offered(shop):
    paginator = CappedPaginator(Node.objects.order_by("pk"), 50)
    paginator.__dict__["count"] = CappedCount(CAP + 1)
    assert paginator.num_pages == 200


def test_the_tables_of_the_test_are_filled(desk, sell, shop):
    fill(sell, shop, 1)
    counts = [model.objects.count() for model in (Case, Hold, InboundMessage, Sku)]
    assert counts == [1, 1, 2, 2]
