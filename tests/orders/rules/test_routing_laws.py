"""Laws of routing by policy that hold for any company."""

import copy
import pickle
import random
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.rules.routing.facts import CarrierOption, Goods, Position
from orders.rules.routing.planner import Planner, plan_all
from orders.rules.routing.policy import BUILT_IN, PRESETS, Group, Hard, Policy, PublishedPolicy, Weights
from tests.orders.rules.routing_company import CAPITALS, IDS, A, B, C, demand, missing, node, situation, stock

levels = st.dictionaries(st.sampled_from([A, B, C]), st.integers(0, 4), max_size=3)
companies = st.fixed_dictionaries(dict.fromkeys(CAPITALS, levels))
rooms = st.fixed_dictionaries({code: st.integers(0, 3) for code in CAPITALS})
baskets = st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(1, 4)), min_size=1, max_size=4)
batches = st.lists(baskets, min_size=1, max_size=5)
destinations = st.sampled_from(["31", "44", "65", "11"])
worths = st.dictionaries(
    st.tuples(st.sampled_from([A, B, C]), st.sampled_from(list(IDS.values()))),
    st.builds(Position, shadow_price=st.floats(0, 9), is_markdown=st.booleans()),
)
presets = st.sampled_from([PublishedPolicy(name, 1, policy) for name, policy in PRESETS.items()])

# A tariff that goes up by the gram: then no way to divide lines is better than those that are tried.
BY_GRAM = CarrierOption("SF", 1, 6.0, 1, 0.003, 24.0, 48.0)
FAR = CarrierOption("SF", 1, 9.0, 1, 0.005, 48.0, 90.0)
GOODS = {A: Goods(300), B: Goods(700), C: Goods(1100)}


def tariffs(region):
    return {(own, region): (BY_GRAM if own in ("31", "44") else FAR,) for own in CAPITALS.values()}


def open_nodes(room=None, **facts):
    return [node(code, **facts, **({"parcels_left": room[code]} if room else {})) for code in CAPITALS]


def asked_of(basket):
    return {sku: sum(units for other, units in basket if other == sku) for sku, _units in basket}


@given(company=companies, room=rooms, wanted=batches, region=destinations, worth=worths, published=presets)
@settings(max_examples=200, deadline=None)
def test_nothing_is_sent_twice_and_every_unit_is_sent_or_missing(company, room, wanted, region, worth, published):
    held = stock(**company)
    demands = [demand(*basket, region=region, city="", reference=str(n)) for n, basket in enumerate(wanted)]
    moment = situation(*open_nodes(room), positions=worth)
    plans = plan_all(demands, moment, held, lambda _demand: published)

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
    before = stock(**company)
    for (sku, node_id), units in taken.items():
        assert units <= before[sku][node_id]
    for sku, by_node in before.items():
        assert held[sku] == {node_id: units - taken.get((sku, node_id), 0) for node_id, units in by_node.items()}
    for code, left in room.items():
        assert parcels.get(IDS[code], 0) <= left


@given(company=companies, basket=baskets, region=destinations, worth=worths)
@settings(max_examples=150, deadline=None)
def test_something_is_missing_only_when_all_nodes_together_lack_it(company, basket, region, worth):
    moment = situation(*open_nodes(), positions=worth)
    plan = Planner(moment, stock(**company)).plan(demand(*basket, region=region, city=""), BUILT_IN)
    for sku, units in asked_of(basket).items():
        there_is = sum(held.get(sku, 0) for held in company.values())
        assert sum(item.quantity for item in plan.missing if item.sku_id == sku) == max(0, units - there_is)


@given(company=companies, basket=baskets, region=destinations, worth=worths, seed=st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_the_order_of_lines_and_nodes_does_not_matter(company, basket, region, worth, seed):
    dice = random.Random(seed)
    moment = situation(*open_nodes(), positions=worth)
    straight = Planner(moment, stock(**company)).plan(demand(*basket, region=region, city=""), BUILT_IN)
    shuffled = replace(moment, nodes=tuple(dice.sample(moment.nodes, len(moment.nodes))))
    lines = dice.sample(basket, len(basket))
    other = Planner(shuffled, stock(**company)).plan(demand(*lines, region=region, city=""), BUILT_IN)

    def per_sku(plan):
        return [(p.node_code, sorted((sku, units_of(p.items, sku)) for sku in (A, B, C))) for p in plan.parcels]

    assert per_sku(straight) == per_sku(other)
    assert (straight.cost, straight.runner_up) == (other.cost, other.runner_up)


def units_of(items, sku):
    return sum(item.quantity for item in items if item.sku_id == sku)


@given(company=companies, wanted=batches, region=destinations, worth=worths, published=presets)
@settings(max_examples=50, deadline=None)
def test_the_same_inputs_decide_the_same_also_after_they_were_kept(company, wanted, region, worth, published):
    demands = [demand(*basket, region=region, city="", reference=str(n)) for n, basket in enumerate(wanted)]
    inputs = demands, situation(*open_nodes(), positions=worth, carriers=tariffs(region)), stock(**company)
    again = pickle.loads(pickle.dumps(inputs))
    first, second = (plan_all(*one, lambda _demand: published) for one in (inputs, again))
    assert first == second
    assert [plan.candidates for plan in first] == [plan.candidates for plan in second]


# -- against brute force ----------------------------------------------------------------------------------


def every_way(company, basket):
    """Yield every way to divide a basket among all nodes: node code → SKU → units."""
    asked = asked_of(basket)
    codes = sorted(company)
    per_sku = [
        [
            units
            for units in product(*(range(min(quantity, company[code].get(sku, 0)) + 1) for code in codes))
            if sum(units) == quantity
        ]
        for sku, quantity in asked.items()
    ]
    for choice in product(*per_sku):
        way = {
            code: {sku: units[place] for sku, units in zip(asked, choice, strict=True) if units[place]}
            for place, code in enumerate(codes)
        }
        yield {code: contents for code, contents in way.items() if contents}


def cost_of(way, worth, region, weights):
    """Reckon a way by hand, with the tariffs of the brute-force tests and nothing waiting anywhere."""
    total = weights.split * (len(way) - 1)
    for code, contents in way.items():
        carrier = BY_GRAM if CAPITALS[code] in ("31", "44") else FAR
        grams = sum(GOODS[sku].weight_g * units for sku, units in contents.items())
        total += carrier.first_price + (grams - 1) * carrier.step_price + 3.0
        for sku, units in contents.items():
            position = worth.get((sku, IDS[code]), Position())
            total += units * (weights.balance * position.shadow_price - weights.markdown * position.is_markdown)
    return total


SMALL = st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(1, 2)), min_size=1, max_size=3)


@given(company=companies, basket=SMALL, region=destinations, worth=worths, split=st.sampled_from([0.0, 2.0, 6.0]))
@settings(max_examples=250, deadline=None)
def test_one_parcel_or_two_are_as_cheap_as_brute_force_finds(company, basket, region, worth, split):
    weights = Weights(split=split)
    published = PublishedPolicy(
        "law", 1, Policy(groups=(Group(name="all", weights=weights, hard=Hard(most_parcels=2)),))
    )
    moment = situation(*open_nodes(), positions=worth, carriers=tariffs(region), goods=GOODS)
    plan = Planner(moment, stock(**company)).plan(demand(*basket, region=region, city=""), published)
    ways = [cost_of(way, worth, region, weights) for way in every_way(company, basket) if len(way) <= 2]
    assert bool(ways) is not bool(plan.missing)
    if ways:
        assert plan.cost == pytest.approx(min(ways), abs=0.05)


WHOLE = st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=3, unique=True).map(
    lambda skus: [(s, 1) for s in skus]
)


@given(company=companies, basket=WHOLE, region=destinations, worth=worths, split=st.sampled_from([0.0, 1.0, 6.0]))
@settings(max_examples=250, deadline=None)
def test_of_single_units_any_number_of_parcels_is_as_cheap_as_brute_force_finds(company, basket, region, worth, split):
    weights = Weights(split=split)
    published = PublishedPolicy("law", 1, Policy(groups=(Group(name="all", weights=weights),)))
    moment = situation(*open_nodes(), positions=worth, carriers=tariffs(region), goods=GOODS)
    plan = Planner(moment, stock(**company)).plan(demand(*basket, region=region, city=""), published)
    ways = [cost_of(way, worth, region, weights) for way in every_way(company, basket)]
    assert bool(ways) is not bool(plan.missing)
    if ways:
        assert plan.cost == pytest.approx(min(ways), abs=0.05)


@given(company=companies, basket=baskets, region=destinations, worth=worths)
@settings(max_examples=150, deadline=None)
def test_many_units_are_never_dearer_than_filling_from_the_cheapest_lane(company, basket, region, worth):
    moment = situation(*open_nodes(), positions=worth, carriers=tariffs(region), goods=GOODS)
    plan = Planner(moment, stock(**company)).plan(demand(*basket, region=region, city=""), BUILT_IN)
    if plan.missing:
        return
    still, way = asked_of(basket), {}
    for code in sorted(CAPITALS, key=lambda code: (CAPITALS[code] not in ("31", "44"), code)):
        sent = {sku: min(units, company[code].get(sku, 0)) for sku, units in still.items()}
        still = {sku: units - sent[sku] for sku, units in still.items()}
        if any(sent.values()):
            way[code] = {sku: units for sku, units in sent.items() if units}
    assert plan.cost <= cost_of(way, worth, region, BUILT_IN.policy.groups[0].weights) + 0.05


def test_many_units_over_many_nodes_are_near_what_brute_force_finds():
    gaps = []
    for seed in range(60):
        chance = random.Random(seed)
        company = {code: {sku: chance.randint(0, 2) for sku in (A, B)} for code in CAPITALS}
        basket = [(sku, min(chance.randint(2, 5), sum(held[sku] for held in company.values()))) for sku in (A, B)]
        worth = {(sku, node_id): Position(chance.randint(0, 4)) for sku in (A, B) for node_id in IDS.values()}
        if min(units for _sku, units in basket) == 0:
            continue
        moment = situation(*open_nodes(), positions=worth, carriers=tariffs("31"), goods=GOODS)
        plan = Planner(moment, stock(**company)).plan(demand(*basket, region="31", city=""), BUILT_IN)
        assert not plan.missing
        weights = BUILT_IN.policy.groups[0].weights
        best = min(cost_of(way, worth, "31", weights) for way in every_way(company, basket))
        gaps.append(plan.cost / best - 1)
    assert len(gaps) > 50
    assert sum(gaps) / len(gaps) < 0.001
    assert max(gaps) < 0.01


# -- what makes it cheaper --------------------------------------------------------------------------------


@given(company=companies, basket=SMALL, region=destinations, worth=worths, gone=st.sampled_from(list(CAPITALS)))
@settings(max_examples=150, deadline=None)
def test_one_node_more_never_makes_the_best_dearer(company, basket, region, worth, gone):
    moment = situation(*open_nodes(), positions=worth, carriers=tariffs(region), goods=GOODS)
    fewer = replace(moment, nodes=tuple(node for node in moment.nodes if node.code != gone))
    wanted = demand(*basket, region=region, city="")
    with_it, without = (Planner(one, stock(**company)).plan(wanted, BUILT_IN) for one in (moment, fewer))
    units = [sum(missing(plan).values()) for plan in (with_it, without)]
    assert units[0] <= units[1]
    if units[0] == units[1]:
        assert with_it.cost <= without.cost + 0.05


@given(
    company=companies,
    basket=SMALL,
    region=destinations,
    worth=worths,
    term=st.sampled_from(["freight", "pick", "split", "balance"]),
)
@settings(max_examples=150, deadline=None)
def test_a_term_that_counts_less_never_makes_the_best_dearer(company, basket, region, worth, term):
    moment = situation(*open_nodes(), positions=worth, carriers=tariffs(region), goods=GOODS)
    wanted = demand(*basket, region=region, city="")
    costs = []
    for factor in (1.0, 0.5):
        weights = replace_term(term, factor)
        published = PublishedPolicy("law", 1, Policy(groups=(Group(name="all", weights=weights),)))
        costs.append(Planner(moment, stock(**company)).plan(wanted, published).cost)
    assert costs[1] <= costs[0] + 0.05


def replace_term(term, factor):
    return Weights(**{term: getattr(Weights(), term) * factor})


@given(company=companies, basket=SMALL, region=destinations)
@settings(max_examples=100, deadline=None)
def test_whoever_could_send_all_alone_is_never_cheaper_than_the_plan(company, basket, region):
    moment = situation(*open_nodes(), carriers=tariffs(region), goods=GOODS)
    plan = Planner(moment, stock(**company)).plan(demand(*basket, region=region, city=""), BUILT_IN)
    able = {
        code
        for (code,) in combinations(CAPITALS, 1)
        if all(company[code].get(sku, 0) >= units for sku, units in asked_of(basket).items())
    }
    told = {candidate.node_code: candidate.cost for candidate in plan.candidates if candidate.verdict == "able"}
    assert set(told) == able
    assert all(plan.cost <= cost + 0.05 for cost in told.values())


@given(company=companies, basket=baskets, region=destinations)
@settings(max_examples=50, deadline=None)
def test_asking_why_changes_nothing(company, basket, region):
    held = stock(**company)
    moment = situation(*open_nodes(), carriers=tariffs(region), goods=GOODS)
    planner = Planner(moment, held)
    plan = planner.plan(demand(*basket, region=region, city=""), BUILT_IN)
    left, told = copy.deepcopy(held), plan.candidates
    later = planner.plan(demand(*basket, region=region, city="", reference="O2"), BUILT_IN)
    assert {candidate.node_code for candidate in told} == set(CAPITALS)
    assert plan.candidates == told
    fresh = Planner(replace(moment, nodes=tuple(after(moment.nodes, plan))), left)
    assert fresh.plan(demand(*basket, region=region, city="", reference="O2"), BUILT_IN) == later


def after(nodes, plan):
    """Return the nodes with what a plan took of them."""
    used = {parcel.node_id for parcel in plan.parcels}
    for one in nodes:
        taken = one.node_id in used
        yield replace(one, parcels_left=one.parcels_left - taken, backlog=one.backlog + taken)
