"""The oversell table: what each channel sold, how fast it left, and what of it was not there.

Counted by the local day on which the channel took the order. Three statements, however many channels and days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from orders.rules import oversell

SPANS = (7, 30, 90)  # days, today included

_ORDERS = """
SELECT channel_id, (placed_at AT TIME ZONE %(zone)s)::date AS day, count(*)
  FROM orders_order WHERE placed_at >= %(start)s AND placed_at < %(end)s
 GROUP BY 1, 2
"""
_HOURS = """
SELECT channel_id, count(*),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM shipped_at - coalesce(paid_at, placed_at)) / 3600)
  FROM orders_order
 WHERE placed_at >= %(start)s AND placed_at < %(end)s AND shipped_at IS NOT NULL
 GROUP BY GROUPING SETS ((channel_id), ())
"""
# An order cannot be found oversold before it was placed: the index of oversells begins there.
_OVERSELLS = """
SELECT oversell.channel_id, (known.placed_at AT TIME ZONE %(zone)s)::date AS day, oversell.cause, oversell.order_id,
       count(*)
  FROM orders_oversell AS oversell JOIN orders_order AS known ON known.id = oversell.order_id
 WHERE oversell.found_at >= %(start)s AND known.placed_at >= %(start)s AND known.placed_at < %(end)s
 GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Day:
    """One day of a channel."""

    day_date: date
    orders: int = 0
    oversold: int = 0


@dataclass
class Channel:
    """One channel's figures of a span, or those of all channels together (``channel_id`` is None)."""

    channel_id: int | None
    orders: int = 0
    shipped: int = 0
    median_hours: float | None = None
    oversold: dict[str, int] = field(default_factory=dict)  # side → orders
    lines: dict[str, int] = field(default_factory=dict)  # cause → oversold lines
    days: list[Day] = field(default_factory=list)

    def rate(self, side: str) -> float:
        """Return oversold orders as a part of all accepted ones, 0 to 1."""
        return self.oversold.get(side, 0) / self.orders if self.orders else 0.0


@dataclass(frozen=True)
class Table:
    """The whole table: the span, each channel with orders in it, and all together."""

    first_date: date
    last_date: date
    channels: tuple[Channel, ...]
    total: Channel

    @property
    def day_count(self) -> int:
        """Return how many days the span has."""
        return (self.last_date - self.first_date).days + 1


def table(days: int, *, today: date) -> Table:
    """Return the table of the last ``days`` local days, today included; channels by their number."""
    first = today - timedelta(days=days - 1)
    start, end = (_midnight(day) for day in (first, today + timedelta(days=1)))
    asked = {"zone": settings.TIME_ZONE, "start": start, "end": end}
    orders, hours, found = (_ask(question, asked) for question in (_ORDERS, _HOURS, _OVERSELLS))
    channel_ids = sorted({row[0] for row in orders})
    counts = {(channel_id, day): count for channel_id, day, count in orders}
    calendar = [first + timedelta(days=number) for number in range(days)]
    channels = tuple(_channel(channel_id, counts, found, calendar) for channel_id in channel_ids)
    total = _total(channels, found, calendar)
    for channel_id, shipped, median in hours:
        one = next((row for row in channels if row.channel_id == channel_id), total)
        one.shipped, one.median_hours = shipped, median
    return Table(first, today, channels, total)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _ask(question: str, asked: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, asked)
        return cursor.fetchall()


def _channel(
    channel_id: int, counts: Mapping[tuple[int, date], int], found: Iterable[tuple[Any, ...]], calendar: Iterable[date]
) -> Channel:
    own = [row for row in found if row[0] == channel_id]
    by_day = _orders_by(own, lambda row: row[1])
    days = [Day(day, counts.get((channel_id, day), 0), by_day.get(day, 0)) for day in calendar]
    return Channel(
        channel_id,
        orders=sum(day.orders for day in days),
        oversold=_orders_by(own, lambda row: oversell.side_of(row[2])),
        lines=_lines_by_cause(own),
        days=days,
    )


def _total(channels: Iterable[Channel], found: list[tuple[Any, ...]], calendar: Iterable[date]) -> Channel:
    by_day = _orders_by(found, lambda row: row[1])
    sums: dict[date, int] = {}
    for channel in channels:
        for day in channel.days:
            sums[day.day_date] = sums.get(day.day_date, 0) + day.orders
    return Channel(
        None,
        orders=sum(sums.values()),
        oversold=_orders_by(found, lambda row: oversell.side_of(row[2])),
        lines=_lines_by_cause(found),
        days=[Day(day, sums.get(day, 0), by_day.get(day, 0)) for day in calendar],
    )


def _orders_by(found: Iterable[tuple[Any, ...]], key: Any) -> dict[Any, int]:
    """Count orders, each once per key: an order may have several lines and causes."""
    orders: dict[Any, set[int]] = {}
    for row in found:
        orders.setdefault(key(row), set()).add(row[3])
    return {name: len(numbers) for name, numbers in orders.items()}


def _lines_by_cause(found: Iterable[tuple[Any, ...]]) -> dict[str, int]:
    lines: dict[str, int] = {}
    for row in found:
        lines[row[2]] = lines.get(row[2], 0) + row[4]
    return lines
