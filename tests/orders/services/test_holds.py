"""Why orders wait, and how they go on."""

import pytest

from audit.models import Case
from channels.models import Listing
from inventory.models import Node
from orders.services import fulfillment, holds
from orders.services.fulfillment import Handover
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import address, change
from tests.small_company import NOON, TESTER


def place(reason="fraud?"):
    return holds.place([scenes.order().pk], reason=reason, actor=TESTER, at=NOON)


def lift():
    return holds.lift([scenes.order().pk], actor=TESTER, at=NOON)


def try_again():
    tried = holds.try_again([scenes.order().pk], actor=TESTER, at=NOON)
    return tried.went_on, tried.still_waiting


def open_holds():
    return sorted(scenes.order().holds.filter(lifted_at__isnull=True).values_list("kind", flat=True))


def cases():
    return sorted(Case.objects.values_list("kind", "status"))


def test_a_hold_by_hand_stops_the_order_and_says_who_and_why(hub):
    hub.take(company.order_message("1", {"CUP": 1}, paid_at=None))
    assert place("looks like fraud") == 1
    hub.take(change(2, paid_at=NOON.isoformat()))
    assert (scenes.order().status, scenes.order().money_state) == ("on_hold", "paid")
    hold = scenes.order().holds.get()
    assert (hold.kind, hold.opened_by, hold.opened_at) == ("manual", "person:tester", NOON)
    assert hold.reason == {"text": "%(reason)s", "values": {"reason": "looks like fraud"}}
    assert cases() == [("manual", "open")]


def test_holding_twice_holds_once(hub):
    hub.take(company.order_message("1", {"CUP": 1}))
    assert (place(), place()) == (1, 0)
    assert scenes.order().holds.count() == 1


def test_lifting_lets_the_order_go_on_at_once(hub):
    hub.take(company.order_message("1", {"CUP": 1}, paid_at=None))
    place()
    hub.take(change(2, paid_at=NOON.isoformat()))
    assert lift() == 1
    assert (scenes.order().status, open_holds(), cases()) == ("released", [], [("manual", "resolved")])
    hold = scenes.order().holds.get()
    assert (hold.lifted_at, hold.lifted_by) == (NOON, "person:tester")


def test_lifting_nothing_is_counted_as_nothing(hub):
    hub.take(company.order_message("1", {"CUP": 1}))
    before = scenes.everything()
    assert lift() == 0
    assert scenes.everything() == before


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        pytest.param(company.order_message("1", {"GHOST": 1}), "unknown_sku", id="SKU"),
        pytest.param(company.order_message("1", {"CUP": 1}, address=address("Atlantis", "")), "address", id="address"),
    ],
)
def test_a_hold_that_ends_by_itself_is_not_lifted_by_hand(hub, message, kind):
    hub.take(message)
    assert (lift(), open_holds()) == (0, [kind])
    assert scenes.books()["held"] == []


def test_trying_again_after_a_listing_was_added_releases_the_order(hub):
    hub.take(company.order_message("1", {"GHOST": 2}))
    assert try_again() == ([], ["JD-1"])
    assert (open_holds(), cases()) == (["unknown_sku"], [("unknown_sku", "open")])

    Listing.objects.create(channel=hub.channel, external_code="GHOST", sku=hub.cup)

    assert try_again() == (["JD-1"], [])
    assert (scenes.order().status, open_holds(), cases()) == ("released", [], [("unknown_sku", "resolved")])
    assert scenes.books()["held"] == [("CUP", "SH", 2)]
    assert scenes.order().paid_amount == scenes.order().total_amount == 20


def test_a_listing_can_mean_a_bundle(hub):
    bundle = company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    hub.take(company.order_message("1", {"GHOST": 2}))
    Listing.objects.create(channel=hub.channel, external_code="GHOST", sku=bundle)
    assert try_again() == (["JD-1"], [])
    assert scenes.books()["held"] == [("CUP", "SH", 4), ("LID", "SH", 2)]


def test_an_unpaid_order_that_was_held_is_paid_in_full_when_it_goes_on(hub):
    hub.take(company.order_message("1", {"GHOST": 2}, paid_at=None))
    hub.take(change(2, paid_at=NOON.isoformat()))
    Listing.objects.create(channel=hub.channel, external_code="GHOST", sku=hub.cup)
    try_again()
    assert (scenes.order().total_amount, scenes.order().paid_amount) == (20, 20)


def test_where_no_node_serves_the_order_waits_with_its_case_until_one_does(hub):
    Node.objects.update(serves=["44"])
    hub.take(company.order_message("1", {"CUP": 2}))
    assert (open_holds(), cases()) == (["no_node"], [("no_node", "open")])

    assert try_again() == ([], ["JD-1"])
    assert (open_holds(), cases()) == (["no_node"], [("no_node", "open")])

    Node.objects.update(serves=[])
    assert try_again() == (["JD-1"], [])
    assert (scenes.order().status, open_holds(), cases()) == ("released", [], [("no_node", "resolved")])


def test_a_backorder_whose_last_node_closes_has_one_open_case(hub):
    hub.take(company.order_message("1", {"CUP": 25}))
    Node.objects.update(is_active=False)
    assert try_again() == ([], ["JD-1"])
    assert cases() == [("backordered", "resolved"), ("no_node", "open")]
    Node.objects.update(is_active=True)
    company.stock(hub.cup, hub.near, 5)
    assert try_again() == (["JD-1"], [])
    assert cases() == [("backordered", "resolved"), ("no_node", "resolved")]
    assert scenes.order().status == "released"


def test_a_backorder_is_tried_again_by_hand(hub):
    hub.take(company.order_message("1", {"CUP": 25}))
    assert try_again() == ([], ["JD-1"])
    assert cases() == [("backordered", "open")]
    company.stock(hub.cup, hub.near, 5)
    assert try_again() == (["JD-1"], [])
    assert (scenes.order().status, cases()) == ("released", [("backordered", "resolved")])


def test_an_order_that_must_not_ship_has_its_goods_set_aside_until_the_channel_says_so(hub):
    hub.take(company.order_message("1", {"CUP": 1}, must_not_ship="the group is not complete"))
    assert (open_holds(), scenes.order().status) == (["channel"], "on_hold")
    assert scenes.books()["held"] == [("CUP", "SH", 1)]
    assert [parcel.status for parcel in scenes.parcels()] == ["planned"]
    hub.take(company.order_message("1", {"CUP": 1}, revision=2))
    assert (open_holds(), scenes.order().status) == ([], "released")
    assert scenes.books()["held"] == [("CUP", "SH", 1)]


def test_a_hold_that_sets_goods_aside_still_keeps_them_from_the_node(hub):
    hub.take(company.order_message("1", {"CUP": 1}, must_not_ship="the group is not complete"))
    [parcel] = scenes.parcels()
    before = scenes.everything()
    for verb in (fulfillment.pick, fulfillment.pack):
        assert verb([parcel.pk], actor=TESTER, at=NOON).done == []
    assert fulfillment.ship({parcel.pk: Handover("SF", "1")}, actor=TESTER, at=NOON).done == []
    assert (lift(), try_again()) == (0, ([], ["JD-1"]))
    assert scenes.everything() == before


def test_another_hold_beside_the_channels_reserves_nothing(hub):
    hub.take(company.order_message("1", {"CUP": 1}, must_not_ship="wait", address=address("Atlantis", "")))
    assert (open_holds(), scenes.books()["held"]) == (["address", "channel"], [])


def test_trying_a_healthy_order_again_changes_nothing(hub):
    hub.take(company.order_message("1", {"CUP": 1}))
    before = scenes.everything()
    assert try_again() == (["JD-1"], [])
    assert scenes.everything() == before
