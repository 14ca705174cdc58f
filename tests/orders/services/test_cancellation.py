"""Cancelling: everything goes back while no node has the parcel, and nothing moves once one has."""

from datetime import timedelta

import pytest

from audit.models import Case
from inventory.models import Node
from orders.models import Order
from orders.services import cancellation, fulfillment, holds
from orders.services.fulfillment import Handover
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import address, change
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(hours=1)


def cancel(*external_ids, reason="changed their mind", at=LATER):
    ids = [scenes.order(one).pk for one in external_ids or ("1",)]
    return cancellation.cancel(ids, reason=reason, actor=TESTER, at=at)


def test_cancelling_gives_stock_and_room_back_exactly(hub):
    before = scenes.books()
    hub.take(company.order_message("1", {"CUP": 12, "LID": 3}, paid_at=None))
    assert scenes.books()["held"] == [("CUP", "SH", 10), ("CUP", "WH", 2), ("LID", "SH", 3)]
    assert scenes.books()["room"] == [("SH", NOON.date(), 1), ("WH", NOON.date(), 1)]

    outcome = cancel()

    assert (outcome.done, outcome.refused) == (["JD-1"], {})
    assert scenes.books() == before
    order = scenes.order()
    assert (order.status, order.goods_state, order.cancelled_at, order.cancel_reason) == (
        "cancelled", "cancelled", LATER, "changed their mind",
    )  # fmt: skip
    assert [parcel.status for parcel in scenes.parcels()] == ["cancelled", "cancelled"]
    assert list(order.lines.values_list("quantity_allocated", flat=True)) == [0, 0]
    assert order.reserved_until is None
    assert scenes.kinds()[-1] == "cancelled"


def test_the_room_goes_back_to_the_day_it_was_taken_from(hub):
    hub.take(company.order_message("1", {"CUP": 1}, paid_at=None))
    cancel(at=NOON + timedelta(days=3))
    assert scenes.books()["room"] == []


@pytest.mark.parametrize("stage", ["released", "picking", "packed", "shipped"])
def test_once_a_node_has_the_parcel_cancelling_is_refused_and_nothing_changes(hub, stage):
    hub.take(company.order_message("1", {"CUP": 2}))
    parcel = scenes.parcels()[0]
    if stage != "released":
        fulfillment.pick([parcel.pk], actor=TESTER, at=NOON)
    if stage in ("packed", "shipped"):
        fulfillment.pack([parcel.pk], actor=TESTER, at=NOON)
    if stage == "shipped":
        fulfillment.ship({parcel.pk: Handover("SF", "SF1")}, actor=TESTER, at=NOON)
    before = scenes.everything()

    outcome = cancel()

    assert outcome.done == []
    assert {number: str(why) for number, why in outcome.refused.items()} == {
        "JD-1": "A node already has the parcel: stop it there first."
    }
    assert scenes.everything() == before


def test_of_many_those_that_can_be_cancelled_are(hub):
    hub.take(company.order_message("1", {"CUP": 1}), company.order_message("2", {"CUP": 1}, paid_at=None))
    outcome = cancel("1", "2")
    assert (outcome.done, list(outcome.refused)) == (["JD-2"], ["JD-1"])
    assert scenes.order("1").status == "released"
    assert scenes.books()["held"] == [("CUP", "SH", 1)]


def test_cancelling_again_is_refused_and_changes_nothing(hub):
    hub.take(company.order_message("1", {"CUP": 1}, paid_at=None))
    cancel()
    before = scenes.everything()
    outcome = cancel()
    assert str(outcome.refused["JD-1"]) == "The order is cancelled already."
    assert scenes.everything() == before


def test_cancelling_lifts_the_holds_and_closes_their_cases(hub):
    hub.take(company.order_message("1", {"GHOST": 1}))
    holds.place([scenes.order().pk], reason="look at it", actor=TESTER, at=NOON)
    assert set(Case.objects.values_list("kind", "status")) == {("unknown_sku", "open"), ("manual", "open")}
    cancel()
    order = scenes.order()
    assert (order.status, order.open_holds) == ("cancelled", 0)
    assert not order.holds.filter(lifted_at__isnull=True).exists()
    assert set(Case.objects.values_list("kind", "status")) == {("unknown_sku", "resolved"), ("manual", "resolved")}


def test_cancelling_a_backorder_closes_its_case(hub):
    hub.take(company.order_message("1", {"CUP": 25}))
    assert Case.objects.get().status == "open"
    cancel()
    assert Case.objects.get().status == "resolved"
    assert scenes.books()["held"] == []


def test_a_cancelled_order_stays_cancelled_whatever_comes(hub):
    hub.take(company.order_message("1", {"CUP": 1}, paid_at=None))
    cancel()
    hub.take(
        company.order_message("1", {"CUP": 3}, revision=9, must_not_ship="wait", address=address("Atlantis", "")),
        change(10, paid_at=NOON.isoformat()),
    )
    assert (scenes.outcome("1", 9), scenes.outcome("1", 10, "change")) == (("done", ""), ("done", ""))
    holds.try_again([scenes.order().pk], actor=TESTER, at=LATER)
    order = scenes.order()
    assert (order.status, order.money_state, order.open_holds) == ("cancelled", "paid", 0)
    assert scenes.books()["held"] == []
    assert Case.objects.filter(status="open").count() == 0


def test_the_units_of_a_cancelled_order_go_to_the_next_in_line(hub):
    Node.objects.filter(pk=hub.far.pk).update(is_active=False)
    hub.take(company.order_message("1", {"CUP": 10}, paid_at=None), company.order_message("2", {"CUP": 10}))
    assert scenes.order("2").status == "backordered"
    cancel("1")
    holds.try_again([scenes.order("2").pk], actor=TESTER, at=LATER)
    assert scenes.order("2").status == "released"
    assert Case.objects.get(subject="JD-2").status == "resolved"
    assert Order.objects.filter(status="cancelled").count() == 1
