"""What the planner answers: parcels, what is missing, and why. Plain Python.

Why is worked out only when somebody asks: a plan keeps what it was decided on and tells every candidate from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from orders.rules.routing.changes import Answer, Change, changes
from orders.rules.routing.facts import Item
from orders.rules.routing.judged import Candidate, Judged, Row, worth_of

__all__ = ["Candidate", "Change", "Judged", "Parcel", "Plan", "Row", "RunnerUp", "worth_of"]


@dataclass(frozen=True)
class Parcel:
    """What one node sends of one order, what that costs term by term, and when it comes."""

    node_id: int
    node_code: str
    items: tuple[Item, ...]
    distance_km: float
    cost: float
    carrier_code: str = ""
    terms: Mapping[str, float] = field(default_factory=dict)
    weight_g: int = 0
    leaves_at: datetime | None = None
    arrives_from: date | None = None
    arrives_until: date | None = None


@dataclass(frozen=True)
class RunnerUp:
    """The best plan with other nodes that was looked at."""

    nodes: tuple[str, ...]
    cost: float
    missing: int = 0  # units


@dataclass(frozen=True)
class Plan:
    """The answer for one demand: its parcels, what nobody can send, by which policy and group, and why.

    ``passed_over`` are the groups that were tried before and left something out.
    """

    reference: str
    policy: str
    group: str
    parcels: tuple[Parcel, ...]
    missing: tuple[Item, ...]
    split: float = 0.0  # yuan for all parcels after the first
    runner_up: RunnerUp | None = None
    too_short: int = 0  # of the missing units, those that lie at serving nodes and do not keep long enough
    passed_over: tuple[str, ...] = ()
    judged: Judged | None = field(default=None, repr=False, compare=False)

    @property
    def cost(self) -> float:
        """Return the cost of all parcels and of the split in yuan."""
        return round(sum(parcel.cost for parcel in self.parcels) + self.split, 2)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Return every node with its verdict."""
        return self.judged.candidates() if self.judged else ()

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Return what would have changed the decision."""
        if self.judged is None:
            return ()
        second = self.runner_up
        units = sum(item.quantity for item in self.missing)
        nodes = tuple(sorted(parcel.node_code for parcel in self.parcels))
        return changes(
            self.judged,
            Answer(self.cost, units, nodes, (second.nodes, second.cost, second.missing) if second else None),
        )

    def verdicts(self, code: str) -> tuple[Candidate, ...]:
        """Return the candidates with a verdict."""
        return tuple(candidate for candidate in self.candidates if candidate.verdict == code)

    @property
    def is_served(self) -> bool:
        """Return whether any node could send, were there units and room."""
        return bool(self.judged and self.judged.reach.lanes)
