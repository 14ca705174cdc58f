"""How long to wait before the same call is tried again."""

from collections.abc import Sequence
from typing import Final

# Seconds after the first, second … failure; one try more than there are waits, then a person is asked.
USUAL: Final = (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)
WEBHOOKS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)  # ten tries in 75 h 35 min


def most_attempts(waits: Sequence[int] = USUAL) -> int:
    """Return how often a call is tried before a person is asked."""
    return len(waits) + 1


def seconds_until_retry(attempts: int, *, waits: Sequence[int] = USUAL, asked: int = 0, spread: float = 0.0) -> int:
    """Return the wait after ``attempts`` failed calls: as ``waits`` says, at least what the other side asked for.

    ``spread`` (0 to 1) comes from the caller's dice and takes up to a tenth off or adds up to a tenth, so that many
    rows that failed together do not come back together. Never more than the longest of ``waits``.
    """
    longest = max(waits)
    planned = waits[min(max(attempts, 1), len(waits)) - 1]
    wait = max(planned, asked)
    return min(longest, max(asked, round(wait * (0.9 + 0.2 * spread))))
