"""Whether channels can be called now: their breakers and how many calls they have left, kept in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from channels.models import Channel, ChannelHealth
from channels.rules import breaker, bucket

NOT_REACHED: Final = "channel_not_reached"
PATIENCE: Final = timedelta(minutes=15)  # open for longer than this is a case
SEEN_EVERY: Final = timedelta(seconds=10)  # a healthy channel's row is written no more often
ACTOR: Final = Actor("job", "outbox")
BREAKER_COLUMNS: Final = ("breaker", "failures", "opened_at", "probe_at", "last_success_at", "reason")


class Sign(Enum):
    """What a call said of the channel itself, whatever became of the message."""

    ANSWERED = "answered"
    FAILED = "failed"  # by the channel's own fault
    NOTHING = "nothing"


@dataclass(frozen=True)
class Beat:
    """One call's sign of life, in the order in which calls ended; ``silent_until``: it asked for no calls before."""

    channel_id: int
    sign: Sign
    at: datetime
    reason: Sentence | None = None
    silent_until: datetime | None = None


def ensure(channel_ids: Collection[int]) -> None:
    """Make the row of each channel that has none yet."""
    known = set(ChannelHealth.objects.filter(channel_id__in=channel_ids).values_list("channel_id", flat=True))
    missing = [ChannelHealth(channel_id=channel_id) for channel_id in sorted(set(channel_ids) - known)]
    ChannelHealth.objects.bulk_create(missing, ignore_conflicts=True)


def state_of(row: ChannelHealth) -> breaker.State:
    """Return a row's breaker as the rules read it."""
    return breaker.State(row.breaker, row.failures, row.opened_at, row.probe_at)


def bucket_of(row: ChannelHealth) -> bucket.Bucket:
    """Return a row's calls as the rules read them."""
    return bucket.Bucket(row.calls_left, row.counted_at)


def rate_of(channel: Channel) -> float | None:
    """Return how many calls a second a channel takes; None where nobody knows of a limit."""
    return float(channel.calls_per_second) if channel.calls_per_second else None


def take_calls(wanted: Mapping[int, int], channels: Mapping[int, Channel], *, at: datetime) -> dict[int, int]:
    """Take calls out of the channels' buckets and return how many each got; who loses a race for one gets none now.

    ``channels`` hold their health as it was read, and hold it as it is afterwards. A channel without a known limit gets
    what it wants and writes nothing. The buckets change by one UPDATE that repeats what was read.
    """
    granted: dict[int, int] = {}
    after: dict[int, bucket.Bucket] = {}
    for channel_id, count in wanted.items():
        seen, rate = bucket_of(channels[channel_id].health), rate_of(channels[channel_id])
        if rate is None:
            granted[channel_id] = count if bucket.calls_now(seen, rate=None, at=at) else 0
            continue
        granted[channel_id], left = bucket.take(seen, count, rate=rate, at=at)
        if granted[channel_id]:
            after[channel_id] = left
    written = _write_buckets({cid: (bucket_of(channels[cid].health), left) for cid, left in after.items()})
    for channel_id in written:
        row, left = channels[channel_id].health, after[channel_id]
        row.calls_left, row.counted_at = left.calls_left, left.counted_at
    lost = set(after) - written
    for fresh in ChannelHealth.objects.filter(channel_id__in=lost) if lost else ():
        channels[fresh.channel_id].health = fresh
    return {channel_id: 0 if channel_id in lost else count for channel_id, count in granted.items()}


def _write_buckets(changes: Mapping[int, tuple[bucket.Bucket, bucket.Bucket]]) -> set[int]:
    if not changes:
        return set()
    values = [
        (channel_id, seen.calls_left, seen.counted_at, left.calls_left, left.counted_at)
        for channel_id, (seen, left) in sorted(changes.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE channels_channelhealth AS kept SET calls_left = fresh.calls_left, counted_at = fresh.counted_at "
            "FROM unnest(%s::bigint[], %s::float8[], %s::timestamptz[], %s::float8[], %s::timestamptz[]) "
            "AS fresh (channel_id, seen_left, seen_at, calls_left, counted_at) "
            "WHERE kept.channel_id = fresh.channel_id AND kept.calls_left = fresh.seen_left "
            "AND kept.counted_at IS NOT DISTINCT FROM fresh.seen_at RETURNING kept.channel_id",
            [list(column) for column in zip(*values, strict=True)],
        )
        return {channel_id for (channel_id,) in cursor.fetchall()}


def begin_probe(channel_id: int, *, at: datetime) -> bool:
    """Claim the one try that an open channel has now; false when somebody else has it."""
    mine = ChannelHealth.objects.filter(channel_id=channel_id).exclude(breaker=breaker.CLOSED)
    state = breaker.probing(breaker.State(), at=at)
    return bool(
        mine.filter(Q(probe_at__isnull=True) | Q(probe_at__lte=at)).update(
            breaker=state.breaker, probe_at=state.probe_at
        )
    )


@transaction.atomic
def record(beats: Sequence[Beat], *, at: datetime) -> None:
    """Write what calls said of their channels; a channel that was away long enough for a case is a case no more.

    The rows are locked and the calls folded into them one by one, so several runs count together.
    """
    by_channel: dict[int, list[Beat]] = {}
    for beat in beats:
        by_channel.setdefault(beat.channel_id, []).append(beat)
    rows = ChannelHealth.objects.select_for_update(no_key=True).filter(channel_id__in=by_channel).order_by("pk")
    back: list[int] = []
    for row in rows:
        was_open = row.breaker != breaker.CLOSED
        for beat in by_channel[row.channel_id]:
            _fold(row, beat)
        row.save(update_fields=[*BREAKER_COLUMNS, "calls_left", "counted_at"])
        if was_open and row.breaker == breaker.CLOSED:
            back.append(row.channel_id)
    if back:
        codes = list(Channel.objects.filter(pk__in=back).values_list("code", flat=True))
        cases.resolve(codes, kinds=[NOT_REACHED], actor=ACTOR, resolution="answers again", at=at)


def is_news(beat: Beat, row: ChannelHealth) -> bool:
    """Return whether a call tells something that the row, as it was read, does not say already."""
    if beat.sign is Sign.ANSWERED and beat.silent_until is None:
        is_clean = row.breaker == breaker.CLOSED and not row.failures
        return not is_clean or row.last_success_at is None or beat.at - row.last_success_at > SEEN_EVERY
    return beat.sign is not Sign.NOTHING or beat.silent_until is not None


def _fold(row: ChannelHealth, beat: Beat) -> None:
    state = state_of(row)
    if beat.sign is Sign.ANSWERED:
        state, row.last_success_at, row.reason = breaker.after_success(state), beat.at, {}
    elif beat.sign is Sign.FAILED:
        state = breaker.after_failure(state, at=beat.at)
        row.reason = beat.reason.stored() if beat.reason else {}
    row.breaker, row.failures = state.breaker, state.failures
    row.opened_at, row.probe_at = state.opened_at, state.probe_at
    if beat.silent_until is not None:
        left = bucket.pause(bucket_of(row), until=beat.silent_until)
        row.calls_left, row.counted_at = left.calls_left, left.counted_at


def report(*, at: datetime) -> int:
    """Open a case for each channel that has not been called for longer than a quarter of an hour; count the new."""
    away = ChannelHealth.objects.exclude(breaker=breaker.CLOSED).filter(opened_at__lte=at - PATIENCE)
    return cases.open_cases([_trouble(row) for row in away.select_related("channel").order_by("pk")], at=at)


def _trouble(row: ChannelHealth) -> cases.Trouble:
    return cases.Trouble(
        kind=NOT_REACHED,
        subject=row.channel.code,
        why=say(
            "%(channel)s has not taken calls since %(count)s of them failed in a row; its messages wait.",
            channel=row.channel.code,
            count=row.failures,
        ),
        suggestion=say(
            "Look at the reason on the channel's page; calls are tried again by themselves at least every ten minutes."
        ),
        subject_url=f"/admin/channels/channel/{row.channel_id}/change/",
    )


def may_be_called(channel: Channel, *, at: datetime) -> bool:
    """Return whether a channel wants calls at ``at``: its breaker is closed or due for a try, and it is not silent."""
    state, row = state_of(channel.health), channel.health
    is_silent = row.counted_at is not None and row.counted_at > at
    return not is_silent and (breaker.is_callable(state) or breaker.may_probe(state, at=at))


def wait_for_call(channel: Channel, *, at: datetime) -> timedelta:
    """Return how long a channel's bucket makes the next call wait; nothing when there is one left."""
    return bucket.next_call_at(bucket_of(channel.health), rate=rate_of(channel), at=at) - at
