"""What many channels may be told of many SKUs: the same figures as for one channel, in a fixed number of queries."""

from datetime import timedelta

import pytest

from inventory.models import ChannelShare, Node
from inventory.queries import offers, promise
from inventory.services import shares
from tests import small_company as company
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def share(channel: str, sku, **facts) -> None:
    row = ChannelShare.objects.create(channel=channel, sku=sku, created_at=NOON, created_by="T", **facts)
    shares.publish(row, actor=TESTER, at=NOON)


def test_each_channel_gets_what_its_own_nodes_and_shares_leave_it():
    cup, lid = company.sku("CUP"), company.sku("LID")
    box = company.sku("BOX", parts={cup: 2, lid: 1})
    near, far = company.node("SH"), company.node("WH", "42")
    company.stock(cup, near, 7)
    company.stock(cup, far, 4)
    company.stock(lid, far, 9)
    share("JD", cup, kind="exclusive", amount=3)
    nodes = {"JD": None, "TM": {near.pk}, "POS": {far.pk}}
    told = offers.figures([cup.pk, lid.pk, box.pk], nodes, on_date=TODAY)
    assert told == {
        ("JD", cup.pk): 11,
        ("TM", cup.pk): 7,
        ("POS", cup.pk): 4,
        ("JD", lid.pk): 9,
        ("TM", lid.pk): None,
        ("POS", lid.pk): 9,
        ("JD", box.pk): 5,
        ("TM", box.pk): None,
        ("POS", box.pk): 2,
    }
    for (code, sku_id), units in told.items():
        if units is not None:
            there = nodes[code] or {near.pk, far.pk}
            one = promise.availability([sku_id], there, on_date=TODAY, channel=code)
            assert one[sku_id].total == units


def test_a_node_that_is_switched_off_counts_for_nobody():
    cup, near = company.sku("CUP"), company.node("SH")
    company.stock(cup, near, 7)
    Node.objects.update(is_active=False)
    assert offers.figures([cup.pk], {"JD": None, "TM": {near.pk}}, on_date=TODAY) == {
        ("JD", cup.pk): None,
        ("TM", cup.pk): None,
    }


def test_no_stock_is_a_figure_and_never_seen_is_none():
    cup, lid, near = company.sku("CUP"), company.sku("LID"), company.node("SH")
    company.stock(cup, near, 7)
    near.levels.update(safety_stock=20)
    assert offers.figures([cup.pk, lid.pk], {"JD": None}, on_date=TODAY) == {("JD", cup.pk): 0, ("JD", lid.pk): None}


def test_a_presale_is_known_before_its_goods_come():
    cup = company.sku("CUP")
    share("JD", cup, kind="presale", amount=30, ships_from_date=TODAY + timedelta(days=9))
    assert offers.figures([cup.pk], {"JD": None, "TM": None}, on_date=TODAY) == {
        ("JD", cup.pk): 30,
        ("TM", cup.pk): None,
    }


@pytest.mark.parametrize("channels", [1, 4])
def test_the_number_of_queries_knows_neither_skus_nor_channels(channels, django_assert_num_queries):
    near = company.node("SH")
    skus = [company.sku(f"S{number}") for number in range(3)]
    for sku in skus:
        company.stock(sku, near, 5)
    served = {f"C{number}": None for number in range(channels)}
    with django_assert_num_queries(5):
        told = offers.figures([sku.pk for sku in skus], served, on_date=TODAY)
    assert (set(told.values()), len(told)) == ({5}, 3 * channels)
