"""Selling before the goods come, and shares in the pipeline: what is promised, what waits, what is kept for others."""

from datetime import date, timedelta

import pytest

from inventory.models import ChannelShare, SharePool, StockDifference, StockLevel, SupplyPromise
from inventory.queries import promise, shares
from inventory.services import shares as share_verbs
from inventory.statuses import DifferenceCheck
from orders.models import OrderLine
from orders.services import backorders, repair, verification
from tests import small_company as company
from tests.orders.services.scenes import change, kinds, order
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
SHIPS = date(2026, 12, 12)


def give(channel, sku, amount, kind="presale", **facts):
    if kind == "presale":
        facts.setdefault("ships_from_date", SHIPS)
    share = ChannelShare.objects.create(
        channel=channel, sku=sku, kind=kind, unit="units", amount=amount, created_at=NOON, created_by="T", **facts
    )
    share_verbs.publish(share, actor=TESTER, at=NOON)
    return share


def use():
    return SharePool.objects.values_list("reserved", "sold", "promised").get()


def told(hub):
    """What the channel is told now."""
    return promise.availability([hub.cup.pk], [hub.near.pk, hub.far.pk], channel=hub.channel.code, on_date=NOON.date())[
        hub.cup.pk
    ].total


def line(number="1"):
    row = OrderLine.objects.get(order__external_id=number)
    return (row.quantity_allocated, row.promised_date)


@pytest.fixture
def presale(hub):
    """A presale of fifty cups for the channel; twenty are in the house."""
    give(hub.channel.code, hub.cup, 50)
    return hub


def test_a_presale_is_told_whether_the_goods_have_come_or_not(presale):
    assert told(presale) == 50


def test_what_is_there_is_reserved_and_the_rest_is_promised_for_the_day(presale):
    presale.take(company.order_message("1", {"CUP": 30}))
    assert (line(), use(), order().promised_date) == ((20, SHIPS), (20, 0, 10), SHIPS)
    assert "backordered" in kinds()
    assert told(presale) == 20


def test_beyond_the_pool_nothing_is_promised(presale):
    presale.take(company.order_message("1", {"CUP": 48}), company.order_message("2", {"CUP": 5}))
    assert use() == (20, 0, 30)
    assert (line("2"), told(presale)) == ((0, None), 0)
    assert list(SupplyPromise.objects.order_by("pk").values_list("reference", "quantity", "promised_date")) == [
        ("JD-1", 28, SHIPS),
        ("JD-2", 2, SHIPS),
        ("JD-2", 3, None),
    ]


def test_when_goods_come_the_promise_becomes_a_reservation(presale):
    presale.take(company.order_message("1", {"CUP": 30}))
    company.stock(presale.cup, presale.near, 15)
    assert backorders.retry(at=NOON + timedelta(days=1)) == 1
    assert (line(), use(), SupplyPromise.objects.count()) == ((30, None), (30, 0, 0), 0)
    assert told(presale) == 20


def test_a_cancelled_order_gives_the_pool_its_units_back(presale):
    presale.take(company.order_message("1", {"CUP": 30}))
    presale.take(change(2, cancelled_at=NOON.isoformat()))
    assert (use(), SupplyPromise.objects.count(), told(presale)) == ((0, 0, 0), 0, 50)


def test_other_channels_are_left_what_the_presale_does_not_need(hub):
    give("TMALL", hub.cup, 15)
    hub.take(company.order_message("1", {"CUP": 8}))
    assert line() == (5, None)
    assert shares.read([hub.cup.pk])[hub.cup.pk].room("TMALL") == 15


def test_an_order_beyond_its_share_says_so(hub):
    give(hub.channel.code, hub.cup, 3, kind="capped")
    hub.take(company.order_message("1", {"CUP": 8}))
    assert line() == (3, None)
    reason = order().events.get(kind="backordered").detail
    assert reason == {
        "text": "%(units)s units are beyond what the channel's share of the stock still has.",
        "values": {"units": 5},
    }


def test_only_the_nodes_that_serve_the_channel_send(hub):
    hub.channel.nodes.add(hub.far)
    hub.take(company.order_message("1", {"CUP": 4}))
    levels = StockLevel.objects.filter(sku=hub.cup).order_by("node__code")
    assert list(levels.values_list("node__code", "reserved")) == [("SH", 0), ("WH", 4)]


def test_a_wrong_use_of_a_share_is_found_and_repaired_from_its_rows(presale):
    presale.take(company.order_message("1", {"CUP": 30}))
    assert verification.verify(at=NOON).differences == 0
    SharePool.objects.update(reserved=1, promised=99)
    found = verification.verify(at=NOON).found[DifferenceCheck.SHARE]
    assert [(one.subject, one.stored, one.derived) for one in found] == [
        ("JD/CUP promised", 99, 10),
        ("JD/CUP reserved", 1, 20),
    ]
    ids = list(StockDifference.objects.values_list("pk", flat=True))
    outcome = repair.repair(ids, reason="counted", actor=TESTER, at=NOON)
    assert (sorted(outcome.done), outcome.refused) == (["JD/CUP promised", "JD/CUP reserved"], {})
    assert use() == (20, 0, 10)
    assert verification.verify(at=NOON).differences == 0
