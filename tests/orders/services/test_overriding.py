"""A person chooses other nodes: what it would cost, and that it never oversells."""

from datetime import timedelta
from functools import partial

import pytest

from orders.models import RoutingAttempt, RoutingDecision
from orders.services import holds, overriding
from orders.services.overriding import Refused
from tests import small_company as company
from tests.orders.services import scenes
from tests.races import race
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(minutes=1)


def unpaid(hub, number="1", units=3):
    hub.take(company.order_message(number, {"CUP": units}, paid_at=None))
    return scenes.order(number)


def options(order):
    return overriding.options(order, at=LATER, actor=TESTER)


def choose(order, *nodes, reason="the buyer asked"):
    return overriding.choose(order.pk, [node.pk for node in nodes], reason=reason, actor=TESTER, at=LATER)


def parcels(number="1"):
    return [(one.number, one.status, one.node.code) for one in scenes.parcels(number)]


def test_every_node_is_shown_with_its_cost_against_the_plan(hub):
    order = unpaid(hub)
    before = scenes.everything()
    plan, near, far = options(order)
    assert (plan.nodes, plan.verdict, plan.units_missing, plan.more) == (("SH",), "plan", 0, 0.0)
    assert (near.nodes, near.cost, near.more, near.units_missing) == (("SH",), plan.cost, 0.0, 0)
    assert (far.nodes, far.units_missing) == (("WH",), 0)
    assert far.more == pytest.approx(far.cost - plan.cost)
    assert far.more > 0
    assert scenes.everything() == before


def test_what_the_order_holds_itself_is_free_for_its_own_choices(hub):
    order = unpaid(hub, units=10)
    assert [(one.nodes, one.units_missing) for one in options(order)] == [(("SH",), 0), (("SH",), 0), (("WH",), 0)]


def test_a_node_that_lacks_units_says_how_many(hub):
    order = unpaid(hub, units=12)
    plan, *alone = options(order)
    assert (plan.nodes, plan.parcels) == (("SH", "WH"), 2)
    assert [(one.nodes, one.units_missing) for one in alone] == [(("SH",), 2), (("WH",), 2)]


def test_choosing_moves_stock_and_room_and_keeps_who_and_why(hub):
    order = unpaid(hub)
    far = next(one for one in options(order) if one.nodes == ("WH",))
    assert choose(order, hub.far) == ["JD-1-2"]
    assert parcels() == [("JD-1-1", "cancelled", "SH"), ("JD-1-2", "planned", "WH")]
    assert scenes.books()["held"] == [("CUP", "WH", 3)]
    assert [row[0] for row in scenes.books()["room"]] == ["WH"]
    decision = RoutingDecision.objects.order_by("-pk")[0]
    assert (decision.kind, decision.decided_by, decision.reason) == ("override", "person:tester", "the buyer asked")
    assert float(decision.explanation["chosen"]["more"]) == pytest.approx(far.more)


def test_a_person_may_send_it_where_it_was_refused(hub):
    order = unpaid(hub)
    RoutingAttempt.objects.create(
        order=order, node=hub.far, parcel_number="X", outcome="rejected", happened_at=NOON, told_by="x"
    )
    choose(order, hub.far)
    assert parcels()[-1] == ("JD-1-2", "planned", "WH")


@pytest.mark.parametrize(
    ("units", "reason", "why"),
    [
        pytest.param(12, "x", "These nodes cannot send all of it now: nothing was changed.", id="too few units"),
        pytest.param(3, " ", "Say why: the reason is kept with the decision.", id="no reason"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(hub, units, reason, why):
    order = unpaid(hub, units=units)
    before = scenes.everything()
    with pytest.raises(Refused) as error:
        choose(order, hub.far, reason=reason)
    assert (str(error.value), scenes.everything()) == (why, before)


@pytest.mark.parametrize("state", ["released", "held", "cancelled"])
def test_an_order_that_is_further_or_held_is_left(hub, state):
    order = unpaid(hub) if state != "released" else None
    if state == "released":
        hub.take(company.order_message("1", {"CUP": 3}))
        order = scenes.order()
    elif state == "held":
        holds.place([order.pk], reason="wait", actor=TESTER, at=NOON)
    else:
        hub.take(scenes.change(2, cancelled_at=NOON.isoformat()))
    order.refresh_from_db()
    before = scenes.everything()
    assert options(order) == []
    with pytest.raises(Refused):
        choose(order, hub.far)
    assert scenes.everything() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_want_the_last_units_one_gets_them(hub):
    orders = [unpaid(hub, "1", 4), unpaid(hub, "2", 4), unpaid(hub, "3", 5)]
    assert [parcels(n)[0][2] for n in "123"] == ["SH", "SH", "WH"]
    came = race([partial(choose, orders[0], hub.far), partial(choose, orders[1], hub.far)])
    assert sorted(isinstance(one, Refused) for one in came) == [False, True]
    assert scenes.books()["held"] == [("CUP", "SH", 4), ("CUP", "WH", 9)]
