"""Who sends what by a policy: named cases, groups, and many orders one after the other."""

from datetime import timedelta
from decimal import Decimal

import pytest

from orders.rules.routing.planner import plan_all
from orders.rules.routing.policy import BUILT_IN, PRESETS, Group, Hard, Policy, PublishedPolicy, When
from tests.orders.rules.routing_company import (
    AT,
    IDS,
    A,
    B,
    C,
    demand,
    missing,
    node,
    plan,
    policy,
    sent,
    situation,
    stock,
    verdicts,
)

CASES = [
    pytest.param(
        [node("SH"), node("WH")], stock(SH={A: 5}, WH={A: 5}), demand((A, 2)),
        {"SH": {(1, A): 2}}, {}, id="the nearest of those that have it",
    ),
    pytest.param(
        [node("SH"), node("WH")], stock(SH={A: 1}, WH={A: 2}), demand((A, 2)),
        {"WH": {(1, A): 2}}, {}, id="one far parcel beats two near ones",
    ),
    pytest.param(
        [node("SH"), node("WH"), node("GZ")], stock(SH={A: 1}, WH={B: 1}, GZ={B: 1}), demand((A, 1), (B, 1)),
        {"SH": {(1, A): 1}, "WH": {(2, B): 1}}, {}, id="the cheapest pair",
    ),
    pytest.param(
        [node("SH"), node("WH"), node("GZ")], stock(SH={A: 1}, WH={B: 1}, GZ={C: 1}), demand((A, 1), (B, 1), (C, 1)),
        {"SH": {(1, A): 1}, "WH": {(2, B): 1}, "GZ": {(3, C): 1}}, {}, id="three when two cannot",
    ),
    pytest.param(
        [node("SH"), node("WH")], stock(SH={A: 2}, WH={A: 1}), demand((A, 5)),
        {"SH": {(1, A): 2}, "WH": {(1, A): 1}}, {(1, A): 2}, id="all there is, and the rest is missing",
    ),
    pytest.param(
        [node("SH")], stock(SH={A: 3}), demand((A, 2), (A, 2)),
        {"SH": {(1, A): 2, (2, A): 1}}, {(2, A): 1}, id="two lines of one SKU compete",
    ),
    pytest.param(
        [node("SH"), node("WH"), node("GZ")], stock(SH={A: 1}, WH={A: 1}, GZ={A: 1}), demand((A, 3)),
        {"SH": {(1, A): 1}, "WH": {(1, A): 1}, "GZ": {(1, A): 1}}, {}, id="one SKU in three parts",
    ),
    pytest.param([node("SH")], stock(), demand((A, 1)), {}, {(1, A): 1}, id="nobody has it"),
    pytest.param([], stock(), demand((A, 1)), {}, {(1, A): 1}, id="no node at all"),
    pytest.param([node("SH")], {A: {999: 5}}, demand((A, 1)), {}, {(1, A): 1}, id="the stock of a node that is gone"),
    pytest.param([node("SH")], stock(SH={A: 5}), demand(), {}, {}, id="nothing wanted"),
    pytest.param(
        [node("SH"), node("WH")], stock(SH={A: 5}, WH={A: 5}), demand((A, 1), nodes=frozenset({IDS["WH"], 999})),
        {"WH": {(1, A): 1}}, {}, id="only the channel's nodes, one of them gone",
    ),
    pytest.param(
        [node("SH"), node("WH")], stock(SH={A: 5}, WH={A: 5}), demand((A, 1), refused_by=frozenset({IDS["SH"]})),
        {"WH": {(1, A): 1}}, {}, id="not again to a node that refused it",
    ),
    pytest.param(
        [node("SH", serves=frozenset({"44"})), node("WH")], stock(SH={A: 5}, WH={A: 5}), demand((A, 1)),
        {"WH": {(1, A): 1}}, {}, id="a node sends only where it serves",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "held", "wanted", "parcels", "lacking"), CASES)
def test_the_plan(nodes, held, wanted, parcels, lacking):
    answer = plan(wanted, nodes, held)
    assert sent(answer) == parcels
    assert missing(answer) == lacking


STORES_FIRST = PublishedPolicy("store-first", 0, PRESETS["store-first"])
SHOPS = [node("SH", kind="store"), node("WH")]


def test_the_first_group_that_leaves_a_plan_for_all_of_it_decides():
    answer = plan(demand((A, 1)), SHOPS, stock(SH={A: 1}, WH={A: 9}), STORES_FIRST)
    assert (answer.group, answer.passed_over, list(sent(answer))) == ("stores", (), ["SH"])


def test_a_group_that_leaves_something_out_gives_way_to_the_next():
    held = stock(SH={A: 1}, WH={A: 9})
    answer = plan(demand((A, 2)), SHOPS, held, STORES_FIRST)
    assert (answer.group, answer.passed_over, list(sent(answer))) == ("all", ("stores",), ["WH"])
    assert held == stock(SH={A: 1}, WH={A: 7})


def test_the_last_group_sends_what_it_can():
    answer = plan(demand((A, 9)), SHOPS, stock(SH={A: 1}, WH={A: 2}), STORES_FIRST)
    assert (answer.group, missing(answer)) == ("all", {(1, A): 6})


GROUPS = [
    pytest.param({"channels": ("TMALL",)}, {"channel": "TMALL"}, {"channel": "JD"}, id="channel"),
    pytest.param({"regions": ("31",)}, {}, {"region": "42"}, id="region"),
    pytest.param({"methods": ("express",)}, {"method": "express"}, {}, id="way of delivery"),
    pytest.param({"tiers": ("gold",)}, {"tier": "gold"}, {"tier": "silver"}, id="tier"),
    pytest.param({"least_priority": 5}, {"priority": 5}, {"priority": 4}, id="priority"),
    pytest.param({"least_value": Decimal(100)}, {"value": 100.0}, {"value": 99.99}, id="least value"),
    pytest.param({"most_value": Decimal(100)}, {"value": 99.99}, {"value": 100.0}, id="most value"),
    pytest.param(
        {"promised_within_hours": 24}, {"deliver_by": AT + timedelta(hours=24)},
        {"deliver_by": AT + timedelta(hours=25)}, id="promised soon",
    ),
    pytest.param({"promised_within_hours": 24}, {"deliver_by": AT - timedelta(hours=1)}, {}, id="promised at all"),
]  # fmt: skip


@pytest.mark.parametrize(("when", "meets", "misses"), GROUPS)
def test_a_group_takes_the_orders_it_asks_for(when, meets, misses):
    published = policy(Group(name="some", when=When(**when)), Group(name="rest"))
    groups = [
        plan(demand((A, 1), **facts), [node("SH")], stock(SH={A: 1}), published).group for facts in (meets, misses)
    ]
    assert groups == ["some", "rest"]


def test_an_order_that_no_group_takes_is_missing_and_never_lost():
    held = stock(SH={A: 1})
    answer = plan(demand((A, 1)), [node("SH")], held, policy(Group(name="web", when=When(channels=("WEB",)))))
    assert (answer.group, sent(answer), missing(answer), answer.candidates) == ("", {}, {(1, A): 1}, ())
    assert held == stock(SH={A: 1})


@pytest.mark.parametrize(("most", "parcels", "lacking"), [(1, 1, 1), (2, 2, 0)])
def test_an_order_never_goes_in_more_parcels_than_allowed(most, parcels, lacking):
    published = policy(Group(name="all", hard=Hard(most_parcels=most)))
    answer = plan(demand((A, 2), (B, 1)), [node("SH"), node("WH")], stock(SH={A: 2}, WH={B: 1}), published)
    assert (len(answer.parcels), sum(missing(answer).values())) == (parcels, lacking)


def test_orders_share_stock_room_and_backlog():
    wanted = [demand((A, 2), reference=f"O{number}") for number in range(4)]
    held = stock(SH={A: 9}, WH={A: 3})
    answers = plan_all(wanted, situation(node("SH", parcels_left=2), node("WH")), held, lambda _demand: BUILT_IN)
    assert [sent(answer) for answer in answers] == [
        {"SH": {(1, A): 2}}, {"SH": {(1, A): 2}}, {"WH": {(1, A): 2}}, {"WH": {(1, A): 1}},
    ]  # fmt: skip
    assert [missing(answer) for answer in answers] == [{}, {}, {}, {(1, A): 1}]
    assert verdicts(answers[3])["SH"] == "full"
    assert held == stock(SH={A: 5}, WH={A: 0})


PRIORITY = [
    pytest.param({"priority": 1}, {"deliver_by": AT}, id="priority before the promise"),
    pytest.param({"deliver_by": AT}, {"method": "express"}, id="the promise before express"),
    pytest.param({"deliver_by": AT}, {"deliver_by": AT + timedelta(minutes=1)}, id="the earlier promise"),
    pytest.param({"method": "express"}, {}, id="paid express"),
    pytest.param({"reference": "A"}, {"reference": "B"}, id="then the reference"),
]


@pytest.mark.parametrize(("first", "second"), PRIORITY)
def test_who_gets_the_last_unit(first, second):
    for facts in ([first, second], [second, first]):
        wanted = [demand((A, 1), **{"reference": f"O{n}"} | one) for n, one in enumerate(facts)]
        answers = plan_all(wanted, situation(node("SH")), stock(SH={A: 1}), lambda _demand: BUILT_IN)
        served = [one for one, answer in zip(facts, answers, strict=True) if not answer.missing]
        assert served == [first]
        assert [answer.reference for answer in answers] == [one.reference for one in wanted]


def test_a_policy_may_differ_from_order_to_order():
    other = PublishedPolicy("pilot", 7, Policy(groups=(Group(name="far", hard=Hard(node_groups=("far",))),)))
    nodes = [node("SH"), node("WH", groups=frozenset({"far"}))]
    wanted = [demand((A, 1), reference="O1"), demand((A, 1), reference="O2")]
    answers = plan_all(
        wanted, situation(*nodes), stock(SH={A: 5}, WH={A: 5}), lambda one: other if one.reference == "O2" else BUILT_IN
    )
    assert [(answer.policy, list(sent(answer))) for answer in answers] == [("balanced/0", ["SH"]), ("pilot/7", ["WH"])]
