"""How fast a budget or a number of uses goes: when it is used up at this speed, and whether it runs ahead of its time.

An even pace takes the same each hour from start to end. Somebody must look at what will be used up before its end, and
at what is further along than an even pace by more than a share of the whole.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

AHEAD: Final = Decimal("0.20")  # of the whole; less than this ahead of an even pace is nothing unusual
LONGEST: Final = timedelta(days=3_660)  # what lasts longer than ten years is never used up
HOUR: Final = Decimal(3_600)
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Scarce:
    """A budget in money, or a number of uses, and how it was taken of late. ``ends_at`` empty: it never ends."""

    most: Decimal
    taken: Decimal
    per_hour: Decimal  # of late
    starts_at: datetime
    ends_at: datetime | None = None

    @property
    def left(self) -> Decimal:
        """Return what can still be taken."""
        return max(NOTHING, self.most - self.taken)

    @property
    def share(self) -> Decimal:
        """Return which part is taken, 0 to 1."""
        return min(Decimal(1), self.taken / self.most) if self.most else Decimal(1)


@dataclass(frozen=True, slots=True)
class Pace:
    """Where it stands: when it is used up, and how far it is ahead of an even pace, in shares of the whole.

    ``used_up_at`` is empty when at this speed it never is; ``even_share`` and ``ahead`` when it has no end.
    """

    used_up_at: datetime | None
    even_share: Decimal | None
    ahead: Decimal | None
    is_short: bool  # used up before its end
    is_ahead: bool

    @property
    def is_trouble(self) -> bool:
        """Return whether somebody must look at it."""
        return self.is_short or self.is_ahead


def of(scarce: Scarce, *, at: datetime, threshold: Decimal = AHEAD) -> Pace:
    """Return the pace at a moment. What has not begun or is over is no trouble to anybody."""
    used_up_at = _used_up_at(scarce, at)
    even = even_share(scarce, at=at)
    ahead = None if even is None else scarce.share - even
    is_running = scarce.starts_at <= at and (scarce.ends_at is None or at < scarce.ends_at)
    is_short = used_up_at is not None and scarce.ends_at is not None and used_up_at < scarce.ends_at
    return Pace(
        used_up_at, even, ahead, is_running and is_short, is_running and ahead is not None and ahead > threshold
    )


def per_hour(taken: Decimal, *, since: datetime, at: datetime) -> Decimal:
    """Return the speed of what was taken in a time; a time without length has none."""
    seconds = Decimal(str((at - since).total_seconds()))
    return taken * HOUR / seconds if seconds > 0 else NOTHING


def even_share(scarce: Scarce, *, at: datetime) -> Decimal | None:
    """Return which part would be taken by now at an even pace, 0 to 1; nothing without an end."""
    if scarce.ends_at is None or scarce.ends_at <= scarce.starts_at:
        return None
    gone = Decimal(str((at - scarce.starts_at).total_seconds()))
    whole = Decimal(str((scarce.ends_at - scarce.starts_at).total_seconds()))
    return min(Decimal(1), max(NOTHING, gone / whole))


def _used_up_at(scarce: Scarce, at: datetime) -> datetime | None:
    if not scarce.left:
        return at
    if scarce.per_hour <= 0:
        return None
    hours = scarce.left / scarce.per_hour
    return None if hours > Decimal(str(LONGEST.total_seconds())) / HOUR else at + timedelta(hours=float(hours))
