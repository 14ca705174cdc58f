"""The joint problem weighs what the planner weighs: the same rules, the same costs, what is free and what is held."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isinf

import pytest

from inventory.rules.geography import MAINLAND
from inventory.rules.lots import Life
from orders.rules.routing.facts import Demand, Goods, Item, NodeFacts, Position, Situation
from orders.rules.routing.joining import Candidate, join
from orders.rules.routing.planner import Planner
from orders.rules.routing.policy import Group, Hard, Policy, PublishedPolicy, Weights

AT = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
USUAL = PublishedPolicy("main", 1, Policy(groups=(Group(name="all"),)))


def node(number, region, latitude, longitude, **facts):
    usual = {"serves": MAINLAND, "is_active": True, "parcels_left": 5}
    return NodeFacts(number, f"N{number}", region, latitude, longitude, **usual | facts)


SH, WH, GZ = node(1, "31", 31.2, 121.5), node(2, "42", 30.6, 114.3), node(3, "44", 23.1, 113.3)


def situation(*nodes, **facts):
    return Situation(AT, nodes or (SH, WH, GZ), **facts)


def demand(items, **facts):
    lines = tuple(Item(line, sku, units) for line, (sku, units) in enumerate(items.items(), 1))
    return Demand("O1", "31", "上海", lines, **facts)


@pytest.mark.parametrize(
    ("facts", "wanted", "policy"),
    [
        pytest.param({}, {}, USUAL, id="as it is"),
        pytest.param({"goods": {1: Goods(1800), 2: Goods(900)}}, {}, USUAL, id="by weight"),
        pytest.param({"positions": {(1, 1): Position(4.5, True), (2, 3): Position(1.0)}}, {}, USUAL, id="worth there"),
        pytest.param({}, {"deliver_by": AT + timedelta(hours=20), "attempts": 2}, USUAL, id="late, tried before"),
        pytest.param(
            {}, {}, PublishedPolicy("p", 1, Policy(groups=(Group(name="all", weights=Weights(distance=0.01)),))),
            id="other weights",
        ),
    ],
)  # fmt: skip
def test_a_whole_order_costs_at_each_node_what_the_planner_says(facts, wanted, policy):
    order = demand({1: 2, 2: 1}, **wanted)
    moment = situation(**facts)
    joined = join([Candidate(order, policy)], moment, {1: {1: 9, 2: 9, 3: 9}, 2: {1: 9, 2: 9, 3: 9}})
    wish = joined.joint.wishes[0]
    for place, one in enumerate(joined.nodes):
        alone = Planner(moment, {1: {one.node_id: 9}, 2: {one.node_id: 9}}).plan(order, policy)
        assert wish.costs[wish.shape.whole, place] == pytest.approx(alone.cost, abs=0.03)


def test_a_node_that_the_rules_are_against_costs_infinitely_much():
    shut = replace(WH, is_active=False)
    cold = {2: Goods(needs=frozenset({"cold"}))}
    order = demand({1: 1, 2: 1}, refused_by=frozenset({3}))
    wish = join([Candidate(order, USUAL)], situation(SH, shut, GZ, goods=cold), {1: {1: 1}, 2: {1: 1}}).joint.wishes[0]
    finite = {
        (content, place)
        for number, content in enumerate(wish.shape.contents)
        for place in range(3)
        if not isinf(wish.costs[number, place])
    }
    assert finite == {((1, 0), 0)}


def test_what_an_order_holds_is_added_to_what_is_free():
    full = replace(SH, parcels_left=0)
    kept = {1: {7: 2}}
    joined = join([Candidate(demand({7: 2}), USUAL, kept=kept)], situation(full, WH), {7: {2: 5}})
    assert dict(joined.joint.stock) == {(7, 0): 2, (7, 1): 5}
    assert joined.joint.room == [1, 5]
    assert joined.shares(0, joined.joint.wishes[0].kept) == kept


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        pytest.param(Candidate(demand({7: 1}, lives={7: Life(AT.date())}), USUAL), "lots", id="goods in lots"),
        pytest.param(Candidate(demand(dict.fromkeys(range(12), 1)), USUAL), "lines", id="very many lines"),
        pytest.param(Candidate(demand({7: 1}), PublishedPolicy("p", 1, Policy(groups=()))), "no_group", id="no group"),
        pytest.param(
            Candidate(demand({7: 1}, refused_by=frozenset({1})), USUAL, kept={1: {7: 1}}), "elsewhere",
            id="its node may not send it any more",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_together_is_left_out_and_said(candidate, why):
    joined = join([candidate], situation(), {7: {2: 5}})
    assert (joined.joint.wishes, dict(joined.left_out)) == ([], {"O1": why})
    assert (dict(joined.joint.stock), joined.joint.room) == ({(7, 1): 5}, [5, 5, 5])


def test_the_group_that_decided_before_decides_again():
    near = Group(name="near", hard=Hard(most_km=100))
    policy = PublishedPolicy("p", 1, Policy(groups=(near, Group(name="all"))))
    stock = {7: {1: 1, 2: 1, 3: 1}}
    first = join([Candidate(demand({7: 1}), policy)], situation(), stock).joint.wishes[0]
    second = join([Candidate(demand({7: 1}), policy, group="all")], situation(), stock).joint.wishes[0]
    assert [isinf(cost) for cost in first.costs[0]] == [False, True, True]
    assert [isinf(cost) for cost in second.costs[0]] == [False, False, False]
