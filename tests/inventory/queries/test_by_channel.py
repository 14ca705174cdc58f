"""What each channel may sell of a SKU, with the sum that makes it: the same figure as the one it is told."""

from decimal import Decimal

import pytest

from channels import queries
from channels.models import Channel
from inventory.models import ChannelShare, Node, SharePool, StockLevel
from inventory.queries import by_channel, promise
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture
def cup():
    """Twenty cups at SH, six at WH (four safety stock, three reserved); DY is served by WH only."""
    cup, sh, wh = company.sku("CUP"), company.node("SH"), company.node("WH", "42")
    company.stock(cup, sh, 20)
    company.stock(cup, wh, 6)
    StockLevel.objects.filter(node=wh).update(safety_stock=4, reserved=3)
    company.channel()
    company.channel("DY").nodes.add(wh)
    company.channel("WM")
    return cup


def share(sku, channel, kind, amount, **columns):
    row = ChannelShare.objects.create(
        channel=channel, kind=kind, sku=sku, amount=Decimal(amount), status="live", created_at=NOON, created_by="x",
        **columns,
    )  # fmt: skip
    SharePool.objects.create(share=row, sku=sku, channel=channel, opened_at=NOON)


def figures(sku):
    served = queries.served(Channel.objects.order_by("code"))
    return {one.channel: one for one in by_channel.derive(sku.pk, served, on_date=TODAY)}


def test_the_nodes_of_a_channel_and_what_they_lack(cup):
    found = figures(cup)
    assert {code: (one.node_count, one.at_nodes, one.value) for code, one in found.items()} == {
        "DY": (1, 0, 0), "JD": (2, 20, 20), "WM": (2, 20, 20),
    }  # fmt: skip
    assert dict(found["JD"].parts) == {
        "on_hand": 26, "reserved": -3, "quality_hold": 0, "safety_stock": -4, "too_old": 0, "below_zero": 1,
    }  # fmt: skip
    assert (found["JD"].share_room, found["JD"].share_parts) == (None, ())


def test_what_shares_leave(cup):
    share(cup, "WM", "exclusive", 5)
    share(cup, "JD", "capped", 12)
    found = figures(cup)
    assert {code: (one.at_nodes, one.share_room, one.value) for code, one in found.items()} == {
        "DY": (0, 15, 0), "JD": (20, 12, 12), "WM": (20, 20, 20),
    }  # fmt: skip
    assert [(part.name, part.channel, part.units) for part in found["JD"].share_parts] == [
        ("free", "", 20), ("set_aside", "WM", -5), ("share", "JD", 12),
    ]  # fmt: skip


def test_a_presale_sells_what_its_share_has(cup):
    share(cup, "WM", "presale", 90, unit="units", ships_from_date=TODAY)
    assert figures(cup)["WM"].value == 90


@pytest.mark.parametrize("with_shares", [False, True])
def test_it_is_the_figure_that_the_channel_is_told(cup, with_shares):
    Node.objects.create(code="OLD", name="OLD", kind="store", city="x", region="31", latitude=1, longitude=1,
                        is_active=False)  # fmt: skip
    company.stock(cup, Node.objects.get(code="OLD"), 50)
    if with_shares:
        share(cup, "WM", "borrowable", 10, lend_percent=50)
        share(cup, "JD", "capped", 12)
    active = set(Node.objects.filter(is_active=True).values_list("pk", flat=True))
    served = queries.served(Channel.objects.order_by("code"))
    for code, one in figures(cup).items():
        nodes = active if served[code] is None else active & served[code]
        told = promise.availability([cup.pk], nodes, on_date=TODAY, channel=code)
        assert one.value == told[cup.pk].total, code


def test_the_number_of_queries_does_not_grow_with_channels(cup, django_assert_num_queries):
    share(cup, "WM", "exclusive", 5)
    served = queries.served(Channel.objects.order_by("code"))
    for codes in (["JD"], ["DY", "JD", "WM"]):
        with django_assert_num_queries(4):
            by_channel.derive(cup.pk, {code: served[code] for code in codes}, on_date=TODAY)
