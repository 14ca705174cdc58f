"""Which nodes may send, and what is said of those that may not."""

import pytest

from inventory.rules.geography import distance_km, locate
from orders.rules.routing.facts import Disruption, Goods
from orders.rules.routing.policy import Group, Hard
from tests.orders.rules.routing_company import (
    A,
    B,
    carrier,
    demand,
    detail,
    missing,
    node,
    plan,
    policy,
    sent,
    stock,
    verdicts,
)

STORM = Disruption("typhoon", "Typhoon Ling-Ling", "blocks", from_regions=frozenset({"31"}))
VERDICTS = [
    pytest.param({"is_active": False}, {}, {}, "inactive", {}, id="inactive"),
    pytest.param({"is_down": True}, {}, {}, "down", {}, id="down for a while"),
    pytest.param({"parcels_left": 0}, {}, {}, "full", {}, id="no capacity at all"),
    pytest.param({"serves": frozenset({"44"})}, {}, {}, "not_serving", {"region": "31"}, id="serves elsewhere"),
    pytest.param({"kind": "store"}, {"node_kinds": ("central_dc",)}, {}, "wrong_kind", {"kind": "store"}, id="kind"),
    pytest.param({}, {"node_groups": ("big",)}, {}, "not_in_group", {"groups": ["big"]}, id="in no group"),
    pytest.param(
        {"groups": frozenset({"slow"})}, {"not_node_groups": ("slow",)}, {}, "not_in_group", {"not_groups": ["slow"]},
        id="in a group that is shut out",
    ),
    pytest.param(
        {"cut_off_minute": 9 * 60}, {"before_cut_off_only": True}, {}, "past_cut_off", {"cut_off_minute": 540},
        id="past its cut-off",
    ),
    pytest.param(
        {"backlog": 90, "parcels_per_hour": 10}, {"most_backlog_hours": 8.0}, {}, "backlog",
        {"hours": 9.0, "most_hours": 8.0}, id="too much waits",
    ),
    pytest.param(
        {}, {}, {"carriers": {("42", "31"): (carrier(),)}}, "no_carrier", {"from": "31", "to": "31"},
        id="tariffs are kept, but none for this lane",
    ),
    pytest.param(
        {}, {}, {"disruptions": (STORM,)}, "disrupted", {"disruptions": [["typhoon", "Typhoon Ling-Ling"]]}, id="storm",
    ),
    pytest.param(
        {}, {}, {"goods": {A: Goods(needs=frozenset({"cold_chain"}))}}, "lacks_capability", {"needs": ["cold_chain"]},
        id="no cold chain",
    ),
    pytest.param(
        {"latitude": None, "longitude": None, "region": "ZZ"}, {}, {}, "too_far", {"place": "unknown"},
        id="nobody knows where it is",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "hard", "moment", "verdict", "why"), VERDICTS)
def test_a_node_that_may_not_send_says_why_and_sends_nothing(facts, hard, moment, verdict, why):
    open_one = node("WH", groups=frozenset({"big"}), capabilities=frozenset({"cold_chain"}))
    published = policy(Group(name="all", hard=Hard(**hard)))
    held = stock(SH={A: 5}, WH={A: 5})
    answer = plan(demand((A, 1)), [node("SH", **facts), open_one], held, published, **moment)
    assert verdicts(answer) == {"SH": verdict, "WH": "able"}
    assert detail(answer, "SH") == why
    assert list(sent(answer)) == ["WH"]
    assert held == stock(SH={A: 5}, WH={A: 4})


def test_a_node_beyond_the_limit_is_too_far():
    published = policy(Group(name="near", hard=Hard(most_km=500.0)))
    answer = plan(demand((A, 1)), [node("WH")], stock(WH={A: 1}), published)
    assert (verdicts(answer), detail(answer, "WH")) == ({"WH": "too_far"}, {"km": 686.7, "most_km": 500.0})
    assert (sent(answer), missing(answer)) == ({}, {(1, A): 1})


def test_goods_that_must_not_go_somewhere_are_missing_and_the_rest_is_sent():
    held = stock(SH={A: 5, B: 5})
    goods = {A: Goods(not_to=frozenset({"31"}))}
    answer = plan(demand((A, 1), (B, 1)), [node("SH")], held, goods=goods)
    assert (sent(answer), missing(answer)) == ({"SH": {(2, B): 1}}, {(1, A): 1})
    assert (verdicts(answer), detail(answer, "SH")) == ({"SH": "restricted"}, {"skus": [A]})
    assert held == stock(SH={A: 5, B: 4})


def test_what_needs_cold_goes_from_where_it_is_cold_and_the_rest_from_near():
    nodes = [node("SH"), node("WH", capabilities=frozenset({"cold_chain"}))]
    goods = {A: Goods(needs=frozenset({"cold_chain"}))}
    answer = plan(demand((A, 1), (B, 1)), nodes, stock(SH={A: 5, B: 5}, WH={A: 5}), goods=goods)
    assert sent(answer) == {"SH": {(2, B): 1}, "WH": {(1, A): 1}}
    assert verdicts(answer) == {"SH": "lacks_capability", "WH": "short"}


def test_what_is_picked_up_needs_a_node_that_hands_it_out_and_no_carrier():
    nodes = [node("SH"), node("WH", capabilities=frozenset({"pickup"}))]
    wanted = demand((A, 1), method="pickup")
    carriers = {("31", "31"): (carrier(),)}
    answer = plan(wanted, nodes, stock(SH={A: 5}, WH={A: 5}), carriers=carriers)
    assert (sent(answer), answer.cost) == ({"WH": {(1, A): 1}}, 3.0)
    assert verdicts(answer) == {"SH": "lacks_capability", "WH": "able"}


@pytest.mark.parametrize(
    ("facts", "place", "city"),
    [
        pytest.param({"city": "苏州"}, "city", "苏州", id="its city"),
        pytest.param({"city": "Nowhere"}, "province", "", id="its province"),
    ],
)
def test_missing_coordinates_are_those_of_the_city_or_the_province_and_the_plan_says_so(facts, place, city):
    lost = node("SH", region="32", latitude=None, longitude=None, **facts)
    answer = plan(demand((A, 1)), [lost], stock(SH={A: 1}))
    km = distance_km(locate("32", city), locate("31", "上海"))
    assert answer.parcels[0].distance_km == round(km, 1)
    assert detail(answer, "SH") == {"place": place}


def test_an_unknown_destination_is_an_error_and_not_a_guess():
    with pytest.raises(KeyError):
        plan(demand((A, 1), region="99"), [node("SH", serves=frozenset({"99"}))], stock(SH={A: 1}))
