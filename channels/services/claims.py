"""Claiming rows of the outbox: few of each channel and lane at a time, none of them by two workers.

A claimed row is one whose ``not_before`` was pushed ahead: when its worker dies, it comes back by itself. How many
calls a channel has at once is held by advisory locks of the worker's session, which end with the session.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

from django.db import connection

from channels.models import OutboundMessage
from channels.statuses import Lane, OutboundStatus

LEASE: Final = timedelta(seconds=180)
SLOTS: Final = 0x0B0C  # the first key of the advisory locks that stand for a channel's calls at once
MOST_SLOTS: Final = 16

# Rows that may go out now. Partners' events keep the order of their subject: an earlier one that is not settled holds
# the later ones back.
_DUE: Final = """
    FROM channels_outboundmessage AS due
    WHERE due.channel_id = wanted.channel_id AND due.lane = wanted.lane AND due.status = 'pending'
      AND due.not_before <= %s
      AND (due.lane <> 'events' OR NOT EXISTS (
            SELECT 1 FROM channels_outboundmessage AS earlier
            WHERE earlier.subject = due.subject AND earlier.channel_id = due.channel_id AND earlier.lane = 'events'
              AND earlier.id < due.id AND earlier.status IN ('pending', 'needs_person')))
"""
_WANTED: Final = "unnest(%s::bigint[], %s::text[], %s::int[]) AS wanted (channel_id, lane, room)"

_DUE_AT: Final = attrgetter("due_at")  # when a claimed row was due before it was claimed

Rooms = Mapping[tuple[int, str], int]  # (channel, lane) → how many rows


def due(rooms: Rooms, *, at: datetime) -> dict[tuple[int, str], int]:
    """Return how many rows of each channel and lane are due, counted no further than its room; none are left out."""
    if not rooms:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT wanted.channel_id, wanted.lane, count(*) FROM {_WANTED} "
            f"CROSS JOIN LATERAL (SELECT 1 {_DUE} LIMIT wanted.room) AS found GROUP BY 1, 2",
            [*_columns(rooms), at],
        )
        return {(channel_id, lane): count for channel_id, lane, count in cursor.fetchall()}


def claim(rooms: Rooms, *, at: datetime) -> list[OutboundMessage]:
    """Claim the oldest due rows of each channel and lane, no more than its room, and return them in that order."""
    if not rooms:
        return []
    claimed = OutboundMessage.objects.raw(
        f"WITH claimed AS MATERIALIZED (SELECT found.id, found.not_before FROM {_WANTED} CROSS JOIN LATERAL ("
        f"SELECT due.id, due.not_before {_DUE} ORDER BY due.not_before, due.id LIMIT wanted.room "
        "FOR NO KEY UPDATE OF due SKIP LOCKED) AS found) "
        "UPDATE channels_outboundmessage AS kept SET not_before = %s FROM claimed WHERE kept.id = claimed.id "
        "RETURNING kept.*, claimed.not_before AS due_at",
        [*_columns(rooms), at, at + LEASE],
    )
    return sorted(claimed, key=attrgetter("due_at", "pk"))


def give_back(rows: Sequence[OutboundMessage]) -> None:
    """Let claimed rows that were not called be due again, where they stood in their lane before."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE channels_outboundmessage AS kept SET not_before = claimed.due_at "
            "FROM unnest(%s::bigint[], %s::timestamptz[]) AS claimed (id, due_at) "
            "WHERE kept.id = claimed.id AND kept.status = %s",
            [[row.pk for row in rows], list(map(_DUE_AT, rows)), OutboundStatus.PENDING],
        )


def _columns(rooms: Rooms) -> list[list[int] | list[str]]:
    return [
        [channel_id for channel_id, _lane in rooms],
        [str(Lane(lane)) for _channel_id, lane in rooms],
        list(rooms.values()),
    ]


def hold_slots(wanted: Mapping[int, int]) -> dict[int, list[int]]:
    """Take free calls at once of channels (id → how many it has in all) for this session; return which were free."""
    places = [(channel, place) for channel, most in wanted.items() for place in range(min(most, MOST_SLOTS))]
    held: dict[int, list[int]] = {channel: [] for channel in wanted}
    if places:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT channel, place, pg_try_advisory_lock(%s, (channel * 16 + place)::int) "
                "FROM unnest(%s::bigint[], %s::int[]) AS wanted (channel, place)",
                [SLOTS, *map(list, zip(*places, strict=True))],
            )
            for channel, place, is_mine in cursor.fetchall():
                if is_mine:
                    held[channel].append(place)
    return held


def free_slots(held: Mapping[int, Collection[int]]) -> None:
    """Give calls at once back."""
    keys = [channel * MOST_SLOTS + place for channel, places in held.items() for place in places]
    if keys:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, key) FROM unnest(%s::int[]) AS held (key)", [SLOTS, keys])
