"""Orders of goods with lots: each channel gets what keeps long enough for it, from whichever node has that."""

import pytest

from audit.models import Case
from audit.models.sentences import render
from inventory.models import ReservationLot
from inventory.services import lot_repair
from orders.services import fulfillment
from tests import small_company as company
from tests.inventory import dated
from tests.inventory.dated import after, lying
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER


@pytest.fixture
def milk(hub):
    """Ten units keep five days at SH, three keep sixty at WH; the channel JD asks for thirty days."""
    row = dated.milk()
    dated.put(dated.lot(row, "SHORT", after(5)), hub.near, 10)
    dated.put(dated.lot(row, "LONG", after(60)), hub.far, 3)
    dated.ask_for("JD", 30)
    return row


def lots_of(external_id):
    numbers = [parcel.number for parcel in scenes.parcels(external_id)]
    rows = ReservationLot.objects.filter(reservation__reference__in=numbers).order_by("pk")
    return list(rows.values_list("reservation__node__code", "lot__code", "quantity"))


def test_an_order_goes_to_the_node_whose_lots_keep_long_enough(hub, milk):
    hub.take(company.order_message("1", {"MILK": 2}))
    assert lots_of("1") == [("WH", "LONG", 2)]


def test_another_channel_takes_what_expires_first(hub, milk):
    shop = company.channel("POS")
    company.receive(shop, company.order_message("1", {"MILK": 2}))
    scenes.drain()
    assert lots_of("1") == [("SH", "SHORT", 2)]


def test_an_order_beyond_the_fit_lots_waits_and_says_why(hub, milk):
    hub.take(company.order_message("1", {"MILK": 5}))
    assert lots_of("1") == [("WH", "LONG", 3)]
    assert scenes.order().status == "backordered"
    case = Case.objects.get(kind="backordered")
    assert render(case.why) == "2 units are in stock, but do not keep long enough for this channel."


def test_shipping_sends_exactly_the_reserved_lots(hub, milk):
    hub.take(company.order_message("1", {"MILK": 2}))
    [parcel] = scenes.parcels("1")
    fulfillment.pick([parcel.pk], actor=TESTER, at=NOON)
    fulfillment.pack([parcel.pk], actor=TESTER, at=NOON)
    fulfillment.ship({parcel.pk: fulfillment.Handover("SF", "1")}, actor=TESTER, at=NOON)
    assert lying(milk, hub.far) == {"LONG": (1, 0, 0)}


def test_a_mixed_order_and_a_sku_that_began_to_have_lots(hub, milk):
    lot_repair.start(hub.cup.pk, reason="food", actor=TESTER, at=NOON)
    hub.take(company.order_message("1", {"MILK": 1, "LID": 2}), company.order_message("2", {"CUP": 1}))
    assert lots_of("1") == [("WH", "LONG", 1)]
    # cups are undated: nobody knows how long they keep, and JD asks for thirty days
    assert (lots_of("2"), scenes.order("2").status) == ([], "backordered")
