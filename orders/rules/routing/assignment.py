"""Generalised assignment: each job goes to one agent, every agent has a limit, the total is to be least (or most).

It is what routing becomes when every order is one parcel: the benchmark of the optimiser's core on problems whose
optimum is known. Prices on the agents' limits give a bound and say which agents come into question for a job; a start
at these prices is repaired and improved by moving and swapping jobs; then the solver chooses among the jobs' best
agents, all at once, and takes more agents in while there is time. Costs are to be made least; a problem of profits is
one of their negatives.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from orders.rules.routing.columns import Floats
from orders.rules.routing.master import IS_THERE

if IS_THERE:
    import highspy

Places = NDArray[np.intp]
STEPS: Final = 300
PATIENCE: Final = 10
MOST_SWAPPED: Final = 60  # jobs among which each is tried in the place of another
AGENTS_AT_FIRST: Final = 4  # of each job


@dataclass(frozen=True)
class Problem:
    """``costs[agent, job]`` and ``needs[agent, job]``, and what each agent can take of needs."""

    costs: Floats
    needs: Floats
    limits: Floats


@dataclass(frozen=True)
class Assignment:
    """The agent of each job, what that costs, and a bound that nothing costs less than."""

    agents: Places
    cost: float
    bound: float
    is_proven: bool
    seconds: float


def assign(
    problem: Problem,
    *,
    seconds: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    with_solver: bool = IS_THERE,
) -> Assignment | None:
    """Return the cheapest assignment found in this time; None when none was found that keeps the limits."""
    began = clock()
    bound, prices = _ascend(problem)
    agents = _improved(problem, _start(problem, prices))
    if with_solver:
        agents, bound = _chosen(problem, prices, agents, _Watch(began + seconds, clock), bound)
    if agents is None or not _is_possible(problem, agents):
        return None
    cost = _cost(problem, agents)
    return Assignment(agents, cost, min(bound, cost), bound >= cost - 1e-6, clock() - began)


@dataclass(frozen=True)
class _Watch:
    until: float
    clock: Callable[[], float]

    def left(self) -> float:
        return self.until - self.clock()


def _ascend(problem: Problem) -> tuple[float, Floats]:
    """Return the highest bound found by pricing the agents' limits, and the prices."""
    jobs = np.arange(problem.costs.shape[1])
    prices, best, best_prices = np.zeros(len(problem.limits)), -inf, np.zeros(len(problem.limits))
    length, waited, goal = 1.0, 0, inf
    for _step in range(STEPS):
        at_prices = problem.costs + prices[:, None] * problem.needs
        agents = at_prices.argmin(axis=0)
        bound = float(at_prices[agents, jobs].sum() - (prices * problem.limits).sum())
        waited += 1
        if bound > best + 1e-9:
            best, best_prices, waited = bound, prices, 0
        if goal == inf or bound > goal - 1e-3 * abs(goal):
            goal = bound + 0.05 * abs(bound) + 1.0
        if waited >= PATIENCE:
            length, waited, prices = length * 0.6, 0, best_prices
            continue
        slope = np.bincount(agents, problem.needs[agents, jobs], minlength=len(prices)) - problem.limits
        slope[(prices <= 0) & (slope < 0)] = 0.0
        steepness = float((slope * slope).sum())
        if steepness < 1e-9 or length < 1e-3:
            break
        prices = np.maximum(0.0, prices + length * (goal - bound) / steepness * slope)
    return best, best_prices


def _start(problem: Problem, prices: Floats) -> Places:
    """Give jobs to agents one by one at these prices, those first that would lose most by waiting."""
    at_prices = problem.costs + prices[:, None] * problem.needs
    left = problem.limits.astype(float).copy()
    agents = np.full(at_prices.shape[1], -1)
    waiting = list(range(at_prices.shape[1]))
    while waiting:
        columns = np.where(problem.needs[:, waiting] <= left[:, None], at_prices[:, waiting], inf)
        two = np.partition(columns, 1, axis=0)[:2] if len(left) > 1 else np.vstack([columns, columns])
        two[0][~np.isfinite(two[0])] = np.finfo(float).max  # no agent has room: goes last
        regret = two[1] - two[0]
        place = int(np.argmax(regret))
        job = waiting.pop(place)
        agent = int(np.argmin(columns[:, place]))
        if not np.isfinite(columns[agent, place]):
            agent = int(np.argmax(left - problem.needs[:, job]))  # too much; moves may mend it
        agents[job] = agent
        left[agent] -= problem.needs[agent, job]
    return agents


def _improved(problem: Problem, agents: Places) -> Places | None:
    """Move and swap jobs while that costs less or breaks limits less; None when limits are still broken."""
    agents = agents.copy()
    jobs = np.arange(len(agents))
    left = problem.limits - np.bincount(agents, problem.needs[agents, jobs], minlength=len(problem.limits))
    weight = float(problem.costs.max() - problem.costs.min() + 1.0)
    for _round in range(50):
        moved = False
        for job in jobs.tolist():
            moved |= _move(problem, agents, left, job, weight) or _swap(problem, agents, left, job, weight)
        if not moved:
            break
    return agents if (left >= -1e-9).all() else None


def _move(problem: Problem, agents: Places, left: Floats, job: int, weight: float) -> bool:
    """Give a job to the agent where it costs least, broken limits at ``weight`` a unit."""
    here, needs = int(agents[job]), problem.needs[:, job]
    after = np.maximum(0.0, needs - left) - np.maximum(0.0, -left)
    after[here] = 0.0
    relief = max(0.0, -left[here]) - max(0.0, -left[here] - needs[here])
    change = problem.costs[:, job] - problem.costs[here, job] + weight * (after - relief)
    change[here] = 0.0
    there = int(np.argmin(change))
    if change[there] >= -1e-9:
        return False
    left[here] += needs[here]
    left[there] -= needs[there]
    agents[job] = there
    return True


def _swap(problem: Problem, agents: Places, left: Floats, job: int, weight: float) -> bool:
    """Exchange the agents of a job and another one, whichever saves most."""
    here, jobs = int(agents[job]), np.arange(len(agents))
    others = agents
    change = (
        problem.costs[others, job] + problem.costs[here, jobs] - problem.costs[here, job] - problem.costs[others, jobs]
    )
    left_here = left[here] + problem.needs[here, job] - problem.needs[here, jobs]
    left_there = left[others] + problem.needs[others, jobs] - problem.needs[others, job]
    broken = np.maximum(0.0, -left_here) + np.maximum(0.0, -left_there)
    broken -= max(0.0, -left[here]) + np.maximum(0.0, -left[others])
    change = np.where(others == here, 0.0, change + weight * broken)
    other = int(np.argmin(change))
    if change[other] >= -1e-9:
        return False
    there = int(agents[other])
    left[here] = left_here[other]
    left[there] = left_there[other]
    agents[job], agents[other] = there, here
    return True


def _chosen(
    problem: Problem, prices: Floats, agents: Places | None, watch: _Watch, bound: float
) -> tuple[Places | None, float]:
    """Let the solver choose, at first among each job's best agents, then among all that could still be better."""
    at_prices = problem.costs + prices[:, None] * problem.needs
    above = at_prices - at_prices.min(axis=0)
    ranks = np.argsort(np.argsort(above, axis=0, kind="stable"), axis=0)
    for most in (AGENTS_AT_FIRST, 2 * AGENTS_AT_FIRST, len(problem.limits)):
        slack = inf if agents is None else _cost(problem, agents) - bound + 1e-6
        allowed = (ranks < most) & (above <= slack)
        if agents is not None:
            allowed[agents, np.arange(len(agents))] = True
        if watch.left() < 0.1:
            break
        found, is_best = _solve(problem, allowed, agents, watch.left())
        if found is not None:
            agents = found
        if is_best and agents is not None and not (~allowed & (above <= slack)).any():
            return agents, _cost(problem, agents)
    return agents, bound


def _solve(problem: Problem, allowed: NDArray[np.bool_], start: Places | None, seconds: float) -> tuple[Any, bool]:
    """Return the best assignment among the allowed pairs that the solver found, and whether it proved it."""
    jobs, chosen = np.nonzero(allowed.T)
    count, agents = len(jobs), len(problem.limits)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, allowed.shape[1] + agents
    model.col_cost_, model.col_lower_, model.col_upper_ = problem.costs[chosen, jobs], np.zeros(count), np.ones(count)
    ones = np.ones(allowed.shape[1])
    model.row_lower_ = np.concatenate([ones, np.full(agents, -highspy.kHighsInf)])
    model.row_upper_ = np.concatenate([ones, problem.limits])
    model.integrality_ = [highspy.HighsVarType.kInteger] * count
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(0, 2 * count + 1, 2, dtype=np.int32)
    model.a_matrix_.index_ = np.column_stack([jobs, allowed.shape[1] + chosen]).astype(np.int32).ravel()
    model.a_matrix_.value_ = np.column_stack([np.ones(count), problem.needs[chosen, jobs]]).ravel()
    highs = highspy.Highs()
    for option, value in (
        ("output_flag", False), ("threads", 1), ("random_seed", 7), ("time_limit", seconds), ("mip_rel_gap", 0.0),
    ):  # fmt: skip
        highs.setOptionValue(option, value)
    highs.passModel(model)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = (start[jobs] == chosen).astype(float).tolist()
        highs.setSolution(solution)
    highs.run()
    if highs.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, False
    values = np.array(highs.getSolution().col_value) > 0.5
    found = np.full(allowed.shape[1], -1)
    found[jobs[values]] = chosen[values]
    return found, bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def _is_possible(problem: Problem, agents: Places) -> bool:
    used = np.bincount(agents, problem.needs[agents, np.arange(len(agents))], minlength=len(problem.limits))
    return bool((agents >= 0).all() and (used <= problem.limits + 1e-9).all())


def _cost(problem: Problem, agents: Places) -> float:
    return float(problem.costs[agents, np.arange(len(agents))].sum())
