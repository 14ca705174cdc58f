"""Routing one order after the other: how long one takes, with three carriers on every lane and worth on half the stock.

Planning is timed order by order, the first orders to a city, which work out its reach, among them. The bar is on CPU
time, so that a busy machine does not change the verdict; wall time is shown beside it.
Telling why is timed apart: every candidate with its terms, the runner-up and what would have changed the decision.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from benchmarks.figures import Bar, Figures, at_most
from benchmarks.machine import Database
from benchmarks.options import Options
from inventory.rules.cities import CITIES
from inventory.rules.geography import MAINLAND, distance_km, locate
from orders.rules.routing.facts import CarrierOption, Demand, Goods, Item, NodeFacts, Position, Situation, Stock
from orders.rules.routing.planner import Planner
from orders.rules.routing.plans import Plan
from orders.rules.routing.policy import BUILT_IN

AT: Final = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
ORDERS: Final = 1_000
SKUS: Final = 200
PLACES: Final = sorted(place for place in CITIES if place[0] in MAINLAND)
CARRIERS: Final = (("SF", 1.8, 0.02), ("YT", 1.0, 0.10), ("ZT", 0.9, 0.12))  # code, how dear, how often late
T = TypeVar("T")


def run(figures: Figures, options: Options, database: Database) -> None:
    """Show what planning an order costs, for the usual order and for the hardest one asked for."""
    figures.heading("Routing one order after the other")
    for nodes, lines in ((12, 2), (50, 2), (50, 5)):
        chance = random.Random(nodes * 10 + lines)
        planner = Planner(*_company(chance, nodes))
        plans, cpu, wall = _timed([_planning(planner, demand) for demand in _demands(chance, lines)])
        name = f"online_{nodes}_nodes_{lines}_lines"
        _show(figures, f"{name}_cpu", cpu, at_most(20.0))
        _show(figures, f"{name}_wall", wall, None)
        _told, told, _wall = _timed([_asking(plan) for plan in plans])
        figures.show(f"{name}_why_cpu_mean_ms", round(_mean(told), 3))
        figures.show(f"{name}_split_percent", round(100 * _share(plans, lambda plan: len(plan.parcels) > 1), 1))
        figures.show(f"{name}_short_percent", round(100 * _share(plans, lambda plan: bool(plan.missing)), 1))


def _planning(planner: Planner, demand: Demand) -> Callable[[], Plan]:
    return lambda: planner.plan(demand, BUILT_IN)


def _asking(plan: Plan) -> Callable[[], int]:
    return lambda: len(plan.candidates) + len(plan.changes)


def _timed(deeds: Sequence[Callable[[], T]]) -> tuple[list[T], list[float], list[float]]:
    """Do one after the other; return the answers and the milliseconds of each, CPU and wall."""
    answers, cpu, wall = [], [], []
    for deed in deeds:
        began, worked = time.perf_counter(), time.thread_time()
        answers.append(deed())
        cpu.append(1000 * (time.thread_time() - worked))
        wall.append(1000 * (time.perf_counter() - began))
    return answers, cpu, wall


def _show(figures: Figures, name: str, times: Sequence[float], bar: Bar | None) -> None:
    ordered = sorted(times)
    figures.show(f"{name}_mean_ms", round(_mean(times), 3))
    figures.show(f"{name}_p50_ms", round(ordered[len(ordered) // 2], 3))
    figures.show(f"{name}_p99_ms", round(ordered[len(ordered) * 99 // 100], 3), bar)


def _mean(times: Sequence[float]) -> float:
    return sum(times) / len(times)


def _share(plans: Sequence[Plan], holds: Callable[[Plan], bool]) -> float:
    return sum(map(holds, plans)) / len(plans)


def _company(chance: random.Random, count: int) -> tuple[Situation, Stock]:
    """Return nodes in so many cities; every SKU lies at half of them, half of its stock is worth something there."""
    nodes = tuple(
        NodeFacts(
            node_id=number, code=f"N{number:02}", region=region, latitude=None, longitude=None, serves=MAINLAND,
            is_active=True, parcels_left=1_000_000, city=city,
        )
        for number, (region, city) in enumerate(chance.sample(PLACES, count), 1)
    )  # fmt: skip
    stock: Stock = {
        sku: {node.node_id: chance.randint(1, 60) for node in nodes if chance.random() < 0.5} for sku in range(SKUS)
    }
    levels = [(sku, node_id) for sku, by_node in stock.items() for node_id in by_node]
    worth = {
        level: Position(round(chance.random(), 2), is_markdown=chance.random() < 0.1)
        for level in levels
        if chance.random() < 0.5
    }
    goods = {sku: Goods(weight_g=chance.choice([200, 350, 500, 900, 1500])) for sku in range(SKUS)}
    lanes = {(own, other): _tariffs(own, other) for own in {node.region for node in nodes} for other in MAINLAND}
    return Situation(AT, nodes, goods, lanes, positions=worth), stock


def _tariffs(own: str, other: str) -> tuple[CarrierOption, ...]:
    km = distance_km(locate(own), locate(other))
    return tuple(
        CarrierOption(code, 1000, dear * (4 + km / 400), 1000, dear * (1 + km / 800), 12 + km / 40, 24 + km / 25, late)
        for code, dear, late in CARRIERS
    )


def _demands(chance: random.Random, lines: int) -> list[Demand]:
    """Return orders to cities of which the first ones have most of the orders."""
    cities = chance.sample(PLACES, len(PLACES))
    return [
        Demand(
            f"O{number:05}",
            *cities[int(len(cities) * chance.random() ** 2)],
            tuple(
                Item(line, sku, chance.randint(1, 2)) for line, sku in enumerate(chance.sample(range(SKUS), lines), 1)
            ),
        )
        for number in range(ORDERS)
    ]
