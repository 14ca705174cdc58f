"""How far a node is trusted with work: it falls with what a node fails to send, and comes back. Plain Python.

A standing is a share: 1 is full trust. A failure takes a share of what is there, by how bad it is, so that it never
reaches 0; what lacks to 1 halves with every three days that pass and shrinks a little with every parcel that is sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FULL: Final = 1.0
HALF_LIFE_HOURS: Final = 72.0
BACK_PER_PARCEL: Final = 0.05  # of what lacks
# What each failure takes of the standing. A carrier that stops is not the node's doing.
FALLS: Final[Mapping[str, float]] = {
    "rejected": 0.15,
    "timed_out": 0.20,
    "short_pick": 0.20,
    "stock_gone": 0.10,
    "node_down": 0.05,
    "carrier_stopped": 0.0,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing as of a moment."""

    score: float
    changed_at: datetime


def recovered(score: float, changed_at: datetime, at: datetime) -> float:
    """Return what a standing of ``changed_at`` has come back to by ``at``; time never runs backwards."""
    hours = max(0.0, (at - changed_at).total_seconds() / 3600)
    left: float = 0.5 ** (hours / HALF_LIFE_HOURS)
    return FULL - (FULL - score) * left


def after_failures(before: Standing, outcomes: Iterable[str], at: datetime) -> Standing:
    """Return the standing after parcels that came to nothing; each outcome is an ``AttemptOutcome``."""
    score = recovered(before.score, before.changed_at, at)
    for outcome in outcomes:
        score *= FULL - FALLS[outcome]
    return Standing(score, at)


def after_sending(before: Standing, parcels: int, at: datetime) -> Standing:
    """Return the standing after so many parcels that the node sent."""
    lack = FULL - recovered(before.score, before.changed_at, at)
    return Standing(FULL - lack * (FULL - BACK_PER_PARCEL) ** parcels, at)
