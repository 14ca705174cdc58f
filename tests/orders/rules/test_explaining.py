"""Why these nodes, in words: what is said is what the planner reckoned with."""

import json
from datetime import UTC, date, datetime

import pytest

from orders.rules import explaining, reasons
from orders.rules.routing.facts import CarrierOption, Demand, Disruption, Goods, Item, NodeFacts, Position, Situation
from orders.rules.routing.planner import Planner
from orders.rules.routing.plans import Plan
from orders.rules.routing.policy import BUILT_IN, Group, Hard, Policy, PublishedPolicy

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
PLACES = {"SH": ("31", 31.23, 121.47), "WH": ("42", 30.59, 114.31), "GZ": ("44", 23.13, 113.26)}
CUP, LID = 1, 2
EXPRESS_CO = CarrierOption("SF", 1000, 12.0, 1000, 2.0, 24, 48)


def node(number: int, code: str, **facts) -> NodeFacts:
    region, latitude, longitude = PLACES[code]
    usual = {"is_active": True, "parcels_left": 100, "serves": frozenset({"31", "44"})}
    return NodeFacts(number, code, region, latitude, longitude, **usual | facts)


def planned(stock: dict, *, items=((CUP, 2),), policy: PublishedPolicy = BUILT_IN, nodes=None, **moment) -> Plan:
    situation = Situation(
        NOON, tuple(nodes or (node(1, "SH"), node(2, "WH"))), goods={CUP: Goods(), LID: Goods()}, **moment
    )
    demand = Demand("A", "31", "上海", tuple(Item(number, sku, units) for number, (sku, units) in enumerate(items, 1)))
    return Planner(situation, stock).plan(demand, policy)


def told(plan: Plan) -> dict:
    return json.loads(json.dumps(reasons.of(plan)))


def said(plan: Plan) -> list[str]:
    return [str(one) for one in explaining.sentences(told(plan))]


def test_one_parcel_says_who_what_it_costs_and_who_came_second():
    plan = planned({CUP: {1: 5, 2: 5}})
    assert (plan.cost, plan.runner_up.nodes, plan.runner_up.cost) == (7.0, ("WH",), 9.75)
    assert said(plan) == [
        "SH sends all: 2 units (0 km, ¥7.00), there from 2026-11-03 to 2026-11-03.",
        "The cost of ¥7.00 is freight ¥4.00, picking ¥3.00.",
        "Runner-up WH: ¥9.75, ¥2.75 more.",
    ]


def test_with_tariffs_the_carrier_is_named():
    plan = planned({CUP: {1: 5}}, carriers={("", ""): (EXPRESS_CO,)})
    assert said(plan)[:2] == [
        "SH sends all with SF: 2 units (0 km, ¥15.00), there from 2026-11-03 to 2026-11-04.",
        "The cost of ¥15.00 is freight ¥12.00, picking ¥3.00.",
    ]


def test_a_split_says_its_shares_its_price_and_what_would_have_kept_it_together():
    plan = planned({CUP: {1: 2}, LID: {2: 1}}, items=((CUP, 2), (LID, 1)))
    alone = {one.node_code: one.cost for one in plan.candidates}
    assert (plan.cost, alone) == (22.75, {"SH": 8.0, "WH": 10.75})
    assert said(plan) == [
        "In 2 parcels: SH sends 2 units (0 km, ¥7.00), WH sends 1 unit (687 km, ¥9.75).",
        "The cost of ¥22.75 is freight ¥10.75, picking ¥6.00, splitting ¥6.00.",
        "With 1 unit more at SH: ¥14.75 cheaper, one parcel.",
        "With 2 units more at WH: ¥12.00 cheaper, one parcel.",
    ]


def test_what_would_have_changed_it_comes_true_when_it_is_changed():
    plan = planned({CUP: {2: 5}})
    [change] = [words for words in said(plan) if words.startswith("With ")]
    assert change == "With 2 units more at SH: ¥2.75 cheaper, one parcel."
    changed = planned({CUP: {1: 2, 2: 5}})
    assert ([one.node_code for one in changed.parcels], round(plan.cost - changed.cost, 2)) == (["SH"], 2.75)


def test_room_that_is_missing_is_said():
    plan = planned({CUP: {1: 5, 2: 5}}, nodes=(node(1, "SH", parcels_left=0), node(2, "WH")))
    assert said(plan)[-1] == "With room for one more parcel at SH: ¥0.75 cheaper, one parcel."


def test_a_shortage_says_what_there_is_and_what_is_missing():
    assert said(planned({CUP: {1: 1}}))[:2] == [
        "SH sends what there is: 1 unit (0 km, ¥7.00).", "1 unit cannot be sent by any node now.",
    ]  # fmt: skip
    assert said(planned({CUP: {}})) == ["2 units cannot be sent by any node now."]


def test_groups_that_were_passed_over_are_named():
    policy = PublishedPolicy("main", 3, Policy(groups=(
        Group(name="near only", hard=Hard(most_km=100)), Group(name="all"),
    )))  # fmt: skip
    plan = planned({CUP: {2: 5}}, policy=policy)
    assert plan.group == "all"
    assert "Passed over, because something would be missing: “near only”." in said(plan)


def test_every_candidate_stands_with_its_verdict_and_the_cheapest_with_their_terms():
    storm = Disruption("rain", "Rain", "blocks", node_ids=frozenset({2}))
    nodes = (node(1, "SH"), node(2, "WH"), node(3, "GZ", serves=frozenset({"44"})))
    plan = planned({CUP: {1: 5, 2: 5}}, nodes=nodes, disruptions=(storm,), positions={(CUP, 1): Position(1.5, True)})
    rows = explaining.candidates(told(plan))
    assert [(one.code, one.verdict, one.km, one.cost) for one in rows] == [
        ("SH", "chosen", 0, 8.0), ("GZ", "not_serving", None, None), ("WH", "disrupted", None, None),
    ]  # fmt: skip
    assert rows[0].terms == {"freight": 4.0, "pick": 3.0, "balance": 3.0, "markdown": -2.0}
    assert rows[2].detail == {"disruptions": [["rain", "Rain"]]}
    assert all(one.verdict in explaining.VERDICTS for one in rows)


def test_the_cost_told_of_each_candidate_is_the_planners():
    nodes = tuple(node(number, code, standing=0.5) for number, code in enumerate(PLACES, 1))
    plan = planned({CUP: {1: 1, 2: 2, 3: 9}}, nodes=nodes, positions={(CUP, 3): Position(0.25)})
    mine = {one.code: one.cost for one in explaining.candidates(told(plan))}
    assert mine == {one.node_code: pytest.approx(one.cost, abs=0.011) for one in plan.candidates}


def test_a_decision_made_again_says_what_the_whole_order_costs_before_and_after():
    again = told(planned({CUP: {1: 5}})) | {"again": {"cost_before": "7.00", "cost_after": "9.75"}}
    assert str(explaining.sentences(again)[-1]) == "The whole order cost ¥7.00 before and costs ¥9.75 now."


def test_decisions_of_the_first_router_are_still_told():
    old = {"parcels": [["SH", 0.0, 3.0, 3]], "missing": [], "able": [["SH", 0, 3.0], ["WH", 687, 5.75]],
           "short": [["GZ", 1200, 1]], "full": ["X"], "not_serving": ["Y"], "inactive": ["Z"]}  # fmt: skip
    assert [str(one) for one in explaining.sentences(old)] == [
        "SH sends all: 3 units, nearest node with everything (0 km, ¥3.00).", "Runner-up WH: 687 km, ¥5.75.",
    ]  # fmt: skip
    assert [(one.code, one.verdict) for one in explaining.candidates(old)] == [
        ("SH", "chosen"), ("WH", "able"), ("GZ", "short"), ("X", "full"), ("Y", "not_serving"), ("Z", "inactive"),
    ]  # fmt: skip
    assert reasons.verdicts(old) == {
        "SH": "able", "WH": "able", "GZ": "short", "X": "full", "Y": "not_serving", "Z": "inactive",
    }  # fmt: skip


def test_days_are_told_as_the_plan_has_them():
    plan = planned({CUP: {1: 5}})
    [parcel] = plan.parcels
    assert (parcel.arrives_from, parcel.arrives_until) == (date(2026, 11, 3), date(2026, 11, 3))
    assert told(plan)["parcels"][0][5:7] == ["2026-11-03", "2026-11-03"]


def test_what_moved_an_order_afterwards_is_told():
    plain = told(planned({CUP: {1: 5, 2: 5}}))
    batch = {"from": ["WH"], "cost_before": 12.5, "cost_after": 9.25, "together": 40, "alone": [["GZ"], 9.0]}
    chosen = {"cost_plan": "9.00", "cost": "11.50", "more": "2.50"}
    assert [str(one) for one in explaining.sentences(plain | {"batch": batch, "chosen": chosen})][-3:] == [
        "Moved from WH, planned together with others: ¥9.25 instead of ¥12.50.",
        "Alone it would go from GZ for ¥9.00.",
        "A person chose these nodes: ¥11.50 instead of ¥9.00 by the plan.",
    ]
