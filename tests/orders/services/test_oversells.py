"""What was oversold is noted once, with its cause, and costs nothing while nothing is missing."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Case
from channels.models import Listing, StockPush
from inventory.models import ChannelShare, NodeDay, Reservation, SharePool, StockLevel, StockMovement
from inventory.services import movements
from inventory.services.movements import Movement
from inventory.statuses import MovementKind
from orders.models import Oversell
from orders.services import backorders, fulfillment, holds
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER


@pytest.fixture(autouse=True)
def stocked_since_yesterday(hub):
    """The units of the shop came long before anything here happens."""
    StockMovement.objects.update(moved_at=NOON - timedelta(days=1))


def minutes(n):
    return NOON + timedelta(minutes=n)


def placed(number, lines, n=-10, **facts):
    """A paid order that was placed ``n`` minutes after noon."""
    return company.order_message(number, lines, placed_at=minutes(n).isoformat(), **facts)


def push(hub, quantity, n, *, sku=None, code="CUP", changed=None):
    """The channel accepted a figure ``n`` minutes after noon; our stock had changed a minute before."""
    listing, _ = Listing.objects.get_or_create(
        channel=hub.channel, external_code=code, defaults={"sku": sku or hub.cup}
    )
    StockPush.objects.create(
        listing=listing, channel=hub.channel, quantity=quantity, accepted_at=minutes(n),
        changed_at=minutes(n - 1 if changed is None else changed),
    )  # fmt: skip


def noted():
    rows = Oversell.objects.order_by("order_id", "line_number", "pk")
    return list(rows.values_list("order__external_id", "line_number", "quantity", "cause", "told_quantity", "told_at",
                                 "stock_fell_at"))  # fmt: skip


def take_out(hub, units, n, node=None):
    """Stock leaves by hand."""
    change = Movement(f"out{n}", hub.cup.pk, (node or hub.far).pk, MovementKind.ADJUSTMENT, -units)
    movements.record([change], actor=TESTER, at=minutes(n))


def test_a_channel_that_was_never_told(hub):
    hub.take(placed("1", {"CUP": 22, "LID": 1}))
    assert noted() == [("1", 1, 2, "never_told", None, None, None)]
    [row] = Oversell.objects.all()
    assert (row.channel, row.sku, row.found_at) == (hub.channel, hub.cup, NOON)


def test_a_channel_that_sold_more_than_it_was_told(hub):
    push(hub, 20, -30)
    push(hub, 3, -20)
    push(hub, 90, -5)  # after the order
    hub.take(placed("1", {"CUP": 22}))
    assert noted() == [("1", 1, 2, "over_figure", 3, minutes(-20), None)]


def test_what_the_channel_sold_before_since_it_was_told_counts(hub):
    push(hub, 15, -20)
    hub.take(placed("0", {"CUP": 15}, -15), placed("1", {"CUP": 6}, -10))
    assert noted() == [("1", 1, 1, "over_figure", 15, minutes(-20), None)]


def test_stored_orders_count_as_sold_too(hub):
    push(hub, 15, -20)
    hub.take(placed("0", {"CUP": 15}, -15), at=minutes(-14))
    hub.take(placed("1", {"CUP": 6}, -10))
    assert noted() == [("1", 1, 1, "over_figure", 15, minutes(-20), None)]


def test_a_push_that_came_too_late(hub):
    push(hub, 20, -60)
    take_out(hub, 5, -50)
    take_out(hub, 10, -40, hub.near)
    hub.take(placed("1", {"CUP": 12}))
    assert noted() == [("1", 1, 7, "push_lag", 20, minutes(-60), minutes(-40))]


def test_stock_that_another_channel_took(hub):
    other = company.channel("DY")
    push(hub, 20, -60)
    company.receive(other, placed("9", {"CUP": 18}, -30), at=minutes(-29))
    scenes.drain(minutes(-29))
    one = scenes.parcels("9")[0]
    fulfillment.pack([one.pk], actor=TESTER, at=minutes(-28))
    fulfillment.ship({one.pk: fulfillment.Handover("SF", "1")}, actor=TESTER, at=minutes(-20))
    hub.take(placed("1", {"CUP": 3}))
    assert noted() == [("1", 1, 1, "push_lag", 20, minutes(-60), minutes(-29))]


def test_stock_that_came_back_and_fell_again(hub):
    push(hub, 20, -60)
    take_out(hub, 10, -50)
    movements.record([Movement("in", hub.cup.pk, hub.far.pk, MovementKind.RETURN, 10)], actor=TESTER, at=minutes(-45))
    take_out(hub, 9, -40)
    hub.take(placed("1", {"CUP": 12}))
    assert noted() == [("1", 1, 1, "push_lag", 20, minutes(-60), minutes(-40))]


def test_a_figure_that_nothing_explains_is_a_lag_without_moment(hub):
    push(hub, 99, -60)
    hub.take(placed("1", {"CUP": 22}))
    assert noted() == [("1", 1, 2, "push_lag", 99, minutes(-60), None)]


def test_an_order_that_waited_on_a_hold_was_not_oversold(hub):
    push(hub, 20, -60)
    hub.take(placed("1", {"CUP": 12, "GHOST": 1}))
    take_out(hub, 10, 5)
    company.stock(company.sku("GHOST"), hub.near, 1)
    holds.try_again([scenes.order().pk], actor=TESTER, at=minutes(10))
    assert (scenes.order().status, noted()) == ("backordered", [])


def test_a_bundle_is_judged_by_the_part_it_lacks(hub):
    bundle = company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    push(hub, 10, -60, sku=bundle, code="SET")
    take_out(hub, 10, -40)
    hub.take(placed("1", {"SET": 6}))
    assert noted() == [("1", 1, 1, "push_lag", 10, minutes(-60), minutes(-40))]


def test_a_listing_of_another_code_is_found_by_its_sku(hub):
    push(hub, 5, -60, code="X-1")
    hub.take(placed("1", {"CUP": 22}))
    assert noted() == [("1", 1, 2, "over_figure", 5, minutes(-60), None)]


def test_only_the_first_look_counts(hub):
    hub.take(placed("1", {"CUP": 22}))
    first = noted()
    backorders.retry(at=minutes(5))
    company.stock(hub.cup, hub.far, 1)
    backorders.retry(at=minutes(6))
    holds.place([scenes.order().pk], reason="look", actor=TESTER, at=minutes(7))
    holds.lift([scenes.order().pk], actor=TESTER, at=minutes(8))
    assert noted() == first
    assert len(first) == 1


def test_a_line_found_short_again_is_noted_once(hub):
    StockLevel.objects.filter(sku=hub.cup).update(safety_stock=10)
    hub.take(placed("1", {"CUP": 2}))
    hub.take(scenes.change(2, address=scenes.address("湖北省", "武汉市")), at=minutes(5))
    assert noted() == [("1", 1, 2, "never_told", None, None, None)]


def test_units_at_a_node_that_is_full_today_are_not_oversold(hub):
    for node in (hub.near, hub.far):
        NodeDay.objects.create(node=node, day_date="2026-11-02", capacity=1, used=1)
    hub.take(placed("1", {"CUP": 2}))
    assert (scenes.order().status, noted()) == ("backordered", [])
    NodeDay.objects.all().delete()


def test_units_that_no_node_may_bring_there_are_not_oversold(hub):
    hub.near.serves, hub.far.serves = ["31"], ["42"]
    hub.near.save()
    hub.far.save()
    hub.take(placed("1", {"CUP": 12}))
    assert (scenes.order().status, noted()) == ("backordered", [])


def test_what_is_sold_before_it_comes_is_not_oversold(hub):
    share = ChannelShare.objects.create(
        channel="JD", kind="presale", sku=hub.cup, unit="units", amount=50, ships_from_date="2026-12-01",
        status="live", created_at=NOON, created_by="x",
    )  # fmt: skip
    SharePool.objects.create(share=share, sku=hub.cup, channel="JD", opened_at=NOON)
    hub.take(placed("1", {"CUP": 22}))
    assert (scenes.order().status, noted()) == ("backordered", [])


def test_unpaid_orders_in_their_term_count_too(hub):
    hub.take(placed("1", {"CUP": 22}, paid_at=None))
    assert noted() == [("1", 1, 2, "never_told", None, None, None)]


def queries_of(hub, *messages):
    company.receive(hub.channel, *messages)
    with CaptureQueriesContext(connection) as queries:
        scenes.drain()
    return len(queries)


def test_four_questions_for_a_whole_batch_and_none_while_nothing_is_missing(hub):
    push(hub, 20, -60)
    with CaptureQueriesContext(connection) as queries:
        hub.take(placed("1", {"CUP": 1}))
    assert not [query for query in queries if "stockpush" in query["sql"] or "oversell" in query["sql"]]
    hub.take(placed("2", {"CUP": 90, "LID": 90}))
    one = queries_of(hub, placed("3", {"CUP": 90}))
    five = queries_of(hub, *(placed(f"{n}", {"CUP": 90, "LID": 90}) for n in range(4, 9)))
    assert five == one
    assert Oversell.objects.count() == 13


# -- reserved and not found --------------------------------------------------------------------------------


def test_units_that_the_node_did_not_find_are_our_own_side(hub):
    hub.take(placed("1", {"CUP": 2, "LID": 1}))
    [one] = scenes.parcels()
    moved = fulfillment.stop_unfound([one.pk], sku_ids=[hub.lid.pk], actor=TESTER, at=minutes(30))
    assert (moved.done, noted()) == (["JD-1-1"], [("1", 2, 1, "not_found", None, None, None)])
    assert [(one.status, one.node.code) for one in scenes.parcels()] == [("cancelled", "SH"), ("planned", "WH")]
    assert scenes.order().status == "backordered"
    case = Case.objects.get(kind="count_needed")
    assert (case.why["text"], case.why["values"]) == (
        "The node did not find %(skus)s of parcel %(number)s.", {"skus": "LID", "number": "JD-1-1"},
    )  # fmt: skip
    assert list(Reservation.objects.filter(status="active").values_list("reference", "node")) == [
        ("JD-1-2", hub.far.pk)
    ]


def test_a_bundle_part_that_was_not_found_counts_whole_bundles(hub):
    company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    hub.take(placed("1", {"SET": 3}))
    fulfillment.stop_unfound([scenes.parcels()[0].pk], sku_ids=[hub.cup.pk], actor=TESTER, at=minutes(30))
    assert [row[:4] for row in noted()] == [("1", 1, 3, "not_found")]


def test_a_parcel_that_has_left_cannot_be_missing_anything(hub):
    hub.take(placed("1", {"CUP": 2}))
    [one] = scenes.parcels()
    fulfillment.pack([one.pk], actor=TESTER, at=NOON)
    fulfillment.ship({one.pk: fulfillment.Handover("SF", "1")}, actor=TESTER, at=NOON)
    before = scenes.everything()
    moved = fulfillment.stop_unfound([one.pk], sku_ids=[hub.cup.pk], actor=TESTER, at=minutes(30))
    assert (list(moved.refused), noted(), scenes.everything()) == (["JD-1-1"], [], before)
    assert StockMovement.objects.filter(kind="shipment").count() == 1


@pytest.mark.parametrize("again", [1, 2])
def test_reporting_twice_notes_once(hub, again):
    hub.take(placed("1", {"CUP": 2}))
    for _ in range(again):
        fulfillment.stop_unfound([scenes.parcels()[0].pk], sku_ids=[hub.cup.pk], actor=TESTER, at=minutes(30))
    assert len(noted()) == 1
