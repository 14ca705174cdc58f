"""Many orders together: never more than there is, never dearer than the start, and what is called proven is true."""

import random
from itertools import product
from math import inf

import numpy as np
import pytest

from orders.rules.routing import bounding, local_search, master, optimiser
from orders.rules.routing.columns import Joint, Wish, shape_of
from orders.rules.routing.local_search import Search

UNSENT = 100.0
needs_solver = pytest.mark.skipif(not master.IS_THERE, reason="the solver is not installed")


def wish(reference, units, costs, *, split=5.0, kept=None):
    """Return an order: ``units`` is SKU → quantity, ``costs`` what a parcel costs per node, whatever is in it."""
    skus = tuple(sorted(units, key=lambda sku: (-units[sku], sku)))
    shape = shape_of(tuple(units[sku] for sku in skus), 5)
    return Wish(reference, skus, shape, np.array([costs] * len(shape.contents), dtype=float), split, kept)


def problem(seed, orders=7, nodes=3, skus=3):
    """Return a problem small enough to try everything, with stock and room that both run out."""
    chance = random.Random(seed)
    stock = {(sku, node): chance.randint(0, orders // 2) for sku in range(skus) for node in range(nodes)}
    wishes = []
    for number in range(orders):
        units = {sku: chance.choice((1, 1, 2)) for sku in chance.sample(range(skus), chance.randint(1, 2))}
        wishes.append(wish(str(number), units, [chance.randint(3, 30) for _ in range(nodes)]))
    return Joint(wishes, stock, [chance.randint(1, orders) for _ in range(nodes)])


def plans_of(joint, place):
    """Return every plan of an order, found without the code under test."""
    one, nodes = joint.wishes[place], range(len(joint.room))
    wanted = one.shape.contents[-1]
    number = {content: at for at, content in enumerate(one.shape.contents)}
    ways = [[way for way in product(range(units + 1), repeat=len(nodes)) if sum(way) == units] for units in wanted]
    for way in product(*ways):
        contents = [(node, tuple(per_sku[node] for per_sku in way)) for node in nodes]
        yield tuple((node, number[content]) for node, content in contents if any(content))


def optimum(joint):
    """Return the cost of the best answer by trying all of them, order after order with what is left."""
    units = [sorted({(sku, node) for sku in range(9) for node in range(len(joint.room))})][0]
    best = {(tuple(joint.stock.get(key, 0) for key in units), tuple(joint.room)): 0.0}
    for place, one in enumerate(joint.wishes):
        after = {}
        for (stock, room), cost in best.items():
            after[stock, room] = min(after.get((stock, room), inf), cost + UNSENT)
            for plan in plans_of(joint, place):
                left, rooms = dict(zip(units, stock, strict=True)), list(room)
                for sku, node, quantity in one.units(plan):
                    left[sku, node] -= quantity
                for node, _content in plan:
                    rooms[node] -= 1
                if min(left.values()) >= 0 and min(rooms) >= 0:
                    key = tuple(left[at] for at in units), tuple(rooms)
                    after[key] = min(after.get(key, inf), cost + one.cost(plan))
        best = after
    return min(best.values())


def solve(joint, **options):
    return optimiser.solve(joint, np.full(len(joint.wishes), UNSENT), **options)


def assert_possible(joint, plans):
    """Check an answer by counting from the beginning: no more stock and room than there is, each order whole."""
    stock, room = dict(joint.stock), list(joint.room)
    for one, plan in zip(joint.wishes, plans, strict=True):
        sent = dict.fromkeys(one.skus, 0)
        for sku, node, units in one.units(plan or ()):
            stock[sku, node] = stock.get((sku, node), 0) - units
            sent[sku] += units
        for node, _content in plan or ():
            room[node] -= 1
        if plan is not None:
            assert tuple(sent[sku] for sku in one.skus) == one.shape.contents[-1]
    assert min(stock.values()) >= 0
    assert min(room) >= 0


def cost_of(joint, plans):
    return sum(UNSENT if plan is None else one.cost(plan) for one, plan in zip(joint.wishes, plans, strict=True))


@pytest.mark.parametrize(
    ("quantities", "most_parcels", "contents", "sums"),
    [
        pytest.param((1, 1, 1), 5, 7, 5, id="three single units"),
        pytest.param((1, 1, 1), 2, 7, 4, id="in at most two parcels"),
        pytest.param((2,), 5, 2, 2, id="two of one"),
        pytest.param((2, 2), 5, 8, 9, id="a line may be split"),
        pytest.param((50, 3, 3), 5, 7, 5, id="many units travel by whole lines"),
        pytest.param((9,) * 7, 5, 127, 64, id="many lines travel in at most two parcels"),
    ],
)
def test_a_shape_lists_every_way_to_divide_an_order(quantities, most_parcels, contents, sums):
    shape = shape_of(quantities, most_parcels)
    assert (len(shape.contents), len(shape.sums)) == (contents, sums)
    for one in shape.sums:
        assert tuple(map(sum, zip(*(shape.contents[part] for part in one), strict=True))) == quantities
    assert len(set(shape.sums)) == sums


def test_an_order_of_too_many_lines_has_no_shape():
    assert shape_of((1,) * 12, 5) is None


@needs_solver
@pytest.mark.parametrize("seed", range(12))
def test_a_small_problem_is_solved_to_the_optimum_and_says_so(seed):
    joint = problem(seed)
    answer = solve(joint, seconds=60)
    assert answer.how == "proven"
    assert answer.cost == pytest.approx(optimum(joint))
    assert answer.bound == answer.cost
    assert_possible(joint, answer.plans)
    assert cost_of(joint, answer.plans) == pytest.approx(answer.cost)


@pytest.mark.parametrize("seed", range(12))
def test_without_a_solver_plans_are_possible_and_the_bound_holds(seed):
    joint = problem(seed)
    answer = solve(joint, seconds=60, with_solver=False)
    best = optimum(joint)
    assert answer.how == "no_solver"
    assert answer.bound <= best + 1e-6 <= answer.cost + 2e-6
    assert_possible(joint, answer.plans)
    assert cost_of(joint, answer.plans) == pytest.approx(answer.cost)


def test_the_bound_of_prices_never_passes_the_optimum_at_any_step():
    joint = problem(3)
    best = optimum(joint)
    for steps in (1, 2, 5, 20, 160):
        prices = bounding.ascend(joint, np.full(len(joint.wishes), UNSENT), lambda: False, steps)
        assert prices.bound <= best + 1e-6


@needs_solver
def test_the_last_unit_goes_where_it_saves_most():
    """One unit at the near node: alone, either order would take it; together, who has no other choice gets it."""
    joint = Joint([wish("patient", {1: 1}, [5, 6]), wish("stuck", {1: 1}, [5, 40])], {(1, 0): 1, (1, 1): 1}, [9, 9])
    answer = solve(joint)
    assert answer.plans == (((1, 0),), ((0, 0),))
    assert (answer.cost, answer.how) == (11, "proven")


@needs_solver
@pytest.mark.parametrize("with_solver", [True, False])
def test_kept_plans_are_never_made_dearer_or_dropped(with_solver):
    for seed in range(8):
        before = problem(seed, orders=6)
        search = Search(before, [UNSENT] * 6)
        local_search.fill(search, bounding.free(before).padded)
        kept = [
            Wish(one.reference, one.skus, one.shape, one.costs, one.split, plan)
            for one, plan in zip(before.wishes, search.plans, strict=True)
        ]
        joint = Joint(kept, before.stock, before.room)
        answer = solve(joint, with_solver=with_solver)
        assert answer.cost <= answer.start + 1e-9
        assert sum(plan is None for plan in answer.plans) <= sum(plan is None for plan in search.plans)


@needs_solver
def test_the_same_problem_has_the_same_answer():
    first, second = solve(problem(5, orders=30, nodes=6, skus=8)), solve(problem(5, orders=30, nodes=6, skus=8))
    assert first.plans == second.plans


@needs_solver
def test_a_large_problem_is_chosen_group_by_group_within_its_bound(monkeypatch):
    monkeypatch.setattr(optimiser, "SMALL", 0)
    monkeypatch.setattr(optimiser, "GROUP", 10)
    joint = problem(11, orders=60, nodes=8, skus=12)
    answer = solve(joint, seconds=60)
    assert answer.how == "near"
    assert_possible(joint, answer.plans)
    monkeypatch.undo()
    proven = solve(problem(11, orders=60, nodes=8, skus=12), seconds=60)
    assert proven.how == "proven"
    assert answer.bound <= proven.cost + 1e-6 <= answer.cost + 2e-6


def test_when_time_is_over_at_once_the_answer_is_still_possible():
    joint = problem(2)
    moments = iter(range(0, 10_000, 100))
    answer = solve(joint, seconds=1, clock=lambda: float(next(moments)))
    assert answer.how == ("time" if master.IS_THERE else "no_solver")
    assert_possible(joint, answer.plans)


def test_what_nobody_can_send_stays_unsent_and_nothing_at_all_is_no_problem():
    nobody = wish("nobody", {1: 1}, [inf, inf])
    answer = solve(Joint([nobody, wish("one", {1: 1}, [4, 9])], {(1, 0): 5}, [9, 9]))
    assert answer.plans == (None, ((0, 0),))
    assert answer.cost == UNSENT + 4
    assert solve(Joint([], {}, [3])).plans == ()
