"""What one channel may sell, asked through the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import ChannelShare
from inventory.services import shares
from tests import small_company as company
from tests.inventory import dated
from tests.small_company import NOON, TESTER


def give(channel, sku, amount, kind="exclusive", **facts):
    share = ChannelShare.objects.create(
        channel=channel, sku=sku, kind=kind, unit="units", amount=amount, created_at=NOON, created_by="T", **facts
    )
    shares.publish(share, actor=TESTER, at=NOON)


def figures(response):
    assert response.status_code == 200, response.content
    return [
        (row["sku"], row["available"], {node["node"]: node["available"] for node in row["nodes"]})
        for row in response.json()["results"]
    ]


@pytest.fixture
def ask(hub, reader):
    """Cups 10 at SH and 10 at WH, lids 10 at SH; channels JD (of the hub) and TMALL."""
    company.channel("TMALL")
    return lambda code, *skus: figures(
        reader.get(f"/api/v1/channels/{code}/availability/?" + "&".join(f"sku={sku}" for sku in skus))
    )


def test_without_shares_every_channel_may_sell_everything(ask):
    assert ask("TMALL", "CUP") == ask("JD", "CUP") == [("CUP", 20, {"SH": 10, "WH": 10})]


def test_what_is_set_aside_for_another_channel_is_not_told(hub, ask):
    give("TMALL", hub.cup, 15)
    assert ask("JD", "CUP") == [("CUP", 5, {"SH": 5, "WH": 5})]
    assert ask("TMALL", "CUP") == [("CUP", 20, {"SH": 10, "WH": 10})]


def test_a_bundle_is_bounded_by_the_share_of_its_parts(hub, ask):
    company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    give("TMALL", hub.cup, 15)
    assert ask("JD", "SET") == [("SET", 2, {"SH": 2})]


def test_only_the_nodes_that_serve_the_channel_count(hub, ask):
    hub.channel.nodes.add(hub.far)
    assert ask("JD", "CUP", "LID") == [("CUP", 10, {"WH": 10}), ("LID", 0, {})]


def test_an_order_takes_from_what_its_channel_is_told(hub, ask):
    give("TMALL", hub.cup, 15)
    hub.take(company.order_message("1", {"CUP": 4}))
    assert ask("JD", "CUP") == [("CUP", 1, {"SH": 1, "WH": 1})]
    assert ask("TMALL", "CUP") == [("CUP", 16, {"SH": 6, "WH": 10})]


def test_a_channel_is_told_only_what_keeps_long_enough_for_it(hub, ask):
    milk = dated.milk()
    today = timezone.localdate()
    for code, days, units in (("GONE", -1, 1), ("SHORT", 20, 2), ("LONG", 90, 4)):
        dated.put(dated.lot(milk, code, today + timedelta(days=days)), hub.near, units)
    dated.ask_for("JD", 30)
    assert ask("JD", "MILK") == [("MILK", 4, {"SH": 4})]
    assert ask("TMALL", "MILK") == [("MILK", 6, {"SH": 6})]


def test_an_unknown_channel_is_not_found(hub, reader):
    answer = reader.get("/api/v1/channels/NOBODY/availability/?sku=CUP")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no channel NOBODY.")


def test_the_figures_cost_a_fixed_number_of_queries(hub, reader, django_assert_num_queries):
    company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    give("TMALL", hub.cup, 15)
    for skus in ("sku=CUP", "sku=CUP&sku=LID&sku=SET"):
        with django_assert_num_queries(13):
            reader.get(f"/api/v1/channels/JD/availability/?{skus}")
