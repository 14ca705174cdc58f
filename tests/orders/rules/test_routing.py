"""Who sends what: named cases, and laws that hold for any company."""

import random
from dataclasses import replace
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.rules.geography import MAINLAND, REGIONS, distance_km, locate
from orders.rules.routing import nearest as routing
from orders.rules.routing.facts import Demand, Item, NodeFacts
from orders.rules.routing.nearest import Policy

POLICY = Policy()
A, B, C = 1, 2, 3
CAPITALS = {"SH": "31", "WH": "42", "GZ": "44", "BJ": "11", "CD": "51"}
IDS = {code: number for number, code in enumerate(CAPITALS, start=101)}


def node(code, **facts):
    place = REGIONS[CAPITALS[code]]
    defaults = {
        "node_id": IDS[code], "code": code, "region": place.code, "latitude": place.latitude,
        "longitude": place.longitude, "serves": MAINLAND, "is_active": True, "parcels_left": 1000,
    }  # fmt: skip
    return NodeFacts(**defaults | facts)


def stock(**levels):
    """stock(SH={A: 2}) as routing wants it: SKU → node → units."""
    held = {}
    for code, skus in levels.items():
        for sku, units in skus.items():
            held.setdefault(sku, {})[IDS[code]] = units
    return held


def demand(*items, region="31", city="上海", reference="O1"):
    return Demand(reference, region, city, tuple(Item(n, sku, units) for n, (sku, units) in enumerate(items, start=1)))


def sent(plan):
    """What goes from where: node code → {(line, SKU): units}."""
    return {p.node_code: {(i.line_number, i.sku_id): i.quantity for i in p.items} for p in plan.parcels}


def missing(plan):
    return {(item.line_number, item.sku_id): item.quantity for item in plan.missing}


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
        [node("SH", is_active=False), node("WH")], stock(SH={A: 5}, WH={A: 5}), demand((A, 1)),
        {"WH": {(1, A): 1}}, {}, id="an inactive node sends nothing",
    ),
    pytest.param(
        [node("SH", serves=frozenset({"44"})), node("WH")], stock(SH={A: 5}, WH={A: 5}), demand((A, 1)),
        {"WH": {(1, A): 1}}, {}, id="a node sends only where it serves",
    ),
    pytest.param(
        [node("SH", parcels_left=0), node("WH")], stock(SH={A: 5}, WH={A: 5}), demand((A, 1)),
        {"WH": {(1, A): 1}}, {}, id="a full node sends nothing",
    ),
    pytest.param(
        [node("SH"), node("WH")], stock(), demand((A, 1)), {}, {(1, A): 1}, id="nobody has it",
    ),
    pytest.param([], stock(), demand((A, 1)), {}, {(1, A): 1}, id="no node at all"),
    pytest.param(
        [node("SH"), node("WH", serves=frozenset({"US"}))], stock(SH={A: 5}, WH={A: 5}),
        demand((A, 1), region="US", city=""), {"WH": {(1, A): 1}}, {}, id="abroad only from who serves it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "held", "wanted", "parcels", "lacking"), CASES)
def test_the_plan(nodes, held, wanted, parcels, lacking):
    plan = routing.plan([wanted], nodes, held, POLICY)[0]
    assert sent(plan) == parcels
    assert missing(plan) == lacking


def test_the_cost_is_handling_and_freight_by_distance():
    plan = routing.plan([demand((A, 1))], [node("WH")], stock(WH={A: 1}), Policy(handling=2.5, freight_per_km=0.01))[0]
    km = distance_km(locate("31", "上海"), locate("42", ""))
    parcel = plan.parcels[0]
    assert (parcel.distance_km, parcel.cost) == (686.7, round(2.5 + 0.01 * km, 2))
    assert plan.cost == parcel.cost == 9.37


def test_equal_costs_go_to_the_lower_code():
    twins = [replace(node("WH"), code="W2", node_id=2), replace(node("WH"), code="W1", node_id=1)]
    for order in permutations(twins):
        plan = routing.plan([demand((A, 1))], order, {A: {1: 1, 2: 1}}, POLICY)[0]
        assert [parcel.node_code for parcel in plan.parcels] == ["W1"]


def test_every_candidate_is_told_with_its_verdict():
    nodes = [
        node("SH"), node("WH", parcels_left=0), node("GZ", serves=frozenset({"44"})), node("BJ", is_active=False),
        node("CD"),
    ]  # fmt: skip
    plan = routing.plan([demand((A, 3))], nodes, stock(SH={A: 3}, WH={A: 9}, CD={A: 1}), POLICY)[0]
    verdicts = plan.verdicts
    assert verdicts.able == (("SH", 0, 3.0),)
    assert verdicts.short == (("CD", 1660, 2),)
    assert (verdicts.full, verdicts.not_serving, verdicts.inactive) == (("WH",), ("GZ",), ("BJ",))


def test_a_batch_shares_stock_and_room_in_its_order():
    wanted = [demand((A, 2), reference=f"O{n}") for n in range(4)]
    plans = routing.plan(wanted, [node("SH", parcels_left=2), node("WH")], stock(SH={A: 9}, WH={A: 3}), POLICY)
    assert [sent(plan) for plan in plans] == [
        {"SH": {(1, A): 2}},
        {"SH": {(1, A): 2}},
        {"WH": {(1, A): 2}},
        {"WH": {(1, A): 1}},
    ]
    assert [missing(plan) for plan in plans] == [{}, {}, {}, {(1, A): 1}]
    assert plans[3].verdicts.full == ("SH",)


def test_an_unknown_region_is_an_error_and_not_a_guess():
    with pytest.raises(KeyError):
        routing.plan([demand((A, 1), region="99")], [node("SH")], stock(SH={A: 1}), POLICY)


# -- laws -------------------------------------------------------------------------------------------------

levels = st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 4), max_size=3)
companies = st.fixed_dictionaries(dict.fromkeys(CAPITALS, levels))
rooms = st.fixed_dictionaries({code: st.integers(0, 3) for code in CAPITALS})
baskets = st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(1, 4)), min_size=1, max_size=4)
batches = st.lists(baskets, min_size=1, max_size=5)
destinations = st.sampled_from(["31", "44", "65", "11"])


def open_nodes(room):
    return [node(code, parcels_left=left) for code, left in room.items()]


@given(company=companies, room=rooms, wanted=batches, region=destinations)
@settings(max_examples=150, deadline=None)
def test_nothing_is_sent_twice_and_every_unit_is_sent_or_missing(company, room, wanted, region):
    before = stock(**company)
    demands = [demand(*basket, region=region, city="", reference=str(n)) for n, basket in enumerate(wanted)]
    plans = routing.plan(demands, open_nodes(room), stock(**company), POLICY)

    taken, parcels = {}, {}
    for asked, plan in zip(demands, plans, strict=True):
        served = {}
        for parcel in plan.parcels:
            parcels[parcel.node_id] = parcels.get(parcel.node_id, 0) + 1
            assert parcel.items, "a parcel is never empty"
            for item in parcel.items:
                assert item.quantity > 0
                taken[item.sku_id, parcel.node_id] = taken.get((item.sku_id, parcel.node_id), 0) + item.quantity
                served[item.line_number, item.sku_id] = served.get((item.line_number, item.sku_id), 0) + item.quantity
        lacking = missing(plan)
        for item in asked.items:
            key = (item.line_number, item.sku_id)
            assert served.get(key, 0) + lacking.get(key, 0) == item.quantity
        assert len({parcel.node_id for parcel in plan.parcels}) == len(plan.parcels)
    for (sku, node_id), units in taken.items():
        assert units <= before[sku][node_id]
    for code, left in room.items():
        assert parcels.get(IDS[code], 0) <= left


@given(company=companies, basket=baskets, region=destinations)
@settings(max_examples=150, deadline=None)
def test_something_is_missing_only_when_all_nodes_together_lack_it(company, basket, region):
    plan = routing.plan(
        [demand(*basket, region=region, city="")], [node(code) for code in CAPITALS], stock(**company), POLICY
    )[0]
    asked = {}
    for sku, units in basket:
        asked[sku] = asked.get(sku, 0) + units
    for sku, units in asked.items():
        there_is = sum(levels.get(sku, 0) for levels in company.values())
        assert sum(item.quantity for item in plan.missing if item.sku_id == sku) == max(0, units - there_is)


@given(company=companies, basket=baskets, region=destinations, seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_the_order_of_lines_and_nodes_does_not_matter(company, basket, region, seed):
    nodes = [node(code) for code in CAPITALS]
    straight = routing.plan([demand(*basket, region=region, city="")], nodes, stock(**company), POLICY)[0]
    dice = random.Random(seed)
    shuffled_basket, shuffled_nodes = dice.sample(basket, len(basket)), dice.sample(nodes, len(nodes))
    other = routing.plan([demand(*shuffled_basket, region=region, city="")], shuffled_nodes, stock(**company), POLICY)[
        0
    ]

    def per_sku(plan):
        return [(p.node_code, sorted((sku, units_of(p.items, sku)) for sku in (A, B, C))) for p in plan.parcels]

    assert per_sku(straight) == per_sku(other)
    assert straight.cost == other.cost


def units_of(items, sku):
    return sum(item.quantity for item in items if item.sku_id == sku)


def groups_that_can(company, basket, size):
    """Brute force: every group of so many nodes that together has everything."""
    asked = {sku: sum(units for other, units in basket if other == sku) for sku, _ in basket}
    return [
        group
        for group in combinations(sorted(company), size)
        if all(sum(company[code].get(sku, 0) for code in group) >= units for sku, units in asked.items())
    ]


def cost_of(codes, region):
    here = locate(region)
    return sum(POLICY.handling + POLICY.freight_per_km * distance_km(here, locate(CAPITALS[code])) for code in codes)


@given(company=companies, basket=baskets, region=destinations)
@settings(max_examples=200, deadline=None)
def test_one_parcel_or_two_whenever_brute_force_finds_them_and_then_the_cheapest(company, basket, region):
    plan = routing.plan(
        [demand(*basket, region=region, city="")], [node(code) for code in CAPITALS], stock(**company), POLICY
    )[0]
    for size in (1, 2):
        able = groups_that_can(company, basket, size)
        if able:
            assert len(plan.parcels) == size
            cheapest = min(cost_of(group, region) for group in able)
            assert plan.cost == pytest.approx(cheapest, abs=0.01 * size)
            return
    if not plan.missing:
        assert len(plan.parcels) >= 3


@given(company=companies, basket=baskets, region=destinations)
@settings(max_examples=100, deadline=None)
def test_no_able_node_is_cheaper_than_the_chosen_one(company, basket, region):
    plan = routing.plan(
        [demand(*basket, region=region, city="")], [node(code) for code in CAPITALS], stock(**company), POLICY
    )[0]
    able = {code for (code,) in groups_that_can(company, basket, 1)}
    assert {code for code, *_ in plan.verdicts.able} == able
    if able:
        assert plan.parcels[0].cost <= min(cost for _code, _km, cost in plan.verdicts.able)
