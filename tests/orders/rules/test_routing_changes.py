"""What would have changed a decision."""

from datetime import timedelta

import pytest

from orders.rules.routing.changes import Change
from orders.rules.routing.facts import CarrierOption
from orders.rules.routing.policy import Group, Hard, Weights
from tests.orders.rules.routing_company import AT, IDS, A, B, demand, everywhere, node, plan, policy, stock

SH_AND_WH = [node("SH"), node("WH")]


def test_with_two_more_units_the_nearer_node_would_have_sent_it():
    answer = plan(demand((A, 3)), SH_AND_WH, stock(SH={A: 1}, WH={A: 3}), policy())
    assert answer.changes == (
        Change("units", ("SH",), 2.75, lacks=((A, 2),)),
        Change("price", ("SH", "WH"), -12.0, parcels=2),
    )
    assert answer.changes[0].units == 2


def test_a_split_tells_what_would_have_made_one_parcel_of_it():
    answer = plan(demand((A, 1), (B, 1)), SH_AND_WH, stock(SH={A: 1}, WH={B: 1}), policy(split=6.0))
    assert answer.changes == (
        Change("units", ("SH",), 15.75, lacks=((B, 1),)),
        Change("units", ("WH",), 13.0, lacks=((A, 1),)),
    )


@pytest.mark.parametrize(
    ("facts", "wanted", "hard", "kind"),
    [
        pytest.param({"parcels_left": 0}, {}, {}, "room", id="no room"),
        pytest.param({}, {"refused_by": frozenset({IDS["SH"]})}, {}, "refused", id="refused before"),
        pytest.param(
            {"backlog": 9, "parcels_per_hour": 1}, {}, {"most_backlog_hours": 8.0}, "backlog", id="too much waits"
        ),
    ],
)
def test_one_thing_stood_between_the_nearer_node_and_the_order(facts, wanted, hard, kind):
    published = policy(Group(name="all", hard=Hard(**hard), weights=Weights(load=0.0)))
    held = stock(SH={A: 1}, WH={A: 1})
    answer = plan(demand((A, 1), **wanted), [node("SH", **facts), node("WH")], held, published)
    assert answer.changes == (Change(kind, ("SH",), 2.75),)


def test_two_obstacles_at_one_node_are_not_told():
    nodes = [node("SH", parcels_left=0), node("WH")]
    assert plan(demand((A, 2)), nodes, stock(SH={A: 1}, WH={A: 2}), policy()).changes == ()


CARRIERS = everywhere(CarrierOption("SF", 1000, 8.0, 1000, 2.0, 20.0, 20.0))


@pytest.mark.parametrize(
    ("hard", "changes"),
    [
        pytest.param(
            {}, (Change("cut_off", ("SH",), 3.0), Change("price", ("SH",), -8.5)), id="it would have left tomorrow"
        ),
        pytest.param({"before_cut_off_only": True}, (Change("cut_off", ("SH",), 3.0),), id="it was passed over"),
    ],
)
def test_before_its_cut_off_the_node_would_have_won(hard, changes):
    # Ten o'clock: SH's cut-off was at nine, WH picks dearer. Due in twenty hours, so 23 hours late at half a yuan.
    published = policy(Group(name="all", hard=Hard(**hard), weights=Weights(late=0.5)))
    nodes = [node("SH", cut_off_minute=540), node("WH", pick_cost=6.0)]
    wanted = demand((A, 1), deliver_by=AT + timedelta(hours=20))
    answer = plan(wanted, nodes, stock(SH={A: 1}, WH={A: 1}), published, carriers=CARRIERS)
    assert [parcel.node_code for parcel in answer.parcels] == ["WH"]
    assert answer.changes == changes


def test_of_an_order_that_is_not_complete_those_that_lack_least_are_told():
    answer = plan(demand((A, 9)), SH_AND_WH, stock(SH={A: 2}, WH={A: 3}), policy())
    assert answer.changes == (
        Change("units", ("WH",), None, lacks=((A, 6),)),
        Change("units", ("SH",), None, lacks=((A, 7),)),
    )


def test_nothing_would_have_changed_what_is_already_the_best():
    assert plan(demand((A, 1)), [node("SH")], stock(SH={A: 1}), policy()).changes == ()
