"""What stock and room are worth when all orders want them at once, and with that: what all of them must cost at least.

Prices are put on scarce stock and room; at these prices every order takes its cheapest plan, without asking the
others. What that costs, less what the prices earn on all there is, can never be more than the true optimum (Lagrange),
and at the best prices it is the optimum of the linear relaxation. Prices rise where more is wanted than there is and
fall where less is (subgradient steps after Polyak, with a memory of the direction), so a step costs one look at every
order and the whole grows no faster than their number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from orders.rules.routing.columns import Floats, Joint, Priced

STEPS: Final = 160
MEMORY: Final = 0.6  # of the last direction
PATIENCE: Final = 8  # steps without a better bound until steps become shorter
SHORTER: Final = 0.6
SHORTEST: Final = 0.004


@dataclass(frozen=True)
class Prices:
    """Prices of the scarce rows and of room, and the bound that they prove, in yuan."""

    bound: float
    stock: Floats
    room: Floats

    @property
    def padded(self) -> tuple[Floats, Floats]:
        """Return the prices with that of what never runs out, as searches want them."""
        return np.append(self.stock, 0.0), self.room


def free(joint: Joint) -> Prices:
    """Return prices of nothing."""
    return Prices(-inf, np.zeros(len(joint.limits)), np.zeros(len(joint.rooms)))


def bound_of(joint: Joint, priced: Priced, prices: Prices, unsent: Floats) -> float:
    """Return the bound that some prices prove."""
    earned = float((prices.stock * joint.limits).sum() + (prices.room * joint.rooms).sum())
    return float(np.minimum(priced.least(), unsent).sum()) - earned


def ascend(joint: Joint, unsent: Floats, is_over: Callable[[], bool], steps: int = STEPS) -> Prices:
    """Look for the prices that prove the highest bound. ``unsent`` is what each order costs that is not sent."""
    climb = _Climb(joint, unsent)
    for _step in range(steps):
        if is_over() or climb.is_done:
            break
        climb.step()
    return climb.best


class _Climb:
    """The state between steps."""

    def __init__(self, joint: Joint, unsent: Floats) -> None:
        self.joint, self.unsent = joint, unsent
        self.limits = np.concatenate([joint.limits, joint.rooms])
        self.at = free(joint)
        self.best, self.best_slope = self.at, np.zeros(len(self.limits))
        self.direction = np.zeros(len(self.limits))
        self.goal, self.length, self.waited = inf, 1.0, 0
        self.is_done = False

    def step(self) -> None:
        """Take one step from where we are, or a shorter one from the best place when it went wrong too long."""
        bound, slope = self._look()
        if self.goal == inf:
            self.goal = bound * 1.1 + 1.0
        if self.waited >= PATIENCE:
            self.length, self.waited = self.length * SHORTER, 0
            self.at, bound, slope = self.best, self.best.bound, self.best_slope
        if bound > 0.999 * self.goal:
            self.goal = bound * 1.01
        self.direction = slope + MEMORY * self.direction
        now = np.concatenate([self.at.stock, self.at.room])
        way = np.where((now <= 0) & (self.direction < 0), 0.0, self.direction)
        steepness = float((way * way).sum())
        self.is_done = steepness < 1e-9 or self.length < SHORTEST
        if not self.is_done:
            now = np.maximum(0.0, now + self.length * (self.goal - bound) / steepness * way)
            split = len(self.joint.limits)
            self.at = Prices(-inf, now[:split], now[split:])

    def _look(self) -> tuple[float, Floats]:
        priced = self.joint.price(self.at.stock, self.at.room)
        bound = bound_of(self.joint, priced, self.at, self.unsent)
        slope = np.concatenate(priced.usage()) - self.limits
        self.waited += 1
        if bound > self.best.bound:
            if bound > self.best.bound + 1e-4 * abs(bound):
                self.waited = 0
            self.best, self.best_slope = Prices(bound, self.at.stock, self.at.room), slope
        return bound, slope
