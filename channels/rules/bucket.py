"""How many calls an account has left this moment: a bucket that fills with time and is emptied by calls."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Bucket:
    """What was left when it was last counted. A ``counted_at`` in the future: no calls are wanted before then."""

    calls_left: float = 0.0
    counted_at: datetime | None = None


def size(rate: float) -> float:
    """Return how many calls may be saved up: those of one second, at least one."""
    return max(1.0, rate)


def calls_now(bucket: Bucket, *, rate: float | None, at: datetime) -> float:
    """Return how many calls may be made at ``at``; infinite where no ``rate`` (calls a second) is known."""
    if bucket.counted_at is not None and bucket.counted_at > at:
        return 0.0
    if rate is None:
        return float("inf")
    if bucket.counted_at is None:
        return size(rate)
    grown = bucket.calls_left + rate * (at - bucket.counted_at).total_seconds()
    return max(0.0, min(size(rate), grown))


def take(bucket: Bucket, wanted: int, *, rate: float, at: datetime) -> tuple[int, Bucket]:
    """Return how many of the wanted calls may be made now, and the bucket after them."""
    left = calls_now(bucket, rate=rate, at=at)
    taken = min(max(wanted, 0), int(left + 1e-9))
    if not taken:
        return 0, bucket
    return taken, Bucket(max(0.0, left - taken), at)


def pause(bucket: Bucket, *, until: datetime) -> Bucket:
    """Return the bucket of an account that was asked to be silent ``until`` then; a longer silence stays."""
    if bucket.counted_at is not None and bucket.counted_at >= until:
        return bucket
    return Bucket(0.0, until)


def next_call_at(bucket: Bucket, *, rate: float | None, at: datetime) -> datetime:
    """Return the first moment from ``at`` on at which one call may be made."""
    begin = max(at, bucket.counted_at) if bucket.counted_at is not None else at
    if rate is None:
        return begin
    missing = 1.0 - (bucket.calls_left if begin > at else calls_now(bucket, rate=rate, at=at))
    return begin + timedelta(seconds=max(0.0, missing) / rate)
