"""Generalised assignment: limits hold, bounds are true, small problems are solved to the optimum."""

import random
from itertools import product

import numpy as np
import pytest

from benchmarks import gap
from orders.rules.routing import master
from orders.rules.routing.assignment import Problem, assign


def problem(seed, agents=3, jobs=7):
    """Return a problem in the manner of the OR-Library's type c: limits at four fifths of an even share."""
    chance = random.Random(seed)
    needs = np.array([[chance.randint(5, 25) for _ in range(jobs)] for _ in range(agents)], dtype=float)
    costs = np.array([[chance.randint(10, 50) for _ in range(jobs)] for _ in range(agents)], dtype=float)
    return Problem(costs, needs, np.floor(0.8 * needs.sum(axis=1) / agents))


def best_of(made):
    """Return the least cost by trying everything; None when nothing keeps the limits."""
    agents, jobs = made.costs.shape
    best = None
    for choice in product(range(agents), repeat=jobs):
        used = [sum(made.needs[a, j] for j, a in enumerate(choice) if a == agent) for agent in range(agents)]
        if all(u <= limit for u, limit in zip(used, made.limits, strict=True)):
            cost = sum(made.costs[a, j] for j, a in enumerate(choice))
            best = cost if best is None else min(best, cost)
    return best


@pytest.mark.skipif(not master.IS_THERE, reason="the solver is not installed")
@pytest.mark.parametrize("seed", range(10))
def test_a_small_problem_is_solved_to_the_optimum(seed):
    made = problem(seed)
    best, found = best_of(made), assign(made, seconds=30)
    if best is None:
        assert found is None
        return
    assert (found.cost, found.bound, found.is_proven) == (best, best, True)
    used = np.bincount(found.agents, made.needs[found.agents, range(7)], minlength=3)
    assert (used <= made.limits).all()


@pytest.mark.parametrize("seed", range(10))
def test_without_a_solver_limits_and_bounds_hold(seed):
    made = problem(seed)
    best, found = best_of(made), assign(made, with_solver=False)
    if found is None:
        return
    assert best is not None
    assert found.bound - 1e-6 <= best <= found.cost
    assert found.cost == sum(made.costs[agent, job] for job, agent in enumerate(found.agents))


def test_what_no_agent_can_take_has_no_answer():
    assert assign(Problem(np.ones((2, 3)), np.full((2, 3), 5.0), np.array([5.0, 5.0]))) is None


def test_profits_are_made_most_by_their_negative(tmp_path, monkeypatch):
    folder = tmp_path / "or_benchmarks" / "gap"
    folder.mkdir(parents=True)
    (folder / "c02_1.txt").write_text("2 3\n 9 2 5\n 4 8 5\n 1 1 1\n 1 1 1\n 2 2\n")
    (folder / "bounds.tsv").write_text("c02_1_Max\t22\t22\nc02_1_Min\t11\t11\nc99_Max\t1\t1\n")
    monkeypatch.setenv("REAL_DATA_DIR", str(tmp_path))
    found = [(sign, known, assign(made).cost) for made, sign, known in gap.problems()]
    assert found == [(-1, 22.0, -22.0), (1, 11.0, 11.0)]
