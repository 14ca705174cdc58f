"""Routing many orders together: how near the optimum, how fast, and how it grows; beside it one by one, and the
nearest node. Every plan is priced by the same costs, and every gap is above the bound of the same instance and run.

The solver's clock is the process's CPU time, on one thread, so that a busy machine does not change the answers; wall
seconds are shown beside it. See ``routing_instances`` for the instances.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database
from benchmarks.options import Options
from benchmarks.routing_instances import POLICY, Instance, make
from inventory.rules.geography import distance_km, locate
from orders.rules.routing import joining, optimiser, planner
from orders.rules.routing.columns import Plan
from orders.rules.routing.joining import Candidate, Joined
from orders.rules.routing.optimiser import Answer

SEEDS: Final = (1, 2, 3, 4, 5)
ORDERS: Final = 1_000
SECONDS: Final = 10.0
GROWTH: Final = (1_000, 4_000, 16_000)
Shares = Mapping[int, Mapping[int, int]]  # node id → SKU id → units


@dataclass(frozen=True)
class Solved:
    """One instance with its joint problem and answer."""

    instance: Instance
    joined: Joined
    answer: Answer
    cpu: float
    wall: float


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Measure quality on five instances, proof on small ones, and growth."""
    _show_quality(figures)
    _show_small(figures)
    _show_growth(figures)


def _show_quality(figures: Figures) -> None:
    figures.heading(f"joint routing: {ORDERS:,} orders of three lines over 50 nodes, five seeds")
    gaps: dict[str, list[float]] = {"batch": [], "online": [], "nearest_then_split": []}
    cpus, walls, unsent = [], [], 0
    for seed in SEEDS:
        solved = solve(make(seed, ORDERS), SECONDS)
        bound = solved.answer.bound
        gaps["batch"].append(100 * solved.answer.gap)
        for name, found in (("online", online(solved.instance)), ("nearest_then_split", nearest(solved.instance))):
            cost, left = price(solved.joined, found)
            unsent += left
            gaps[name].append(100 * (cost / bound - 1))
        cpus.append(solved.cpu)
        walls.append(solved.wall)
        figures.show(f"batch_gap_percent_seed_{seed}", gaps["batch"][-1], at_most(1.5))
    figures.show("batch_gap_percent", _mean(gaps["batch"]), at_most(1.5))
    figures.show("batch_cpu_seconds", max(cpus), at_most(SECONDS))
    figures.show("batch_wall_seconds", max(walls))
    figures.show("online_gap_percent", _mean(gaps["online"]), at_most(10))
    figures.show("nearest_then_split_gap_percent", _mean(gaps["nearest_then_split"]))
    figures.show("orders_not_sent_by_any_way", unsent, at_most(0))


def _show_small(figures: Figures) -> None:
    figures.heading("joint routing: 100 orders, solved to the optimum")
    answers = [solve(make(seed, 100, room=2.0), 60.0) for seed in SEEDS]
    figures.show("proven_optimum_of_five", sum(one.answer.how == "proven" for one in answers))
    figures.show("proven_cpu_seconds", max(one.cpu for one in answers), at_most(SECONDS))


def _show_growth(figures: Figures) -> None:
    figures.heading("joint routing: growth")
    cpus = []
    for orders in GROWTH:
        solved = solve(make(1, orders), 600.0)
        cpus.append(solved.cpu)
        figures.show(f"batch_cpu_seconds_{orders}", solved.cpu)
        figures.show(f"batch_gap_percent_{orders}", 100 * solved.answer.gap)
    steps = [math.log(after / before) / math.log(4) for before, after in zip(cpus, cpus[1:], strict=False)]
    figures.show("growth_exponent", max(steps), at_most(1.3))


def solve(instance: Instance, seconds: float) -> Solved:
    """Join and solve an instance; the time includes both."""
    cpu, wall = time.process_time(), time.monotonic()
    joined = joining.join(
        [Candidate(demand, POLICY) for demand in instance.demands], instance.situation, instance.stock
    )
    left = seconds - (time.process_time() - cpu)
    answer = optimiser.solve(joined.joint, joined.unsent, seconds=left, clock=time.process_time)
    return Solved(instance, joined, answer, time.process_time() - cpu, time.monotonic() - wall)


def online(instance: Instance) -> dict[str, Shares | None]:
    """Return what the planner gives each order, one after the other."""
    plans = planner.plan_all(instance.demands, instance.situation, instance.fresh_stock(), lambda _demand: POLICY)
    found: dict[str, Shares | None] = {}
    for plan in plans:
        shares = {p.node_id: {item.sku_id: item.quantity for item in p.items} for p in plan.parcels}
        found[plan.reference] = None if plan.missing else shares
    return found


def nearest(instance: Instance) -> dict[str, Shares | None]:
    """Return the usual way: the nearest node that has all; else the node that has most, then the next."""
    stock = instance.fresh_stock()
    room = {node.node_id: node.parcels_left for node in instance.situation.nodes}
    found: dict[str, Shares | None] = {}
    for demand in instance.demands:
        here = locate(demand.region, demand.city)
        by_km = sorted(
            (distance_km((node.latitude or 0.0, node.longitude or 0.0), here), node.node_id)
            for node in instance.situation.nodes
        )
        wanted = {item.sku_id: item.quantity for item in demand.items}
        shares = _nearest(wanted, [node_id for _km, node_id in by_km if room[node_id] > 0], stock)
        for node_id, units in (shares or {}).items():
            room[node_id] -= 1
            for sku_id, quantity in units.items():
                stock[sku_id][node_id] -= quantity
        found[demand.reference] = shares
    return found


def _nearest(wanted: Mapping[int, int], nodes: Sequence[int], stock: Mapping[int, Mapping[int, int]]) -> Shares | None:
    left, shares = dict(wanted), dict[int, dict[int, int]]()
    while left:
        offers = [
            {sku_id: units for sku_id, want in left.items() if (units := min(want, stock[sku_id].get(node_id, 0))) > 0}
            for node_id in nodes
        ]
        best = max(range(len(nodes)), key=lambda place: (sum(offers[place].values()), -place), default=None)
        if best is None or not offers[best]:
            return None
        shares[nodes[best]] = offers[best]
        left = {sku: want - offers[best].get(sku, 0) for sku, want in left.items() if want > offers[best].get(sku, 0)}
        nodes = [node_id for node_id in nodes if node_id not in shares]
    return shares


def price(joined: Joined, found: Mapping[str, Shares | None]) -> tuple[float, int]:
    """Return what these plans cost in the joint problem's costs, and how many orders they do not send."""
    node = {facts.node_id: place for place, facts in enumerate(joined.nodes)}
    cost, unsent = 0.0, 0
    for wish in joined.joint.wishes:
        shares = found[wish.reference]
        if shares is None:
            unsent += 1
            continue
        number = {content: place for place, content in enumerate(wish.shape.contents)}
        plan: Plan = tuple(
            (node[node_id], number[tuple(units.get(sku_id, 0) for sku_id in wish.skus)])
            for node_id, units in shares.items()
        )
        cost += wish.cost(plan)
    return cost, unsent


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
