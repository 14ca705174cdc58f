"""Whether a channel that does not answer is called: closed, open for a while, then one try."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

CLOSED: Final = "closed"
OPEN: Final = "open"
HALF_OPEN: Final = "half_open"

OPENS_AFTER: Final = 5  # failures in a row
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=10)
PROBE_LEASE: Final = timedelta(minutes=3)  # whoever tries may die: then somebody else may try


@dataclass(frozen=True)
class State:
    """What is known of a channel. ``failures`` counts those in a row that were the channel's own fault."""

    breaker: str = CLOSED
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None


def is_callable(state: State) -> bool:
    """Return whether calls go through without asking."""
    return state.breaker == CLOSED


def may_probe(state: State, *, at: datetime) -> bool:
    """Return whether it is time for one try."""
    return state.breaker != CLOSED and (state.probe_at is None or state.probe_at <= at)


def probing(state: State, *, at: datetime) -> State:
    """Return the state while one call tries; nobody else tries meanwhile."""
    return replace(state, breaker=HALF_OPEN, probe_at=at + PROBE_LEASE)


def after_success(_state: State) -> State:
    """Return the state after the channel answered, whatever it said."""
    return State()


def after_failure(state: State, *, at: datetime) -> State:
    """Return the state after a call that failed by the channel's fault.

    The fifth in a row opens it for 30 seconds; each failed try doubles that, up to ten minutes. A call that began
    before it opened changes nothing.
    """
    if state.breaker == OPEN:
        return state
    failures = state.failures + 1
    if state.breaker == CLOSED and failures < OPENS_AFTER:
        return replace(state, failures=failures)
    return State(OPEN, failures, state.opened_at or at, at + wait_after(failures))


def wait_after(failures: int) -> timedelta:
    """Return how long a channel is left alone after so many failures in a row."""
    doublings = min(max(failures - OPENS_AFTER, 0), 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
