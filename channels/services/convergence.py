"""How long a change of stock takes to reach each channel: percentiles over what was accepted, and by hour."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
TARGET_SECONDS: Final = 5.0
URGENT_TARGET_SECONDS: Final = 2.0
_SPANS: Final = """
SELECT push.channel_id, count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY push.seconds),
       count(*) FILTER (WHERE push.is_urgent),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY push.seconds) FILTER (WHERE push.is_urgent)
  FROM unnest(%s::bigint[]) AS asked (channel_id)
 CROSS JOIN LATERAL (
       SELECT channel_id, is_urgent, extract(epoch FROM accepted_at - changed_at) AS seconds
         FROM channels_stockpush
        WHERE channel_id = asked.channel_id AND accepted_at > %s AND accepted_at <= %s) AS push
 GROUP BY push.channel_id
"""
_HOURS: Final = """
SELECT channel_id, floor(extract(epoch FROM %s - accepted_at) / 3600)::int, count(*),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM accepted_at - changed_at))
  FROM channels_stockpush WHERE channel_id = ANY(%s) AND accepted_at > %s AND accepted_at <= %s GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Span:
    """The pushes of some time: how many, and the seconds within which half and 95 of 100 were accepted."""

    count: int = 0
    p50: float = 0.0
    p95: float = 0.0
    urgent_count: int = 0
    urgent_p95: float = 0.0


@dataclass(frozen=True)
class HourOfPushes:
    """The pushes of one hour; ``hours_ago`` 0 is the one that runs."""

    hours_ago: int
    count: int
    p95: float


def spans(channel_ids: Collection[int], length: timedelta, *, at: datetime) -> dict[int, Span]:
    """Return each channel's span that ends now; channels without a push in it are absent. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, [list(channel_ids), at - length, at])
        return {
            channel_id: Span(count, float(both[0]), float(both[1]), urgent, float(urgent_p95 or 0.0))
            for channel_id, count, both, urgent, urgent_p95 in cursor.fetchall()
        }


def by_hour(channel_ids: Collection[int], *, at: datetime) -> dict[int, list[HourOfPushes]]:
    """Return each channel's last 24 hours, the oldest first; hours without a push have none. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, [at, list(channel_ids), at - DAY, at])
        found = {(channel_id, ago): (count, float(p95)) for channel_id, ago, count, p95 in cursor.fetchall()}
    return {
        channel_id: [HourOfPushes(ago, *found.get((channel_id, ago), (0, 0.0))) for ago in range(23, -1, -1)]
        for channel_id in channel_ids
    }
