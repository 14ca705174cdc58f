"""How long to wait before the same call is tried again."""

from typing import Final

FIRST_SECONDS: Final = 30
LONGEST_SECONDS: Final = 3600
MOST_ATTEMPTS: Final = 10


def seconds_until_retry(attempts: int, *, asked: int = 0, spread: float = 0.0) -> int:
    """Return the wait after ``attempts`` failed calls: doubled each time, at least what the other side asked for.

    ``spread`` (0 to 1) comes from the caller's dice and takes up to a tenth off or adds up to a tenth, so that many
    rows that failed together do not come back together. Never more than an hour.
    """
    doubled = FIRST_SECONDS << min(max(attempts - 1, 0), 16)
    wait = max(min(doubled, LONGEST_SECONDS), asked)
    return min(LONGEST_SECONDS, max(asked, round(wait * (0.9 + 0.2 * spread))))
