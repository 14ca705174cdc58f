"""Routing again: what a node does not send, others do, and nothing goes round in circles."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Case
from channels.models import OutboundMessage
from inventory.models import Node
from orders.models import Fulfillment, NodeStanding, RoutingAttempt, RoutingDecision
from orders.services import cancellation, claiming, fulfillment, holds, rerouting
from orders.services.rerouting import Failure
from orders.statuses import AttemptOutcome
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(hours=1)


def reject(*numbers, reason="no hands", at=LATER, **more):
    ids = Fulfillment.objects.filter(number__in=numbers).values_list("pk", flat=True)
    return fulfillment.reject(list(ids), reason=reason, actor=TESTER, at=at, **more)


def parcels(external_id="1"):
    return [(one.number, one.status, one.node.code) for one in scenes.parcels(external_id)]


def tried():
    rows = RoutingAttempt.objects.order_by("pk")
    return list(rows.values_list("parcel_number", "node__code", "outcome", "reason", "told_by"))


def hurry(node, minutes=20):
    node.claim_minutes = minutes
    node.save()


# -- a node refuses -------------------------------------------------------------------------------------------


def test_a_refused_parcel_goes_to_another_node_at_once(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    assert reject("JD-1-1").done == ["JD-1-1"]
    assert parcels() == [("JD-1-1", "cancelled", "SH"), ("JD-1-2", "released", "WH")]
    assert tried() == [("JD-1-1", "SH", "rejected", "no hands", "person:tester")]
    order = scenes.order()
    assert (order.status, order.open_holds, order.lines.get().quantity_allocated) == ("released", 0, 3)
    assert scenes.books()["held"] == [("CUP", "WH", 3)]
    assert [room[0] for room in scenes.books()["room"]] == ["WH"]
    assert Case.objects.count() == 0


def test_the_decision_says_that_it_was_made_again_and_what_the_order_costs(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    Fulfillment.objects.update(planned_cost=Decimal("7.50"))
    reject("JD-1-1")
    first, again = RoutingDecision.objects.order_by("pk")
    assert (first.kind, again.kind, again.decided_by, again.reason) == (
        "online", "reroute", "person:tester", "no hands",
    )  # fmt: skip
    told = again.explanation["again"]
    assert (told["outcome"], told["parcels"], told["cost_before"]) == ("rejected", [["JD-1-1", "SH"]], "7.50")
    after = scenes.parcels()[1].planned_cost
    assert told["cost_after"] == (None if after is None else str(after))
    assert [code for code, *_rest in again.explanation["parcels"]] == ["WH"]


def test_the_timeline_names_node_parcel_and_reason(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    reject("JD-1-1")
    event = scenes.order().events.get(kind="changed")
    assert event.detail == {
        "text": "%(node)s does not send parcel %(number)s: %(reason)s",
        "values": {"node": "SH", "number": "JD-1-1", "reason": "no hands"},
    }


def test_an_order_never_returns_to_a_node_that_refused_it(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    reject("JD-1-1")
    reject("JD-1-2", reason="closed")
    assert [status for _number, status, _node in parcels()] == ["cancelled", "cancelled"]
    order = scenes.order()
    assert order.lines.get().quantity_allocated == 0
    assert order.status in ("backordered", "on_hold")
    assert (scenes.books()["held"], scenes.books()["room"]) == ([], [])
    case = Case.objects.get(status="open")
    assert case.why["text"] == "%(why)s Tried in vain: %(nodes)s."
    assert case.why["values"]["nodes"] == "SH, WH"
    holds.try_again([order.pk], actor=TESTER, at=LATER)
    assert len(parcels()) == 2


def test_a_person_lets_a_node_try_again(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    reject("JD-1-1")
    reject("JD-1-2")
    attempt = RoutingAttempt.objects.get(node=hub.near)
    assert rerouting.forgive([attempt.pk], actor=TESTER, at=LATER) == 1
    holds.try_again([scenes.order().pk], actor=TESTER, at=LATER)
    assert parcels()[-1] == ("JD-1-3", "released", "SH")
    attempt.refresh_from_db()
    assert (attempt.forgiven_at, attempt.forgiven_by) == (LATER, "person:tester")
    assert rerouting.forgive([attempt.pk], actor=TESTER, at=LATER) == 0
    assert Case.objects.filter(status="open").count() == 0


def test_of_two_parcels_only_the_refused_one_moves(hub):
    third = company.node("GZ", "44")
    company.stock(hub.cup, third, 10)
    hub.take(company.order_message("1", {"CUP": 12}))
    first, second = scenes.parcels()
    fulfillment.pick([first.pk], actor=TESTER, at=NOON)
    reject(second.number)
    assert parcels() == [("JD-1-1", "picking", "SH"), ("JD-1-2", "cancelled", "WH"), ("JD-1-3", "released", "GZ")]
    assert scenes.order().lines.get().quantity_allocated == 12


def test_after_so_many_failures_only_a_person_routes_on(hub, settings):
    settings.ROUTING_MOST_FAILURES = 2
    third = company.node("GZ", "44")
    company.stock(hub.cup, third, 10)
    hub.take(company.order_message("1", {"CUP": 3}))
    reject("JD-1-1")
    reject("JD-1-2")
    assert [status for _number, status, _node in parcels()] == ["cancelled", "cancelled"]
    order = scenes.order()
    assert (order.status, list(order.holds.values_list("kind", flat=True))) == ("on_hold", ["no_node"])
    case = Case.objects.get(status="open")
    assert case.why["values"] == {"count": 2, "nodes": "SH, WH", "reason": "no hands"}
    assert scenes.books()["held"] == []
    holds.try_again([order.pk], actor=TESTER, at=LATER)
    assert parcels()[-1] == ("JD-1-3", "released", "GZ")


@pytest.mark.parametrize("state", ["planned", "shipped", "cancelled"])
def test_only_a_parcel_that_a_node_has_can_be_refused(hub, state):
    hub.take(company.order_message("1", {"CUP": 3}, **({"paid_at": None} if state == "planned" else {})))
    [one] = scenes.parcels()
    if state == "shipped":
        fulfillment.pack([one.pk], actor=TESTER, at=NOON)
        fulfillment.ship({one.pk: fulfillment.Handover("SF", "1")}, actor=TESTER, at=NOON)
    elif state == "cancelled":
        fulfillment.stop([one.pk], reason="x", actor=TESTER, at=NOON)
    before, standing = scenes.everything(), list(NodeStanding.objects.values())
    assert scenes.parcels()[0].status == state
    assert list(reject("JD-1-1").refused) == ["JD-1-1"]
    assert (scenes.everything(), list(NodeStanding.objects.values()), tried()) == (before, standing, [])


def test_an_order_that_a_person_holds_is_taken_back_and_waits(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    holds.place([scenes.order().pk], reason="wait", actor=TESTER, at=NOON)
    reject("JD-1-1")
    assert (parcels(), scenes.order().status) == ([("JD-1-1", "cancelled", "SH")], "on_hold")
    holds.lift([scenes.order().pk], actor=TESTER, at=LATER)
    assert parcels()[-1] == ("JD-1-2", "released", "WH")


def test_an_order_whose_cancel_was_asked_for_ends_with_its_refused_parcel(hub):
    before = scenes.books()
    hub.take(company.order_message("1", {"CUP": 3}))
    hub.take(scenes.change(2, cancelled_at=LATER.isoformat()))
    reject("JD-1-1")
    assert (scenes.order().status, scenes.books()) == ("cancelled", before)
    assert len(parcels()) == 1


# -- standing -------------------------------------------------------------------------------------------------


def test_refusals_take_from_a_nodes_standing_and_sent_parcels_give_back(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    reject("JD-1-1")
    near = NodeStanding.objects.get(node=hub.near)
    assert (near.score, near.refused, near.accepted, near.changed_at) == (pytest.approx(0.85), 1, 0, LATER)
    hub.take(company.order_message("2", {"CUP": 1, "LID": 1}))
    [one] = scenes.parcels("2")
    fulfillment.pack([one.pk], actor=TESTER, at=LATER)
    fulfillment.ship({one.pk: fulfillment.Handover("SF", "1")}, actor=TESTER, at=LATER + timedelta(hours=72))
    near.refresh_from_db()
    assert (near.score, near.refused, near.accepted) == (pytest.approx(1 - 0.075 * 0.95), 1, 1)


# -- the claim window -----------------------------------------------------------------------------------------


def test_a_node_that_must_begin_in_time_is_told_until_when(hub):
    hurry(hub.near)
    hub.take(company.order_message("1", {"CUP": 3}), company.order_message("2", {"CUP": 8}))
    assert scenes.parcels("1")[0].claim_by == NOON + timedelta(minutes=20)
    assert [one.claim_by for one in scenes.parcels("2") if one.node == hub.far] == [None]


def test_what_was_not_begun_in_time_goes_to_another_node(hub):
    hurry(hub.near)
    hub.take(company.order_message("1", {"CUP": 3}), company.order_message("2", {"CUP": 2}))
    fulfillment.pick([scenes.parcels("2")[0].pk], actor=TESTER, at=NOON)
    assert claiming.claim_back(at=NOON + timedelta(minutes=19)) == 0
    assert claiming.claim_back(at=NOON + timedelta(minutes=20)) == 1
    assert parcels("1") == [("JD-1-1", "cancelled", "SH"), ("JD-1-2", "released", "WH")]
    assert parcels("2") == [("JD-2-1", "picking", "SH")]
    assert tried() == [("JD-1-1", "SH", "timed_out", "not begun in time", "job:claims")]
    assert claiming.claim_back(at=LATER) == 0


def test_the_time_of_an_order_on_hold_starts_again(hub):
    hurry(hub.near)
    hub.take(company.order_message("1", {"CUP": 3}))
    holds.place([scenes.order().pk], reason="wait", actor=TESTER, at=NOON)
    assert claiming.claim_back(at=LATER) == 0
    [one] = scenes.parcels()
    assert (one.status, one.claim_by) == ("released", LATER + timedelta(minutes=20))


def test_a_system_that_let_its_time_pass_is_told_to_stop(hub):
    system = company.channel("WMS", options={"nodes": ["SH"]})
    hurry(hub.near)
    hub.take(company.order_message("1", {"CUP": 3}))
    claiming.claim_back(at=LATER)
    told = OutboundMessage.objects.filter(channel=system).order_by("pk").values_list("key", flat=True)
    assert list(told) == ["parcel-request:JD-1-1", "parcel-cancel:JD-1-1"]


# -- short picks ----------------------------------------------------------------------------------------------


def test_what_a_node_does_not_find_another_one_sends_and_the_node_counts(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    fulfillment.stop_unfound([scenes.parcels()[0].pk], sku_ids=[hub.cup.pk], actor=TESTER, at=LATER)
    assert parcels() == [("JD-1-1", "cancelled", "SH"), ("JD-1-2", "released", "WH")]
    assert tried() == [("JD-1-1", "SH", "short_pick", "not found: CUP", "person:tester")]
    case = Case.objects.get(status="open")
    assert (case.kind, case.subject, scenes.order().open_holds) == ("count_needed", "JD-1-1", 0)


# -- planned parcels ------------------------------------------------------------------------------------------


def test_a_planned_parcel_is_planned_anew_without_blaming_its_node(hub):
    hub.take(company.order_message("1", {"CUP": 3}, paid_at=None))
    assert parcels() == [("JD-1-1", "planned", "SH")]
    Node.objects.filter(pk=hub.near.pk).update(is_active=False)
    moved = rerouting.reroute([scenes.parcels()[0].pk], Failure(None, "storm"), actor=TESTER, at=NOON)
    assert (moved.complete, moved.lacking, moved.refused) == (["JD-1"], [], {})
    assert (parcels()[-1], tried()) == (("JD-1-2", "planned", "WH"), [])
    assert not NodeStanding.objects.exists()


def test_a_parcel_that_was_begun_stays(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    [one] = scenes.parcels()
    fulfillment.pick([one.pk], actor=TESTER, at=NOON)
    before = scenes.everything()
    moved = rerouting.reroute([one.pk], Failure(AttemptOutcome.NODE_DOWN, "fire"), actor=TESTER, at=LATER)
    assert (list(moved.refused), scenes.everything(), tried()) == (["JD-1-1"], before, [])


def test_a_cancelled_order_is_not_routed_again(hub):
    hub.take(company.order_message("1", {"CUP": 3}, paid_at=None))
    [one] = scenes.parcels()
    cancellation.cancel([scenes.order().pk], reason="x", actor=TESTER, at=NOON)
    before = scenes.everything()
    moved = rerouting.reroute([one.pk], Failure(None, "storm"), actor=TESTER, at=LATER)
    assert (list(moved.refused), scenes.everything()) == (["JD-1-1"], before)


def test_as_many_queries_for_twenty_parcels_as_for_one(hub):
    company.stock(hub.cup, hub.near, 50)
    company.stock(hub.cup, hub.far, 60)
    hub.take(*(company.order_message(str(n), {"CUP": 2}) for n in range(1, 23)))
    numbers = list(Fulfillment.objects.order_by("pk").values_list("number", flat=True))
    reject(numbers[0])  # from now on the node has a standing
    with CaptureQueriesContext(connection) as one:
        reject(numbers[1])
    with CaptureQueriesContext(connection) as twenty:
        assert len(reject(*numbers[2:]).done) == 20
    assert len(twenty) == len(one)
