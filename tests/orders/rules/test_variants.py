"""What a what-if run changes, and what it carries from round to round."""

from datetime import UTC, date, datetime

import pytest

from orders.rules.routing import kpis, variants
from orders.rules.routing.facts import Demand, Item, NodeFacts, Situation
from orders.rules.routing.plans import Parcel, Plan
from orders.rules.routing.policy import BUILT_IN, PRESETS
from orders.rules.routing.variants import Changes, Drift, Storm

AT = datetime(2026, 11, 2, 4, tzinfo=UTC)
SKU, OTHER = 7, 8


def node(node_id: int, **facts) -> NodeFacts:
    told = {"parcels_left": 10, "backlog": 4, "parcels_per_hour": 20} | facts
    return NodeFacts(node_id, f"N{node_id}", "31", 31.2, 121.5, frozenset({"31"}), True, **told)


def plan(reference: str, *parcels: tuple[int, int], cost: float = 5.0, **facts) -> Plan:
    sent = tuple(
        Parcel(node_id, f"N{node_id}", (Item(1, SKU, units),), 12.5, cost, **facts) for node_id, units in parcels
    )
    return Plan(reference, "main/1", "all", sent, ())


WAS = Situation(at=AT, nodes=(node(1), node(2)))


def test_nothing_changed_leaves_everything_as_it_was():
    stock = {SKU: {1: 5, 2: 0}}
    assert variants.situation(WAS, Changes(), Drift()) == WAS
    assert variants.stock(stock, Changes(), Drift()) == stock
    assert variants.policy(BUILT_IN, Changes()) is BUILT_IN


def test_factors_and_nodes_that_are_off():
    changes = Changes(nodes_off=("N2",), capacity_factor=0.5, stock_factor=0.5)
    first, second = variants.situation(WAS, changes, Drift()).nodes
    assert (first.is_active, first.parcels_left, first.parcels_per_hour) == (True, 5, 10)
    assert not second.is_active
    assert variants.stock({SKU: {1: 5, 2: 3}}, changes, Drift()) == {SKU: {1: 2, 2: 2}}


def test_a_storm_is_one_disruption_more():
    storm = Storm(effect="delays", to_regions=("44",), delay_hours=24.0)
    found = variants.situation(WAS, Changes(storm=storm), Drift()).disruptions
    assert [(one.effect, one.to_regions, one.delay_hours) for one in found] == [("delays", frozenset({"44"}), 24.0)]


def test_what_was_taken_elsewhere_is_there_and_what_was_taken_here_is_not():
    drift = Drift()
    drift.count([plan("A", (1, 3))], [plan("A", (2, 2), (3, 1))])
    assert variants.stock({SKU: {1: 5, 2: 5}, OTHER: {1: 1}}, Changes(), drift) == {
        SKU: {1: 8, 2: 3},
        OTHER: {1: 1},
    }
    first, second = variants.situation(WAS, Changes(), drift).nodes
    assert (first.parcels_left, first.backlog) == (11, 3)
    assert (second.parcels_left, second.backlog) == (9, 5)


def test_stock_that_only_the_variant_left_is_found_at_a_node_that_was_empty():
    drift = Drift()
    drift.count([plan("A", (1, 3))], [])
    assert variants.stock({SKU: {2: 1}}, Changes(), drift) == {SKU: {2: 1, 1: 3}}


def test_stock_and_room_never_fall_below_nothing():
    drift = Drift()
    drift.count([], [plan("A", (1, 50)) for _ in range(12)])
    assert variants.stock({SKU: {1: 5}}, Changes(), drift) == {SKU: {1: 0}}
    assert variants.situation(WAS, Changes(), drift).nodes[0].parcels_left == 0


def test_room_is_of_the_day_and_stock_is_not():
    drift = Drift()
    drift.of_day(date(2026, 11, 2))
    drift.count([plan("A", (1, 3))], [])
    drift.of_day(date(2026, 11, 3))
    assert variants.situation(WAS, Changes(), drift).nodes[0].parcels_left == 10
    assert variants.stock({SKU: {1: 1}}, Changes(), drift) == {SKU: {1: 4}}


@pytest.mark.parametrize(
    ("factor", "references"),
    [
        (1.0, ["A", "B", "C", "D"]),
        (1.5, ["A", "B", "C", "D", "B~1", "D~1"]),
        (2.0, ["A", "B", "C", "D", "A~1", "B~1", "C~1", "D~1"]),
        (2.25, ["A", "B", "C", "D", "A~1", "B~1", "C~1", "D~1", "D~2"]),
    ],
)
def test_a_campaign_repeats_the_same_orders_each_time(factor, references):
    told = [Demand(name, "31", "", (Item(1, SKU, 1),)) for name in "ABCD"]
    assert [one.reference for one in variants.demands(told, Changes(demand_factor=factor))] == references


def test_changes_survive_being_kept():
    changes = Changes(policy=PRESETS["store-first"], policy_name="store-first", nodes_off=("N1",), storm=Storm())
    assert variants.from_json(variants.to_json(changes)) == changes


def test_figures_are_the_sums_of_what_was_decided():
    figures = kpis.Kpis()
    soon, late = datetime(2026, 11, 4, 16, tzinfo=UTC), date(2026, 11, 5)
    figures.add(
        Demand("A", "31", "", (Item(1, SKU, 1),), deliver_by=soon), plan("A", (1, 1), (2, 1), arrives_until=late)
    )
    figures.add(Demand("B", "44", "", (Item(1, SKU, 2),)), Plan("B", "main/1", "all", (), (Item(1, SKU, 2),)))
    assert figures.stored() == {
        "orders": 2, "cost": 10.0, "parcels": 2, "km": 25, "promised": 1, "late": 1, "unfilled_orders": 1,
        "unfilled_units": 2, "by_node": {"N1": 1, "N2": 1}, "by_region": {"31": [1, 10.0, 1], "44": [1, 0.0, 0]},
    }  # fmt: skip
    assert kpis.per_order(figures.stored()) == {"cost": 5.0, "parcels": 1.0, "km": 12.5, "kept": 0.0}


@pytest.mark.parametrize(("last", "is_late"), [(date(2026, 11, 4), False), (date(2026, 11, 5), True)])
def test_coming_on_the_promised_day_is_not_late(last, is_late):
    promised = datetime(2026, 11, 4, 16, tzinfo=UTC)
    assert kpis.will_be_late(plan("A", (1, 1), arrives_until=last), promised) is is_late
    assert not kpis.will_be_late(plan("A", (1, 1), arrives_until=last), None)
