"""Generalised assignment on the OR-Library's problems: how near the known optimum the optimiser's core is.

Types a, b and c, each to be made least and most, one core, a few seconds each (the bar allows ten); ``bounds.tsv``
says for each the best value known and a bound on it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database
from benchmarks.options import Options
from orders.rules.routing.assignment import Problem, assign

SECONDS = 4.0


def folder() -> Path:
    """Return where the problems are: under ``REAL_DATA_DIR``, or beside the project."""
    root = os.environ.get("REAL_DATA_DIR") or Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(root) / "or_benchmarks" / "gap"


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Solve every problem of the folder both ways."""
    figures.heading("generalised assignment: OR-Library types a, b, c")
    if not folder().exists():
        figures.show("gap_mean_percent", "not measured, the problems are not there (set REAL_DATA_DIR)")
        return
    gaps, seconds, proven, unsolved = [], [], 0, 0
    for problem, sign, known in problems():
        found = assign(problem, seconds=SECONDS)
        if found is None:
            unsolved += 1
            continue
        gaps.append((found.cost - sign * known) / known * 100)
        seconds.append(found.seconds)
        proven += found.is_proven
    figures.show("gap_problems", len(gaps) + unsolved)
    figures.show("gap_mean_percent", sum(gaps) / len(gaps), at_most(0.5))
    figures.show("gap_worst_percent", max(gaps), at_most(0.5))
    figures.show("gap_proven", proven)
    figures.show("gap_unsolved", unsolved, at_most(0))
    figures.show("gap_seconds_mean", sum(seconds) / len(seconds))
    figures.show("gap_seconds_most", max(seconds), at_most(10))


def problems() -> Iterator[tuple[Problem, int, float]]:
    """Return each problem to be made least, its sign (-1: profits, made costs by their negative), and what is known.

    What is known is the bound, of which the best value known may fall short by a few units.
    """
    for line in (folder() / "bounds.tsv").read_text().splitlines():
        name, _best, bound = line.split("\t")
        stem, goal = name.rsplit("_", 1)
        path = folder() / f"{stem}.txt"
        if path.exists():
            sign = -1 if goal == "Max" else 1
            made = read(path)
            yield Problem(sign * made.costs, made.needs, made.limits), sign, float(bound)


def read(path: Path) -> Problem:
    """Return a problem as the OR-Library writes it: agents, jobs, a value per pair, a need per pair, the limits."""
    numbers = np.array(path.read_text().split(), dtype=float)
    agents, jobs = int(numbers[0]), int(numbers[1])
    pairs = agents * jobs
    values, needs, limits = np.split(numbers[2 : 2 + 2 * pairs + agents], [pairs, 2 * pairs])
    return Problem(values.reshape(agents, jobs), needs.reshape(agents, jobs), limits)
