"""One run of the outbox over all channels and lanes: claim, let threads call, record, until nothing is due.

Calls are made by a bounded number of threads, of each channel no more at once than it takes. The run itself never waits
for one channel: while one does not answer, the others' rows are claimed, called and recorded as ever. No transaction is
open while somebody is called.
"""

import queue
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from channels.models import Channel, ChannelHealth
from channels.rules import breaker, turns
from channels.services import calling, claims, health, outcomes
from channels.services.calling import Door, Told
from channels.services.outcomes import Delivered, Outcome
from channels.statuses import Lane

RUN_SECONDS: Final = 60.0  # nothing new is claimed after this
GRACE_SECONDS: Final = 35.0  # and calls under way are waited for no longer than this; both end before a lease does
TURN_SECONDS: Final = 0.05
IDLE_TURN_SECONDS: Final = 0.2
SHORT_WAIT: Final = timedelta(seconds=2)  # a run stays for calls that a channel will have left this soon
REFRESH_SECONDS: Final = 1.0
THREADS: Final = 64
AHEAD: Final = 8  # rows claimed for each call at once

Counts = dict[tuple[int, str], int]  # (channel, lane) → rows


class Run:
    """One run; ``at`` is the moment at which it begins, ``limit`` how many rows of each lane it claims at most."""

    def __init__(self, lanes: Sequence[str], *, limit: int, at: datetime) -> None:
        self._left = dict.fromkeys(lanes, limit)
        self._at, self._started, self._refreshed = at, time.monotonic(), float("-inf")
        self._doors: dict[int, Door] = {}
        self._active: list[int] = []  # channels that are switched on
        self._told: Told = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="outbox")
        self._calls_come_soon = False

    def serve(self) -> Delivered:
        """Work until nothing is due and nobody is called any more, or time is up; return what came of it."""
        done = Delivered()
        try:
            while self._elapsed() < RUN_SECONDS + GRACE_SECONDS:
                claimed = self._claim() if self._elapsed() < RUN_SECONDS else self._stop_claiming()
                self._start_calls()
                if not (claimed or self._calls_come_soon or self._under_way()):
                    break
                done += self._record(self._gather(TURN_SECONDS if claimed else IDLE_TURN_SECONDS))
        finally:
            self._close()
        return done

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _now(self) -> datetime:
        return self._at + timedelta(seconds=self._elapsed())

    def _under_way(self) -> int:
        return sum(door.under_way for door in self._doors.values())

    # -- claiming ---------------------------------------------------------------------------------
    def _claim(self) -> int:
        """Claim rows of the channels that may be called now, and return how many."""
        self._refresh()
        now = self._now()
        doors = [self._doors[pk] for pk in self._active if health.may_be_called(self._doors[pk].channel, at=now)]
        self._give_back(door for door in self._doors.values() if door not in doors and not _is_probing(door))
        due = claims.due(self._rooms(doors), at=now)
        self._hold_slots({channel_id for channel_id, _lane in due})
        self._calls_come_soon = self._waits_shortly({channel_id for channel_id, _lane in due}, at=now)
        claimed = claims.claim(self._granted(due, at=now), at=now)
        for row in claimed:
            self._left[row.lane] -= 1
            self._doors[row.channel_id].put(row)
        return len(claimed)

    def _stop_claiming(self) -> int:
        self._calls_come_soon = False
        self._give_back(self._doors.values())
        return 0

    def _refresh(self) -> None:
        """Read the active channels and their health, once a second or when something was told about one."""
        if time.monotonic() - self._refreshed < REFRESH_SECONDS:
            return
        active = Channel.objects.filter(is_active=True).order_by("pk").select_related("health")
        if any(not _has_health(channel) for channel in active):
            health.ensure([channel.pk for channel in active])
            active = active.all()
        for channel in active:
            self._doors.setdefault(channel.pk, Door(channel)).channel = channel
        self._active = [channel.pk for channel in active]
        self._refreshed = time.monotonic()

    def _rooms(self, doors: Sequence[Door]) -> Counts:
        """Return how many rows of each channel and lane this run has room for."""
        rooms: Counts = {}
        for door in doors:
            most = AHEAD * _at_once(door.channel)
            others = most - len(door.others) if len(door.others) * 2 < most else 0
            for lane, left in self._left.items():
                room = min(left, AHEAD - len(door.urgent) if lane == Lane.URGENT else others)
                if room > 0:
                    rooms[door.channel.pk, lane] = room
        return rooms

    def _hold_slots(self, channel_ids: set[int]) -> None:
        """Ask for the calls at once of channels with something due; one that others call is asked again in a second."""
        now = time.monotonic()
        doors = [self._doors[channel_id] for channel_id in channel_ids]
        asking = [door for door in doors if not door.slots and now - door.slots_asked_at >= REFRESH_SECONDS]
        held = claims.hold_slots({door.channel.pk: _at_once(door.channel) for door in asking})
        for door in asking:
            door.slots, door.slots_asked_at = held[door.channel.pk], now

    def _waits_shortly(self, channel_ids: set[int], *, at: datetime) -> bool:
        """Return whether a channel of ours has something due and will have a call left very soon."""
        waiting = [self._doors[channel_id] for channel_id in channel_ids if self._doors[channel_id].slots]
        return any(timedelta() < health.wait_for_call(door.channel, at=at) <= SHORT_WAIT for door in waiting)

    def _granted(self, due: Counts, *, at: datetime) -> Counts:
        """Return how many of the due rows are claimed now: lanes in turn, as far as calls are left."""
        shares: dict[int, dict[str, int]] = {}
        left = dict(self._left)
        for channel_id in sorted({channel_id for channel_id, _lane in due}):
            door = self._doors[channel_id]
            counts = {lane: min(due.get((channel_id, lane), 0), left[lane]) for lane in left}
            share = turns.share_out(counts, self._room(door, counts, at=at), order=list(left))
            if share:
                shares[channel_id] = share
                left = {lane: count - share.get(lane, 0) for lane, count in left.items()}
        wanted = {channel_id: sum(share.values()) for channel_id, share in shares.items()}
        calls = health.take_calls(wanted, {cid: self._doors[cid].channel for cid in wanted}, at=at)
        return {
            (channel_id, lane): count
            for channel_id, share in shares.items()
            for lane, count in turns.share_out(share, calls[channel_id], order=list(left)).items()
        }

    def _room(self, door: Door, counts: dict[str, int], *, at: datetime) -> int:
        if not door.slots:
            return 0
        if breaker.is_callable(health.state_of(door.channel.health)):
            return max(AHEAD * len(door.slots) - len(door.others), counts.get(Lane.URGENT, 0))
        if door.under_way or health.wait_for_call(door.channel, at=at):
            return 0
        if not health.begin_probe(door.channel.pk, at=at):
            return 0
        self._refreshed = float("-inf")
        return 1

    # -- calling ----------------------------------------------------------------------------------
    def _start_calls(self) -> None:
        for door in self._doors.values():
            for _ in range(min(len(door.slots) - door.under_way, door.waiting())):
                door.under_way += 1
                self._pool.submit(calling.serve, door, self._told, clock=self._now)

    def _gather(self, seconds: float) -> list[Outcome]:
        """Wait for what threads tell: until one has nothing more to do, or this long."""
        found: list[Outcome] = []
        until, is_waiting = time.monotonic() + seconds, True
        while True:
            try:
                told = (
                    self._told.get(timeout=max(0.0, until - time.monotonic())) if is_waiting else self._told.get(False)
                )
            except queue.Empty:
                return found
            if isinstance(told, Outcome):
                found.append(told)
                continue
            self._doors[told.channel_id].under_way -= 1
            is_waiting = False
            if told.error is not None:
                raise told.error

    def _record(self, found: Sequence[Outcome]) -> Delivered:
        if not found:
            return Delivered()
        now = self._now()
        done = outcomes.record(found, at=now)
        news = [
            beat for beat in outcomes.beats(found) if health.is_news(beat, self._doors[beat.channel_id].channel.health)
        ]
        if news:
            health.record(news, at=now)
            self._refreshed = float("-inf")
        return done

    # -- the end ----------------------------------------------------------------------------------
    def _give_back(self, doors: Iterable[Door]) -> None:
        rows = [row for door in doors for row in door.empty()]
        for row in rows:
            self._left[row.lane] += 1
        claims.give_back(rows)

    def _close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._give_back(self._doors.values())
        claims.free_slots({channel_id: door.slots for channel_id, door in self._doors.items()})


def _has_health(channel: Channel) -> bool:
    try:
        return channel.health is not None
    except ChannelHealth.DoesNotExist:
        return False


def _is_probing(door: Door) -> bool:
    return bool(door.channel.health.breaker == breaker.HALF_OPEN)


def _at_once(channel: Channel) -> int:
    return max(1, min(channel.calls_at_once, claims.MOST_SLOTS))
