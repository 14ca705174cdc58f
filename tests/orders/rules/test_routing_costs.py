"""What a parcel costs term by term, and when it comes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from inventory.rules.geography import distance_km, locate
from orders.rules.routing.facts import Disruption, Goods, Position
from orders.rules.routing.planner import Planner
from orders.rules.routing.policy import BUILT_IN, Group
from tests.orders.rules.routing_company import (
    AT,
    IDS,
    A,
    B,
    carrier,
    demand,
    detail,
    everywhere,
    node,
    plan,
    policy,
    sent,
    situation,
    stock,
    verdicts,
)


def test_without_tariffs_freight_is_by_distance_and_weight():
    published = policy(load=0.0)
    goods = {A: Goods(weight_g=1300)}
    answer = plan(demand((A, 1)), [node("WH", pick_cost=2.5)], stock(WH={A: 1}), published, goods=goods)
    parcel = answer.parcels[0]
    km = distance_km(locate("31", "上海"), locate("42", ""))
    assert {name: value for name, value in parcel.terms.items() if value} == {
        "freight": round(4.0 + 0.004 * km + 1.0, 2),
        "pick": 2.5,
    }
    assert (parcel.cost, answer.cost, parcel.weight_g, parcel.carrier_code) == (10.25, 10.25, 1300, "")


@pytest.mark.parametrize(
    ("weight_g", "freight"),
    [(1, 8.0), (1000, 8.0), (1001, 10.0), (2000, 10.0), (2001, 12.0)],
)
def test_a_tariff_goes_up_in_steps(weight_g, freight):
    answer = plan(
        demand((A, 1)), [node("SH")], stock(SH={A: 1}), carriers=everywhere(carrier()), goods={A: Goods(weight_g)}
    )
    assert answer.parcels[0].terms["freight"] == freight


SLOW_AND_CHEAP, FAST_AND_DEAR = carrier("YT", 4.0, hours=(60.0, 90.0)), carrier("SF", 9.0, hours=(20.0, 30.0))
LANES = [
    pytest.param({}, {}, {}, "YT", id="the cheaper one"),
    pytest.param({"deliver_by": AT + timedelta(hours=40)}, {}, {}, "SF", id="the one that keeps the promise"),
    pytest.param({"deliver_by": AT + timedelta(hours=85)}, {}, {}, "YT", id="a few late hours are cheaper"),
    pytest.param({"deliver_by": AT + timedelta(hours=85), "attempts": 2}, {}, {}, "SF", id="but not the third time"),
    pytest.param({}, {"slow": 0.2}, {}, "SF", id="the way itself costs"),
    pytest.param({}, {}, {"late_share": 1.0}, "YT", id="unpunctual, and still cheaper"),
    pytest.param({}, {"carrier": 6.0}, {"late_share": 1.0}, "SF", id="unpunctual, and that weighs"),
]


@pytest.mark.parametrize(("wanted", "weights", "cheap", "chosen"), LANES)
def test_a_parcel_goes_with_the_carrier_that_is_cheapest_all_in_all(wanted, weights, cheap, chosen):
    carriers = everywhere(replace(SLOW_AND_CHEAP, **cheap), FAST_AND_DEAR)
    answer = plan(demand((A, 1), **wanted), [node("SH")], stock(SH={A: 1}), policy(**weights), carriers=carriers)
    assert answer.parcels[0].carrier_code == chosen


def test_an_express_order_goes_by_express_where_there_is_any():
    express = carrier("JD", 20.0, method="express")
    held = stock(SH={A: 2})
    planner = Planner(situation(node("SH"), carriers=everywhere(SLOW_AND_CHEAP, express)), held)
    answers = [planner.plan(demand((A, 1), method=method), BUILT_IN) for method in ("express", "standard")]
    assert [answer.parcels[0].carrier_code for answer in answers] == ["JD", "YT"]
    alone = plan(demand((A, 1), method="express"), [node("SH")], stock(SH={A: 1}), carriers=everywhere(SLOW_AND_CHEAP))
    assert alone.parcels[0].carrier_code == "YT"


def test_the_tariff_that_says_most_exactly_counts():
    carriers = {
        ("31", "31"): (carrier("SF", 1.0),), ("31", ""): (carrier("SF", 2.0), carrier("YT", 3.0)),
        ("", "31"): (carrier("YT", 0.5), carrier("ZT", 9.0)), ("", ""): (carrier("ZT", 0.1),),
    }  # fmt: skip
    answer = plan(demand((A, 1)), [node("SH")], stock(SH={A: 1}), carriers=carriers)
    assert (answer.parcels[0].carrier_code, answer.parcels[0].terms["freight"]) == ("SF", 1.0)


def test_a_stopped_carrier_leaves_the_lane_to_the_others_and_a_delayed_one_is_slower():
    carriers = everywhere(SLOW_AND_CHEAP, FAST_AND_DEAR)
    stopped = Disruption("strike", "Strike", "blocks", carrier_code="YT")
    delayed = Disruption("snow", "Snow", "delays", carrier_code="SF", delay_hours=24.0)
    answer = plan(demand((A, 1)), [node("SH")], stock(SH={A: 1}), carriers=carriers, disruptions=(stopped, delayed))
    parcel = answer.parcels[0]
    assert (parcel.carrier_code, parcel.arrives_from, parcel.arrives_until) == (
        "SF", date(2026, 11, 25), date(2026, 11, 25),
    )  # fmt: skip
    both = (stopped, replace(delayed, effect="blocks"))
    nothing = plan(demand((A, 1)), [node("SH")], stock(SH={A: 1}), carriers=carriers, disruptions=both)
    assert verdicts(nothing) == {"SH": "disrupted"}
    assert [code for code, _name in detail(nothing, "SH")["disruptions"]] == ["strike", "snow"]


WORTH = [
    pytest.param({}, {}, {}, "SH", id="the cheaper node"),
    pytest.param({"standing": 0.0}, {}, {}, "WH", id="a node that has lost its standing"),
    pytest.param({"backlog": 80, "parcels_per_hour": 10}, {}, {"load": 10.0}, "WH", id="a busy node"),
    pytest.param({}, {(A, "SH"): Position(shadow_price=3.0)}, {}, "WH", id="units that its own region will need"),
    pytest.param({}, {(A, "SH"): Position(shadow_price=3.0)}, {"balance": 0.0}, "SH", id="unless nobody asks"),
    pytest.param({}, {(A, "WH"): Position(is_markdown=True)}, {"markdown": 3.0}, "WH", id="goods to be sold first"),
    pytest.param({"pick_cost": 6.0}, {}, {}, "WH", id="dear picking"),
]


@pytest.mark.parametrize(("facts", "positions", "weights", "chosen"), WORTH)
def test_what_makes_the_further_node_the_better_one(facts, positions, weights, chosen):
    nodes = [node("SH", **facts), node("WH")]
    worth = {(sku, IDS[code]): position for (sku, code), position in positions.items()}
    answer = plan(demand((A, 1)), nodes, stock(SH={A: 9}, WH={A: 9}), policy(**weights), positions=worth)
    assert list(sent(answer)) == [chosen]


def test_every_term_is_told_and_their_sum_is_the_cost():
    busy = node("SH", backlog=40, parcels_per_hour=10, standing=0.5)
    worth = {(A, IDS["SH"]): Position(1.25), (B, IDS["SH"]): Position(0.0, is_markdown=True)}
    published = policy(distance=0.01, slow=0.1, late=0.5)
    wanted = demand((A, 2), (B, 3), region="42", city="", deliver_by=AT + timedelta(hours=34))
    answer = plan(
        wanted, [busy], stock(SH={A: 2, B: 3}), published, positions=worth,
        carriers=everywhere(carrier(late_share=0.25)), goods={A: Goods(600), B: Goods(400)},
    )  # fmt: skip
    assert answer.parcels[0].terms == {
        "freight": 12.0,  # 2,400 g
        "pick": 3.0,
        "distance": 6.87,
        "late": 5.0,  # four hours of waiting and forty of way are ten hours late
        "slow": 2.4,
        "load": 0.5,  # half of a day's work waits
        "balance": 2.5,
        "markdown": -3.0,
        "carrier": 0.5,
        "standing": 1.5,
    }
    assert answer.parcels[0].cost == answer.cost == 31.27


@pytest.mark.parametrize(
    ("at", "taken", "yuan"),
    [
        pytest.param(datetime(2026, 11, 22, 16, tzinfo=UTC), 0, 0.0, id="nothing taken"),
        pytest.param(datetime(2026, 11, 22, 16, tzinfo=UTC), 5, 0.81, id="half taken at midnight"),
        pytest.param(datetime(2026, 11, 22, 16, tzinfo=UTC), 9, 8.53, id="the last but one at midnight"),
        pytest.param(datetime(2026, 11, 23, 4, tzinfo=UTC), 9, 4.26, id="half of the day is over"),
        pytest.param(datetime(2026, 11, 23, 15, 59, tzinfo=UTC), 9, 0.01, id="nobody else comes today"),
    ],
)
def test_the_last_room_of_the_day_is_worth_what_others_pay_to_go_elsewhere(at, taken, yuan):
    # A further parcel costs 6 for the split and 7 for the cheapest parcel there is.
    full = node("SH", backlog=taken, parcels_left=10 - taken)
    answer = plan(demand((A, 1)), [full], stock(SH={A: 1}), policy(load=0.0), at=at)
    assert answer.parcels[0].terms["load"] == yuan
    careless = plan(demand((A, 1)), [full], stock(SH={A: 1}), policy(load=0.0, balance=0.0), at=at)
    assert careless.parcels[0].terms["load"] == 0.0


def test_who_can_be_served_elsewhere_leaves_the_last_room_to_who_can_not():
    # Five from Shanghai, of whom the last has something that only Shanghai has; Wuhan is 2.75 yuan dearer.
    wanted = [*[demand((A, 1), reference=f"O{number}") for number in range(4)], demand((B, 1), reference="O4")]
    served = {}
    for balance in (1.0, 0.0):
        moment = situation(node("SH", parcels_left=4), node("WH"), at=datetime(2026, 11, 22, 16, tzinfo=UTC))
        planner, published = Planner(moment, stock(SH={A: 9, B: 1}, WH={A: 9})), policy(balance=balance)
        answers = [planner.plan(one, published) for one in wanted]
        served[balance] = [[parcel.node_code for parcel in answer.parcels] for answer in answers]
    assert served == {
        1.0: [["SH"], ["SH"], ["SH"], ["WH"], ["SH"]],
        0.0: [["SH"], ["SH"], ["SH"], ["SH"], []],
    }


def test_a_split_costs_for_each_further_parcel():
    answer = plan(demand((A, 1), (B, 1)), [node("SH"), node("WH")], stock(SH={A: 1}, WH={B: 1}), policy(split=7.5))
    assert answer.split == 7.5
    assert answer.cost == round(sum(parcel.cost for parcel in answer.parcels) + 7.5, 2)


def test_two_parcels_are_taken_when_one_is_dearer():
    worth = {(B, IDS["SH"]): Position(shadow_price=50.0)}
    nodes, held = [node("SH"), node("WH")], stock(SH={A: 1, B: 1}, WH={B: 1})
    answer = plan(demand((A, 1), (B, 1)), nodes, held, positions=worth)
    assert sent(answer) == {"SH": {(1, A): 1}, "WH": {(2, B): 1}}
    assert answer.runner_up.nodes == ("SH",)


def test_equal_costs_go_to_the_lower_code():
    twins = [replace(node("WH"), code="W2", node_id=2), replace(node("WH"), code="W1", node_id=1)]
    for order in permutations(twins):
        answer = plan(demand((A, 1)), order, {A: {1: 1, 2: 1}})
        assert [parcel.node_code for parcel in answer.parcels] == ["W1"]
        assert (answer.runner_up.nodes, answer.runner_up.cost) == (("W2",), answer.cost)


TIMES = [
    pytest.param({}, {}, datetime(2026, 11, 23, 2, tzinfo=UTC), (24, 25), id="at once"),
    pytest.param(
        {"backlog": 30, "parcels_per_hour": 10}, {}, datetime(2026, 11, 23, 5, tzinfo=UTC), (24, 25),
        id="behind others",
    ),
    pytest.param(
        {"cut_off_minute": 16 * 60}, {}, datetime(2026, 11, 23, 8, tzinfo=UTC), (24, 25), id="with today's cut-off",
    ),
    pytest.param(
        {"cut_off_minute": 9 * 60}, {}, datetime(2026, 11, 24, 1, tzinfo=UTC), (25, 26), id="with tomorrow's cut-off",
    ),
    pytest.param(
        {"cut_off_minute": 11 * 60, "backlog": 20, "parcels_per_hour": 10}, {},
        datetime(2026, 11, 24, 3, tzinfo=UTC), (25, 26), id="what waits makes it miss the cut-off",
    ),
    pytest.param({}, {"wait_minutes": 90}, datetime(2026, 11, 23, 3, 30, tzinfo=UTC), (24, 25), id="after waiting"),
    pytest.param(
        {"cut_off_minute": 11 * 60}, {"wait_minutes": 90}, datetime(2026, 11, 23, 3, tzinfo=UTC), (24, 25),
        id="waiting never misses the cut-off",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "group", "leaves_at", "days"), TIMES)
def test_a_parcel_leaves_and_comes(facts, group, leaves_at, days):
    published = policy(Group(name="all", **group))
    carriers = everywhere(carrier(hours=(23.0, 44.0)))
    parcel = plan(demand((A, 1)), [node("SH", **facts)], stock(SH={A: 1}), published, carriers=carriers).parcels[0]
    assert parcel.leaves_at == leaves_at
    assert (parcel.arrives_from, parcel.arrives_until) == tuple(date(2026, 11, day) for day in days)


def test_days_are_those_of_where_it_goes():
    nodes = [node("SH", serves=frozenset({"US", "31"}))]
    carriers = everywhere(carrier(hours=(10.0, 16.0)))
    held = stock(SH={A: 2})
    planner = Planner(situation(*nodes, carriers=carriers), held)
    [abroad, home] = [
        planner.plan(demand((A, 1), region=region, city=""), BUILT_IN).parcels[0] for region in ("US", "31")
    ]
    assert (abroad.arrives_from, abroad.arrives_until) == (date(2026, 11, 23), date(2026, 11, 23))
    assert (home.arrives_from, home.arrives_until) == (date(2026, 11, 23), date(2026, 11, 24))
