"""Walking a platform's numbered pages without losing a row, while the rows move.

A row that changes leaves a window that lies in the past, and the rows behind it move one place towards the front: so
pages are read from the last to the first, and what moves is met on a page still to come, whichever way the list is
sorted. A window that ends *now* can also get a row at its front, which pushes the others the other way: then the walk
is done again. Windows share their ends, because it is not known of every platform that both ends belong to a window; a
row met twice comes once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from audit.rules.sentences import say
from channels.adapters.protocol import RetryLater

MOST_WALKS: Final = 5


class Row(NamedTuple):
    """One row of a list: which, as of when (sortable; empty where the list does not tell), and what was sent."""

    key: str
    changed: str
    payload: bytes = b""


class Page(NamedTuple):
    """One page of a list and how many rows the whole list has."""

    rows: list[Row]
    total: int


Ask = Callable[[datetime, datetime, int], Page]  # start, end, number of the page from 1


@dataclass(frozen=True)
class Pages:
    """A platform's list: how to ask for a page, and the platform's limits."""

    platform: str
    ask: Ask
    size: int
    longest: timedelta  # of a window
    deepest: int = 100_000  # rows of one window that are paged through; a window with more is halved

    def walk(self, since: datetime, until: datetime) -> Iterator[list[Row]]:
        """Yield the rows of a span, window by window, each row once; raises ``RetryLater`` or ``Rejected``."""
        seen: set[tuple[str, str]] = set()
        for start, end in windows(since, until, self.longest):
            for rows in self._window(start, end):
                fresh = {row[:2]: row for row in rows if row[:2] not in seen}
                if fresh:
                    yield list(fresh.values())
                    seen.update(fresh)

    def walk_settled_first(self, since: datetime, until: datetime, settled: timedelta) -> Iterator[list[Row]]:
        """Yield a span in two walks: what is older than ``settled``, then the newest rows as a window of their own.

        For lists of which nobody says how they are sorted: the older part gets no new rows any more; what moves in the
        newest is met again by the next pull, whose window begins before the last one ended.
        """
        middle = max(since, until - settled)
        if middle > since:
            yield from self.walk(since, middle)
        yield from self.walk(middle, until)

    def _window(self, start: datetime, end: datetime) -> Iterator[list[Row]]:
        front = self.ask(start, end, 1)
        half = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
        if front.total > self.deepest:
            if start == half:
                raise RetryLater(say("%(platform)s lists more of one second than can be read.", platform=self.platform))
            yield from self._window(start, half)
            yield from self._window(half, end)
            return
        for _ in range(MOST_WALKS):
            for number in range(-(-front.total // self.size), 1, -1):
                yield self.ask(start, end, number).rows
            if front.total <= self.size:
                yield front.rows
                return
            now = self.ask(start, end, 1)
            yield now.rows
            if not _came_to_front(front.rows, now.rows):
                return
            front = now
        raise RetryLater(say("%(platform)s's list changes faster than it can be read.", platform=self.platform))


def windows(since: datetime, until: datetime, longest: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span into windows of at most ``longest``, whole seconds, oldest first."""
    start, last = since.replace(microsecond=0), until.replace(microsecond=0)
    while start <= last:
        end = min(start + longest, last)
        yield start, end
        if end == last:
            return
        start = end


def _came_to_front(before: list[Row], now: list[Row]) -> bool:
    """Say whether a row came to the front: as new as the newest one before, and not among those."""
    known, newest = {row[:2] for row in before}, max((row.changed for row in before), default="")
    return bool(newest) and any(row.changed >= newest and row[:2] not in known for row in now)
