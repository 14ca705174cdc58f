"""Choosing among listed plans: the linear relaxation and the whole-number problem, both by HiGHS.

Without HiGHS (``IS_THERE`` is False) the optimiser goes on with prices and local search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import numpy as np

from orders.rules.routing.columns import Floats, Joint, Plan

try:
    import highspy
except ImportError:  # the hub plans without a solver then, and says so
    highspy = None  # type: ignore[assignment]  # asked for by IS_THERE before it is used

IS_THERE: Final = highspy is not None
Choice = tuple[int, Plan]  # place of the order, its plan


@dataclass(frozen=True)
class Limits:
    """How long a whole-number problem may be searched, and how near the optimum is near enough."""

    seconds: float
    nodes: int = 200
    gap: float = 1e-4  # of the cost


@dataclass(frozen=True)
class Relaxed:
    """The optimum over listed plans that may be chosen in parts, and what a unit of stock and room is worth there."""

    cost: float
    stock: Floats
    room: Floats
    spare: Floats  # what the relaxation would pay for a plan of each order


@dataclass(frozen=True)
class Chosen:
    """Whole plans: per order the place of its choice, None when it is not sent; with what is proven about them."""

    choices: list[int | None]
    cost: float
    is_proven: bool


class Table:
    """One row per order (exactly one plan, or unsent) and one per scarce row that the listed plans could use up."""

    def __init__(self, joint: Joint, choices: Sequence[Choice], unsent: Floats, left: Floats) -> None:
        """Lay out the choices; ``left`` is what there is of each stock row and then of each node's room.

        Only orders that have a choice are in it.
        """
        self.joint, self.choices, self.left = joint, choices, left
        self.orders = sorted({order for order, _plan in choices})
        self._place = {order: place for place, order in enumerate(self.orders)}
        self._used = [joint.uses(joint.wishes[order], plan) for order, plan in choices]
        self.rows = self._scarce()
        self.costs = np.array(
            [*(float(unsent[order]) for order in self.orders), *(joint.wishes[o].cost(plan) for o, plan in choices)]
        )

    def relax(self, seconds: float) -> Relaxed | None:
        """Solve the linear relaxation; None when time was over before."""
        highs = self._model(seconds)
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        duals = np.array(highs.getSolution().row_dual)
        worth = np.zeros(len(self.left))
        worth[self.rows] = np.maximum(0.0, -duals[len(self.orders) :])
        stock = len(self.joint.limits)
        spare = np.full(len(self.joint.wishes), -inf)
        spare[self.orders] = duals[: len(self.orders)]
        return Relaxed(highs.getObjectiveValue(), worth[:stock], worth[stock:], spare)

    def choose(self, start: Sequence[int | None], limits: Limits) -> Chosen | None:
        """Choose whole plans, never dearer than ``start`` (per order the place of a choice); None without any."""
        highs = self._model(limits.seconds)
        count = len(self.costs)
        highs.setOptionValue("mip_rel_gap", limits.gap)
        highs.setOptionValue("mip_max_nodes", limits.nodes)
        columns = np.arange(count, dtype=np.int32)
        highs.changeColsIntegrality(count, columns, np.full(count, highspy.HighsVarType.kInteger))
        highs.changeColsBounds(count, columns, np.zeros(count), np.ones(count))
        values = np.zeros(count)
        for place, choice in enumerate(start):
            values[place if choice is None else len(self.orders) + choice] = 1.0
        solution = highspy.HighsSolution()
        solution.col_value = values.tolist()
        highs.setSolution(solution)
        highs.run()
        if highs.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        chosen: list[int | None] = [None] * len(self.orders)
        for column in np.flatnonzero(np.array(highs.getSolution().col_value)[len(self.orders) :] > 0.5).tolist():
            chosen[self._place[self.choices[column][0]]] = column
        is_proven = bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)
        return Chosen(chosen, float(highs.getInfo().objective_function_value), is_proven)

    def _scarce(self) -> list[int]:
        """Return the rows of which the choices could take more than is left."""
        most: dict[tuple[int, int], int] = {}
        for (order, _plan), (rows, units) in zip(self.choices, self._used, strict=True):
            for row, wanted in zip(rows, units, strict=True):
                most[row, order] = max(wanted, most.get((row, order), 0))
        total: dict[int, int] = {}
        for (row, _order), wanted in most.items():
            total[row] = total.get(row, 0) + wanted
        return sorted(row for row, wanted in total.items() if wanted > self.left[row])

    def _model(self, seconds: float) -> Any:
        """Return HiGHS with the relaxation in it."""
        number = {row: len(self.orders) + place for place, row in enumerate(self.rows)}
        starts, places, values = (
            list(range(len(self.orders) + 1)),
            list(range(len(self.orders))),
            [1.0] * len(self.orders),
        )
        for (order, _plan), (rows, units) in zip(self.choices, self._used, strict=True):
            listed = [(number[row], float(wanted)) for row, wanted in zip(rows, units, strict=True) if row in number]
            places += [self._place[order], *(place for place, _wanted in listed)]
            values += [1.0, *(wanted for _place, wanted in listed)]
            starts.append(len(places))
        ones = np.ones(len(self.orders))
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.costs), len(self.orders) + len(self.rows)
        model.col_cost_, model.col_lower_ = self.costs, np.zeros(len(self.costs))
        model.col_upper_ = np.full(len(self.costs), highspy.kHighsInf)  # one plan an order says as much
        model.row_lower_ = np.concatenate([ones, np.full(len(self.rows), -highspy.kHighsInf)])
        model.row_upper_ = np.concatenate([ones, self.left[self.rows]])
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        model.a_matrix_.index_ = np.array(places, dtype=np.int32)
        model.a_matrix_.value_ = np.array(values)
        highs = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 7), ("time_limit", seconds)):
            highs.setOptionValue(option, value)
        highs.passModel(model)
        return highs
