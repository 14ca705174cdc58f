"""What nodes do with parcels: the allowed moves, what they write, and the moves that are refused."""

from datetime import timedelta

import pytest

from audit.models import Case
from channels.models import Channel, OutboundMessage
from inventory.models import Reservation, StockLevel, StockMovement
from orders.models import Order
from orders.services import fulfillment, holds
from orders.services.fulfillment import Handover
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import change
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(hours=1)
ONE = Handover("SF", "SF100")
TWO = Handover("YTO", "YT200")


def parcel(number=0, external_id="1"):
    return scenes.parcels(external_id)[number]


def pick(*parcels):
    return fulfillment.pick([one.pk for one in parcels], actor=TESTER, at=LATER)


def pack(*parcels):
    return fulfillment.pack([one.pk for one in parcels], actor=TESTER, at=LATER)


def ship(handovers):
    return fulfillment.ship({one.pk: handover for one, handover in handovers}, actor=TESTER, at=LATER)


def ship_out(one, handover=ONE):
    """From released to shipped."""
    pack(one)
    return ship([(one, handover)])


# -- the good way -----------------------------------------------------------------------------------------


def test_a_parcel_goes_from_released_to_delivered(hub):
    hub.take(company.order_message("1", {"CUP": 2, "LID": 1}))
    assert pick(parcel()).done == ["JD-1-1"]
    assert (parcel().status, scenes.order().status) == ("picking", "released")
    assert pack(parcel()).done == ["JD-1-1"]
    assert (parcel().status, parcel().packed_at, scenes.order().status) == ("packed", LATER, "released")
    assert ship([(parcel(), ONE)]).done == ["JD-1-1"]
    assert scenes.order().status == "shipped"
    fulfillment.deliver([parcel().pk], actor=TESTER, at=LATER)
    order = scenes.order()
    assert (order.status, order.delivered_at, parcel().delivered_at) == ("delivered", LATER, LATER)
    assert scenes.kinds() == ["received", "allocated", "released", "picking", "packed", "shipped", "delivered"]


def test_shipping_takes_the_stock_out_and_writes_it_down(hub):
    hub.take(company.order_message("1", {"CUP": 2, "LID": 1}))
    ship_out(parcel())

    levels = StockLevel.objects.filter(node=hub.near).order_by("sku__code").values_list("on_hand", "reserved")
    assert list(levels) == [(8, 0), (9, 0)]
    moved = StockMovement.objects.filter(kind="shipment").order_by("sku__code")
    assert list(moved.values_list("quantity", "reference", "actor", "moved_at")) == [
        (-2, "JD-1-1", "person:tester", LATER),
        (-1, "JD-1-1", "person:tester", LATER),
    ]
    assert set(Reservation.objects.values_list("status", flat=True)) == {"consumed"}
    one = parcel()
    assert (one.status, one.shipped_at, one.carrier_code, one.tracking_number) == ("shipped", LATER, "SF", "SF100")
    order = scenes.order()
    assert (order.shipped_at, list(order.lines.values_list("quantity_shipped", flat=True))) == (LATER, [2, 1])


def test_the_channel_is_told_once_about_each_parcel(hub):
    hub.take(company.order_message("1", {"CUP": 12}))
    first, second = scenes.parcels()
    ship_out(first)
    ship_out(second, TWO)
    ship([(first, ONE), (second, TWO)])

    notices = OutboundMessage.objects.order_by("pk")
    assert [(n.channel, n.lane, n.subject, n.key) for n in notices] == [
        (hub.channel, "shipments", "JD-1-1", "shipment-notice:JD-1-1"),
        (hub.channel, "shipments", "JD-1-2", "shipment-notice:JD-1-2"),
    ]
    assert [n.body["lines"] for n in notices] == [
        [{"external_line_id": "1", "quantity": 10}],
        [{"external_line_id": "1", "quantity": 2}],
    ]
    assert [(n.body["carrier_code"], n.body["tracking_number"], n.body["is_partial"]) for n in notices] == [
        ("SF", "SF100", True),
        ("YTO", "YT200", True),
    ]


def test_a_channel_that_takes_no_notices_is_not_told(hub):
    Channel.objects.filter(pk=hub.channel.pk).update(adapter="file")
    Order.objects.all().delete()
    hub.channel.refresh_from_db()
    Channel.objects.filter(pk=hub.channel.pk).update(adapter="house")
    hub.take(company.order_message("1", {"CUP": 1}))
    Channel.objects.filter(pk=hub.channel.pk).update(adapter="file")
    ship_out(parcel())
    assert (parcel().status, OutboundMessage.objects.count()) == ("shipped", 0)


def test_an_order_in_two_parcels_is_partly_shipped_in_between(hub):
    hub.take(company.order_message("1", {"CUP": 12}))
    first, second = scenes.parcels()
    ship_out(first)
    assert (scenes.order().status, scenes.order().lines.get().quantity_shipped) == ("part_shipped", 10)
    ship_out(second)
    assert (scenes.order().status, scenes.order().lines.get().quantity_shipped) == ("shipped", 12)
    fulfillment.deliver([first.pk], actor=TESTER, at=LATER)
    assert (scenes.order().status, scenes.order().delivered_at) == ("shipped", None)
    fulfillment.deliver([second.pk], actor=TESTER, at=LATER)
    assert scenes.order().status == "delivered"


def test_a_bundle_counts_as_shipped_when_all_its_parts_left(hub):
    hub_set = company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    hub.take(company.order_message("1", {"SET": 6}))
    assert [list(p.lines.order_by("pk").values_list("sku__code", "quantity")) for p in scenes.parcels()] == [
        [("CUP", 10), ("LID", 6)],
        [("CUP", 2)],
    ]
    first, second = scenes.parcels()
    ship_out(second)
    line = scenes.order().lines.get(sku=hub_set)
    assert (line.quantity_allocated, line.quantity_shipped) == (6, 0)
    ship_out(first)
    line.refresh_from_db()
    assert line.quantity_shipped == 6


# -- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["pick", "pack", "ship"])
def test_a_parcel_of_a_held_order_does_not_move(hub, verb):
    hub.take(company.order_message("1", {"CUP": 1}), company.order_message("2", {"CUP": 1}))
    held, free = parcel(0, "1"), parcel(0, "2")
    if verb == "ship":
        pack(held, free)
    holds.place([scenes.order("1").pk], reason="fraud?", actor=TESTER, at=NOON)
    before = scenes.everything()["Fulfillment"][0]

    moved = {"pick": pick, "pack": pack, "ship": lambda *both: ship([(one, ONE) for one in both])}[verb](held, free)

    assert moved.done == ["JD-2-1"]
    assert {n: str(why) for n, why in moved.refused.items()} == {"JD-1-1": "The order is on hold: lift the hold first."}
    assert scenes.everything()["Fulfillment"][0] == before
    assert Reservation.objects.get(reference="JD-1-1").status == "active"
    assert not OutboundMessage.objects.filter(subject="JD-1-1").exists()


def test_a_lifted_hold_lets_the_parcel_go(hub):
    hub.take(company.order_message("1", {"CUP": 1}))
    holds.place([scenes.order().pk], reason="fraud?", actor=TESTER, at=NOON)
    holds.lift([scenes.order().pk], actor=TESTER, at=NOON)
    assert ship_out(parcel()).done == ["JD-1-1"]


def test_a_parcel_makes_only_the_allowed_moves(hub):
    hub.take(company.order_message("1", {"CUP": 1}), company.order_message("2", {"CUP": 1}, paid_at=None))
    released, planned = parcel(0, "1"), parcel(0, "2")
    before = scenes.everything()
    for moved in (ship([(released, ONE)]), pick(planned), pack(planned), ship([(planned, ONE)])):
        assert moved.done == []
    assert str(ship([(released, ONE)]).refused["JD-1-1"]) == "Only a packed parcel can be shipped."
    assert fulfillment.deliver([released.pk], actor=TESTER, at=LATER).done == []
    assert scenes.everything() == before


def test_shipping_twice_ships_once(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    ship_out(parcel())
    before = scenes.everything()
    assert list(ship([(parcel(), TWO)]).refused) == ["JD-1-1"]
    assert scenes.everything() == before


def test_a_shipped_parcel_cannot_be_stopped(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    ship_out(parcel())
    before = scenes.everything()
    assert fulfillment.stop([parcel().pk], reason="late", actor=TESTER, at=LATER).done == []
    assert scenes.everything() == before


# -- stopping -----------------------------------------------------------------------------------------------


def test_a_stopped_parcel_gives_its_stock_and_room_back_and_holds_the_order(hub):
    before = scenes.books()
    hub.take(company.order_message("1", {"CUP": 3}))
    assert fulfillment.stop([parcel().pk], reason="broken", actor=TESTER, at=LATER).done == ["JD-1-1"]
    assert scenes.books() == before
    order = scenes.order()
    assert (order.status, order.lines.get().quantity_allocated) == ("on_hold", 0)
    assert Case.objects.get(status="open").kind == "manual"

    holds.lift([order.pk], actor=TESTER, at=LATER)
    assert [(one.number, one.status) for one in scenes.parcels()] == [("JD-1-1", "cancelled"), ("JD-1-2", "released")]
    assert scenes.order().status == "released"
    assert scenes.books()["held"] == [("CUP", "SH", 3)]


def test_a_cancel_that_came_too_late_holds_the_order_until_its_parcel_is_stopped(hub):
    before = scenes.books()
    hub.take(company.order_message("1", {"CUP": 3}))
    hub.take(change(2, cancelled_at=LATER.isoformat(), cancel_reason="no longer wanted"))
    order = scenes.order()
    assert (order.status, order.cancelled_at) == ("on_hold", None)
    assert pick(parcel()).done == []

    fulfillment.stop([parcel().pk], reason="the channel cancelled", actor=TESTER, at=LATER)

    order = scenes.order()
    assert (order.status, order.cancelled_at, order.open_holds) == ("cancelled", LATER, 0)
    assert scenes.books() == before
    assert Case.objects.filter(status="open").count() == 0


def test_of_two_parcels_one_is_stopped_and_planned_again(hub):
    hub.take(company.order_message("1", {"CUP": 12}))
    first, second = scenes.parcels()
    pick(first)
    fulfillment.stop([second.pk], reason="lost", actor=TESTER, at=LATER)
    line = scenes.order().lines.get()
    assert (line.quantity_allocated, scenes.order().status) == (10, "on_hold")
    holds.lift([scenes.order().pk], actor=TESTER, at=LATER)
    assert [(p.number, p.status, p.node.code) for p in scenes.parcels()] == [
        ("JD-1-1", "picking", "SH"),
        ("JD-1-2", "cancelled", "WH"),
        ("JD-1-3", "released", "WH"),
    ]
    assert scenes.order().lines.get().quantity_allocated == 12


def test_nothing_to_move_is_no_error(hub):
    before = scenes.everything()
    moved = fulfillment.pick([999_999], actor=TESTER, at=LATER)
    assert (moved.done, moved.refused) == ([], {})
    assert scenes.everything() == before


def test_stopping_both_parcels_of_a_cancelled_order_at_once_leaves_no_hold(hub):
    hub.take(company.order_message("1", {"CUP": 12}))
    hub.take(scenes.change(2, cancelled_at=NOON.isoformat()))
    both = scenes.parcels()
    assert (len(both), scenes.order().status) == (2, "on_hold")

    fulfillment.stop([parcel.pk for parcel in both], reason="the channel cancelled", actor=TESTER, at=LATER)

    order = scenes.order()
    assert (order.status, order.open_holds, order.holds.filter(lifted_at=None).count()) == ("cancelled", 0, 0)
    assert scenes.books()["held"] == []
    assert scenes.kinds().count("cancelled") == 1
