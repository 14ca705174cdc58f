"""The stock figure of a listing in the outbox: at most one waits, the newest takes its place.

A figure's key is ``stock/LISTING/MICROSECONDS``, the moment since which the channel's figure was no longer right; each
key of a listing is later than the one before, so that the newest message is one look into the index of keys.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

from audit.models import rows as bulk
from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import cases
from channels.messages import StockFigure
from channels.models import OutboundMessage
from channels.rules import wire
from channels.statuses import Lane, OutboundStatus

NOT_DELIVERED: Final = "message_not_delivered"  # the outbox's cases
ACTOR: Final = Actor("job", "stock_push")
AHEAD: Final = timedelta(days=1)  # a figure that changed goes before those of a bulk run, which are only repeated
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NEWEST: Final = """
SELECT asked.listing_id, message.id, message.key, message.status, message.attempts, message.not_before
  FROM unnest(%s::bigint[]) AS asked (listing_id)
 CROSS JOIN LATERAL (
       SELECT id, key, status, attempts, not_before FROM channels_outboundmessage
        WHERE key > 'stock/' || asked.listing_id || '/' AND key < 'stock/' || asked.listing_id || '0'
        ORDER BY key DESC LIMIT 1) AS message
"""
_LOCK_WAITING: Final = """
SELECT id FROM channels_outboundmessage
 WHERE id = ANY(%s) AND status = 'pending' AND not_before <= %s
 ORDER BY id FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True)
class Sent:
    """The newest message about a listing's stock."""

    message_id: int
    serial: int  # microseconds, see the module
    status: str
    attempts: int
    due_at: datetime
    is_waiting: bool = False  # nobody sends it at this moment, and it is locked by us

    @property
    def is_under_way(self) -> bool:
        """Tell whether somebody may be sending it now, or tries it again later."""
        return self.status == OutboundStatus.PENDING and not self.is_waiting


@dataclass(frozen=True)
class Line:
    """What is to be said of one listing."""

    listing_id: int
    channel_id: int
    subject: str
    figure: StockFigure
    lane: Lane
    since: datetime
    is_ahead: bool = True


def listing_of(key: str) -> int | None:
    """Return the listing that a message's key is about, None for a key of something else."""
    parts = key.split("/")
    return int(parts[1]) if len(parts) == 3 and parts[0] == "stock" else None


def moment_of(key: str) -> datetime:
    """Return since when the channel's figure had not been right when this key was made."""
    return _EPOCH + _serial(key) * _MICROSECOND


def newest(listing_ids: Collection[int], *, at: datetime) -> dict[int, Sent]:
    """Return the newest message about each listing; those that wait and nobody is sending are locked."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [sorted(listing_ids)])
        found = cursor.fetchall()
        pending = [row[1] for row in found if row[3] == OutboundStatus.PENDING]
        waiting: set[int] = set()
        if pending:
            cursor.execute(_LOCK_WAITING, [pending, at])
            waiting = {message_id for (message_id,) in cursor.fetchall()}
    return {
        listing_id: Sent(message_id, _serial(key), status, attempts, due_at, message_id in waiting)
        for listing_id, message_id, key, status, attempts, due_at in found
    }


def settled(row: OutboundMessage) -> Sent:
    """Return a message that was sent a moment ago as the newest of its listing."""
    return Sent(row.pk, _serial(row.key), OutboundStatus.SENT, row.attempts, row.not_before)


def write(lines: Sequence[Line], known: Mapping[int, Sent], *, at: datetime) -> None:
    """Put each line into the queue in the place of what waits there; what was tried before and failed is given up."""
    withdraw(known[line.listing_id] for line in lines if line.listing_id in known)
    _give_up([line for line in lines if _was_tried(known.get(line.listing_id))], known, at=at)
    bulk.insert([_message(line, known.get(line.listing_id), at) for line in lines])


def withdraw(messages: Iterable[Sent]) -> None:
    """Take waiting messages back that nobody ever tried to send."""
    ids = [sent.message_id for sent in messages if sent.is_waiting and not sent.attempts]
    if ids:
        OutboundMessage.objects.filter(pk__in=ids).delete()


def _was_tried(sent: Sent | None) -> bool:
    if sent is None:
        return False
    return sent.status == OutboundStatus.NEEDS_PERSON or (sent.is_waiting and sent.attempts > 0)


def _give_up(lines: Sequence[Line], known: Mapping[int, Sent], *, at: datetime) -> None:
    if not lines:
        return
    tried = OutboundMessage.objects.filter(
        pk__in=[known[line.listing_id].message_id for line in lines],
        status__in=(OutboundStatus.NEEDS_PERSON, OutboundStatus.PENDING),
    )
    tried.update(status=OutboundStatus.GIVEN_UP, reason=say("A newer figure took its place.").stored())
    subjects = [line.subject for line in lines]
    cases.resolve(subjects, kinds=[NOT_DELIVERED], actor=ACTOR, resolution="a newer figure is sent", at=at)


def _key(line: Line, last: Sent | None) -> str:
    serial = (line.since - _EPOCH) // _MICROSECOND
    return f"stock/{line.listing_id}/{max(serial, last.serial + 1 if last else 0):016d}"


def _due_at(line: Line, last: Sent | None, at: datetime) -> datetime:
    """Return when the line goes out: a changed figure before repeated ones, and not behind the one it replaces."""
    if not line.is_ahead:
        return at
    return min(at - AHEAD, last.due_at) if last and last.is_waiting else at - AHEAD


def _serial(key: str) -> int:
    return int(key.rsplit("/", 1)[1])


def _message(line: Line, last: Sent | None, at: datetime) -> OutboundMessage:
    return bulk.new(
        OutboundMessage,
        channel_id=line.channel_id,
        lane=line.lane,
        kind=wire.kind_of(line.figure),
        key=_key(line, last),
        subject=line.subject,
        body=wire.to_json(line.figure),
        not_before=_due_at(line, last, at),
        created_at=at,
    )
