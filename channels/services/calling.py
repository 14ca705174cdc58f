"""Calling a channel for its claimed rows, in threads: at most as many calls at once as it takes.

A thread knows rows and adapters only; what came of a call it tells its run, which writes it.
"""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import connections as databases
from django.utils import timezone

from audit.rules.sentences import Sentence, say
from channels.adapters import registry
from channels.adapters.protocol import Gone, NotOffered, Rejected, RetryLater, Throttled, TokenExpired
from channels.models import Channel, OutboundMessage
from channels.rules import texts, wire
from channels.services import tokens
from channels.services.health import Sign
from channels.services.outcomes import Outcome
from channels.statuses import AttemptOutcome, Lane

logger = logging.getLogger(__name__)
_NO_SIGN: Final = frozenset({Throttled, TokenExpired})  # of these the channel answered, whatever it said


@dataclass(frozen=True)
class Ended:
    """A thread has nothing more to do for a channel; ``error`` is what no call may raise."""

    channel_id: int
    error: BaseException | None = None


Told = queue.SimpleQueue[Outcome | Ended]


@dataclass(eq=False)
class Door:
    """One channel in a run: the rows claimed for it, and how many threads call for them."""

    channel: Channel
    urgent: deque[OutboundMessage] = field(default_factory=deque)
    others: deque[OutboundMessage] = field(default_factory=deque)
    slots: list[int] = field(default_factory=list)
    slots_asked_at: float = float("-inf")
    under_way: int = 0

    def put(self, row: OutboundMessage) -> None:
        """Let a row wait for a call; what is urgent never stands behind the rest."""
        (self.urgent if row.lane == Lane.URGENT else self.others).append(row)

    def waiting(self) -> int:
        """Return how many rows wait for a call."""
        return len(self.urgent) + len(self.others)

    def next(self) -> OutboundMessage | None:
        """Return the row to call for next; threads ask at the same time, and each row is given once."""
        for rows in (self.urgent, self.others):
            try:
                return rows.popleft()
            except IndexError:
                continue
        return None

    def empty(self) -> list[OutboundMessage]:
        """Take out every row that nobody has called for."""
        return list(iter(self.next, None))


def serve(door: Door, told: Told, *, clock: Callable[[], datetime]) -> None:
    """Call for a channel's rows until none waits, and tell what came of each, then that this is the end."""
    error: BaseException | None = None
    try:
        while (row := door.next()) is not None:
            told.put(call(row, door.channel, clock=clock))
    except BaseException as problem:  # the run must know, or it would wait for this thread
        error = problem
    finally:
        databases.close_all()
        told.put(Ended(door.channel.pk, error))


def call(row: OutboundMessage, channel: Channel, *, clock: Callable[[], datetime]) -> Outcome:
    """Make one call and return what came of it."""
    began_at, began = clock(), time.monotonic()
    try:
        verdict = _verdict(row, channel)
    except Exception as error:  # our own fault: said once with its trace, and one row never stops the others
        logger.exception("outbox row %s could not be sent", row.pk)
        why = say("Our own code failed: %(error)s.", error=texts.shown(repr(error), limit=200))
        verdict = _Verdict(AttemptOutcome.REFUSED, reason=why, sign=Sign.NOTHING)
    return Outcome(
        row=row,
        verdict=verdict.outcome,
        began_at=began_at,
        milliseconds=round((time.monotonic() - began) * 1000),
        answer=verdict.answer,
        reason=verdict.reason,
        seconds=verdict.seconds,
        sign=verdict.sign,
        is_throttled=verdict.is_throttled,
        is_gone=verdict.is_gone,
    )


@dataclass(frozen=True)
class _Verdict:
    outcome: AttemptOutcome
    answer: str = ""
    reason: Sentence | None = None
    seconds: int = 0
    sign: Sign = Sign.ANSWERED
    is_throttled: bool = False
    is_gone: bool = False


def _verdict(row: OutboundMessage, channel: Channel) -> _Verdict:
    adapter = registry.BY_NAME.get(channel.adapter)
    if adapter is None:
        why = say("There is no adapter called %(adapter)s.", adapter=channel.adapter)
        return _Verdict(AttemptOutcome.REFUSED, reason=why, sign=Sign.NOTHING)
    try:
        message = wire.from_json(row.kind, row.body)
        answer = tokens.calling(
            channel, lambda connection: adapter.deliver(message, connection, key=row.key), at=timezone.now()
        )
    except RetryLater as error:
        return _Verdict(
            AttemptOutcome.RETRY,
            answer=error.answer,
            reason=error.reason,
            seconds=error.seconds,
            sign=Sign.ANSWERED if type(error) in _NO_SIGN else Sign.FAILED,
            is_throttled=isinstance(error, Throttled),
        )
    except Rejected as error:
        is_gone = isinstance(error, Gone)
        return _Verdict(AttemptOutcome.REFUSED, answer=error.answer, reason=error.reason, is_gone=is_gone)
    except NotOffered:
        why = say("%(adapter)s cannot be told this.", adapter=channel.adapter)
        return _Verdict(AttemptOutcome.REFUSED, reason=why, sign=Sign.NOTHING)
    return _Verdict(AttemptOutcome.ACCEPTED, answer=answer)
