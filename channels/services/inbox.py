"""The inbox: what came in is kept once, taken in batches, and ends with an outcome and its reason."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database
from django.db import transaction
from django.db.models import F, QuerySet

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from channels.adapters import registry
from channels.adapters.protocol import Connection
from channels.messages import Incoming, RawMessage
from channels.models import Channel, InboundMessage
from channels.rules import arrivals, texts
from channels.statuses import InboundSource, InboundStatus

# One statement for a whole page. Numbers are drawn in the order of arrival, rows are locked in the order of their keys:
# first come stays first, and two pages that overlap never wait for each other in a circle. A refused message that
# comes again with other content replaces what was refused; anything else only counts.
_STORE = """
WITH arrived AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('channels_inboundmessage', 'id')) AS id, page.*
    FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bytea[], %s::text[], %s::text[], %s::text[], %s::int[])
        WITH ORDINALITY AS page(kind, external_id, revision, payload, status, code, reason, times, place)
)
INSERT INTO channels_inboundmessage AS kept (id, channel_id, source, kind, external_id, revision, payload, status,
    reason_code, reason, times_received, attempts, received_at, finished_at)
SELECT id, %s, %s, kind, external_id, revision, payload, status, code, reason::jsonb, times, 0, %s,
    CASE WHEN status = 'rejected' THEN %s END
FROM arrived ORDER BY external_id COLLATE "C", kind COLLATE "C", revision
ON CONFLICT (channel_id, external_id, kind, revision) DO UPDATE SET
    times_received = kept.times_received + excluded.times_received,
    payload = CASE WHEN {mended} THEN excluded.payload ELSE kept.payload END,
    status = CASE WHEN {mended} THEN excluded.status ELSE kept.status END,
    reason_code = CASE WHEN {mended} THEN excluded.reason_code ELSE kept.reason_code END,
    reason = CASE WHEN {mended} THEN excluded.reason ELSE kept.reason END,
    attempts = CASE WHEN {mended} THEN 0 ELSE kept.attempts END,
    finished_at = CASE WHEN {mended} THEN excluded.finished_at ELSE kept.finished_at END
RETURNING (xmax = 0)
""".format(mended="kept.status IN ('rejected', 'parked') AND kept.payload <> excluded.payload")

_FINISH = """
UPDATE channels_inboundmessage AS kept
SET status = said.status, reason_code = said.code, reason = said.reason::jsonb,
    finished_at = CASE WHEN said.status IN ('received', 'waiting') THEN NULL ELSE %s::timestamptz END
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS said(id, status, code, reason)
WHERE kept.id = said.id
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one message, and why when it is not simply done."""

    message_id: int
    status: InboundStatus
    code: str = ""
    reason: Sentence | None = None


def store(
    channel: Channel, raws: Sequence[RawMessage], *, at: datetime, source: InboundSource = InboundSource.PUSH
) -> int:
    """Keep what came in, each message once, and return how many were new.

    ``source`` says by which way a new one came; one that is known keeps the way it came first. The same message again
    raises ``times_received``. What cannot be taken (too large, a number that does not fit) is kept as rejected with its
    reason, so one bad message never keeps the others out.
    """
    return keep(channel, arrivals.fold(raws), at=at, source=source)


def refuse_large(channel: Channel, head: bytes, *, size: int, at: datetime) -> None:
    """Keep the head of a request that is too large to be read: one row per channel and day, however often it comes."""
    keep(channel, [arrivals.too_large(head, size=size, day=at.date())], at=at)


def keep(
    channel: Channel,
    rows: Sequence[arrivals.Arrival],
    *,
    at: datetime,
    source: InboundSource = InboundSource.PUSH,
) -> int:
    """Keep folded messages by one statement, as ``store`` does, and return how many were new."""
    if not rows:
        return 0
    columns = (
        [row.kind for row in rows],
        [row.external_id for row in rows],
        [row.revision for row in rows],
        [row.payload for row in rows],
        [str(InboundStatus.REJECTED if row.reason else InboundStatus.RECEIVED) for row in rows],
        [row.code for row in rows],
        [_stored(row.reason) for row in rows],
        [row.times for row in rows],
    )
    with database.cursor() as cursor:
        cursor.execute(_STORE, [*columns, channel.pk, str(source), at, at])
        return sum(is_new for (is_new,) in cursor.fetchall())


def claim(limit: int, *, message_ids: Sequence[int] | None = None) -> list[InboundMessage]:
    """Take the oldest messages that nobody else is working on, locked until the caller's transaction ends.

    Each message carries its channel (one object per channel, one query for all). ``message_ids`` narrows the choice
    to messages the caller has just stored.
    """
    messages = InboundMessage.objects.filter(status=InboundStatus.RECEIVED)
    if message_ids is not None:
        messages = messages.filter(pk__in=message_ids)
    taken = messages.order_by("id").select_for_update(skip_locked=True, of=("self",), no_key=True)[:limit]
    return _with_channels(list(taken))


def waiting_for(channel_id: int, external_ids: Sequence[str]) -> list[InboundMessage]:
    """Return, locked, the changes that came before the orders of these numbers, in the order they were made."""
    messages = InboundMessage.objects.filter(
        status=InboundStatus.WAITING, channel_id=channel_id, external_id__in=external_ids
    )
    locked = messages.order_by("external_id", "revision", "id").select_for_update(of=("self",), no_key=True)
    return _with_channels(list(locked))


def _with_channels(messages: list[InboundMessage]) -> list[InboundMessage]:
    channels = Channel.objects.in_bulk({message.channel_id for message in messages}) if messages else {}
    for message in messages:
        message.channel = channels[message.channel_id]
    return messages


def translate(message: InboundMessage, connection: Connection) -> Incoming:
    """Return what a message says in the house language; raises ``Untranslatable`` with code and reason."""
    raw = RawMessage(message.kind, message.external_id, message.revision, bytes(message.payload))
    return registry.BY_NAME[message.channel.adapter].translate(raw, connection)


def finish(outcomes: Sequence[Outcome], *, at: datetime) -> None:
    """Write what became of these messages, all in one statement."""
    if not outcomes:
        return
    columns = (
        [outcome.message_id for outcome in outcomes],
        [str(outcome.status) for outcome in outcomes],
        [outcome.code for outcome in outcomes],
        [_stored(outcome.reason) for outcome in outcomes],
    )
    with database.cursor() as cursor:
        cursor.execute(_FINISH, [at, *columns])


def park(message_ids: Sequence[int], *, code: str, reason: Sentence, at: datetime) -> None:
    """Put messages aside that our own side could not handle; a person sends them back with ``retry``."""
    finish([Outcome(pk, InboundStatus.PARKED, code, reason) for pk in message_ids], at=at)


def count_attempt(message_ids: Sequence[int]) -> None:
    """Note that work on these messages began once more, so that one that kills its worker is found."""
    InboundMessage.objects.filter(pk__in=message_ids).update(attempts=F("attempts") + 1)


@transaction.atomic
def retry(messages: QuerySet[InboundMessage] | Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Send parked, rejected and waiting messages through again, and return how many went.

    Messages of which only the head was kept stay rejected: there is nothing to read again.
    """
    chosen = messages if isinstance(messages, QuerySet) else InboundMessage.objects.filter(pk__in=messages)
    stuck = (InboundStatus.PARKED, InboundStatus.REJECTED, InboundStatus.WAITING)
    again = chosen.filter(status__in=stuck).exclude(reason_code=arrivals.TOO_LARGE)
    why = say("Sent through again by %(actor)s at %(at)s.", actor=actor.label, at=at.isoformat(timespec="seconds"))
    return again.update(
        status=InboundStatus.RECEIVED, reason_code="", reason=why.stored(), attempts=0, finished_at=None
    )


def _stored(reason: Sentence | None) -> str:
    """Return a reason as JSON that the database takes, whatever a channel wrote into it."""
    if reason is None:
        return "{}"
    values = {name: texts.fit(value) if isinstance(value, str) else value for name, value in reason.values.items()}
    return json.dumps(Sentence(reason.text, values).stored())
