"""The outbox: what must go out is a row; it is tried until it is accepted or needs a person."""

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from audit.models import rows as bulk
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from channels.adapters import registry
from channels.adapters.protocol import NotOffered, Rejected, RetryLater
from channels.messages import Outgoing
from channels.models import Channel, OutboundMessage
from channels.rules import backoff, texts, wire
from channels.services import connections
from channels.statuses import Lane, OutboundStatus

LEASE: Final = timedelta(seconds=180)  # a claimed row comes back by itself when its worker dies
RUN_SECONDS: Final = 90.0  # a run stops calling well before its leases end
PAUSE: Final = timedelta(seconds=60)  # how long a channel rests after it could not be reached
LONGEST_KEPT_ANSWER: Final = 2000
NOT_DELIVERED: Final = "message_not_delivered"
ACTOR: Final = Actor("job", "outbox")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Draft:
    """A message to be sent: to whom, in which lane, about what, and the key under which it goes out once."""

    channel_id: int
    lane: Lane
    subject: str
    key: str
    message: Outgoing


@dataclass(frozen=True)
class Delivered:
    """What one run did: accepted, to be tried again, and given to a person."""

    sent: int = 0
    retried: int = 0
    failed: int = 0

    def __add__(self, other: "Delivered") -> "Delivered":
        return Delivered(self.sent + other.sent, self.retried + other.retried, self.failed + other.failed)


def enqueue(drafts: Sequence[Draft], *, at: datetime) -> None:
    """Write messages to be sent, in the transaction that caused them; a key that is already there stays as it is.

    Raises ``IntegrityError`` when somebody else writes the same key at this moment: the caller's operation is repeated.
    """
    wanted = {draft.key: draft for draft in drafts}
    if not wanted:
        return
    known = set(OutboundMessage.objects.filter(key__in=list(wanted)).values_list("key", flat=True))
    bulk.insert(
        [
            bulk.new(
                OutboundMessage,
                channel_id=draft.channel_id,
                lane=draft.lane,
                kind=wire.kind_of(draft.message),
                key=key,
                subject=draft.subject,
                body=wire.to_json(draft.message),
                not_before=at,
                created_at=at,
            )
            for key, draft in sorted(wanted.items())
            if key not in known
        ]
    )


def deliver(lane: str | None = None, *, limit: int = 100, at: datetime) -> Delivered:
    """Send what is due, at most ``limit`` rows of ``lane`` (of each lane when none is named); count the outcomes.

    No transaction is open while the other side is called. A channel that cannot be reached rests for a minute; the
    others go on. A row is sent at least once: after a crash it goes out again with the same key.
    """
    lanes = [lane] if lane is not None else list(Lane.values)
    return sum((_deliver_lane(name, limit=limit, at=at) for name in lanes), Delivered())


def _deliver_lane(lane: str, *, limit: int, at: datetime) -> Delivered:
    claimed = _claim(lane, limit=limit, at=at)
    channels = Channel.objects.in_bulk({row.channel_id for row in claimed})
    started, done, resting = time.monotonic(), Delivered(), set[int]()
    sent: list[str] = []
    for place, row in enumerate(claimed):
        if time.monotonic() - started > RUN_SECONDS:
            _give_back(claimed[place:], at=at)
            break
        if row.channel_id in resting:
            continue
        outcome = _send(row, channels[row.channel_id], at=at)
        done += outcome
        if outcome.sent:
            sent.append(row.subject)
        elif outcome.retried:
            resting.add(row.channel_id)
            _rest(row, claimed[place + 1 :], at=at)
    _close_cases(sent, at=at)
    return done


@transaction.atomic
def _claim(lane: str, *, limit: int, at: datetime) -> list[OutboundMessage]:
    due = OutboundMessage.objects.filter(lane=lane, status=OutboundStatus.PENDING, not_before__lte=at)
    locked = due.order_by("not_before", "id").select_for_update(skip_locked=True, of=("self",), no_key=True)
    claimed = list(locked[:limit])
    OutboundMessage.objects.filter(pk__in=[row.pk for row in claimed]).update(not_before=at + LEASE)
    return claimed


def _give_back(rows: Sequence[OutboundMessage], *, at: datetime) -> None:
    _pending(rows).update(not_before=at)


def _rest(failed: OutboundMessage, claimed: Sequence[OutboundMessage], *, at: datetime) -> None:
    """Let a channel rest in its lane: its other rows wait a little, so that they do not keep other channels' back."""
    same = [row for row in claimed if row.channel_id == failed.channel_id]
    _pending(same).update(not_before=at + PAUSE)
    queued = OutboundMessage.objects.filter(lane=failed.lane, status=OutboundStatus.PENDING)
    queued.filter(channel_id=failed.channel_id, not_before__lt=at + PAUSE).exclude(pk=failed.pk).update(
        not_before=at + PAUSE
    )


def _pending(rows: Sequence[OutboundMessage]) -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(pk__in=[row.pk for row in rows], status=OutboundStatus.PENDING)


def _send(row: OutboundMessage, channel: Channel, *, at: datetime) -> Delivered:
    """Call the adapter for one row and record what came of it."""
    try:
        answer = _call(row, channel)
    except RetryLater as error:
        return _record_retry(row, error, at=at)
    except Rejected as error:
        return _record_failure(row, error.reason, error.answer, at=at)
    except NotOffered:
        why = say("%(adapter)s cannot be told this.", adapter=channel.adapter)
        return _record_failure(row, why, "", at=at)
    except Exception as error:  # our own fault: said once with its trace, and one row never stops the others
        logger.exception("outbox row %s could not be sent", row.pk)
        why = say("Our own code failed: %(error)s.", error=texts.shown(repr(error), limit=200))
        return _record_failure(row, why, "", at=at)
    _pending([row]).update(
        status=OutboundStatus.SENT, sent_at=at, attempts=F("attempts") + 1, reason={}, response=_kept(answer)
    )
    return Delivered(sent=1)


def _call(row: OutboundMessage, channel: Channel) -> str:
    adapter = registry.BY_NAME.get(channel.adapter)
    if adapter is None:
        raise Rejected(say("There is no adapter called %(adapter)s.", adapter=channel.adapter))
    return adapter.deliver(wire.from_json(row.kind, row.body), connections.of(channel), key=row.key)


def _record_retry(row: OutboundMessage, error: RetryLater, *, at: datetime) -> Delivered:
    attempts = row.attempts + 1
    if attempts >= backoff.MOST_ATTEMPTS:
        return _record_failure(row, error.reason, error.answer, at=at)
    wait = backoff.seconds_until_retry(attempts, asked=error.seconds, spread=random.random())  # noqa: S311  # no secret
    _pending([row]).update(
        attempts=attempts,
        not_before=at + timedelta(seconds=wait),
        reason=error.reason.stored(),
        response=_kept(error.answer),
    )
    return Delivered(retried=1)


@transaction.atomic
def _record_failure(row: OutboundMessage, why: Sentence, answer: str, *, at: datetime) -> Delivered:
    _pending([row]).update(
        status=OutboundStatus.NEEDS_PERSON, attempts=row.attempts + 1, reason=why.stored(), response=_kept(answer)
    )
    cases.open_cases(
        [
            cases.Trouble(
                kind=NOT_DELIVERED,
                subject=row.subject,
                why=why,
                suggestion=say("Remove the cause, then send the message again from the outbox."),
                subject_url=f"/admin/channels/outboundmessage/{row.pk}/change/",
            )
        ],
        at=at,
    )
    return Delivered(failed=1)


def _close_cases(subjects: Sequence[str], *, at: datetime) -> None:
    """Close the cases of subjects of which nothing is left undelivered."""
    if not subjects:
        return
    stuck = OutboundMessage.objects.filter(status=OutboundStatus.NEEDS_PERSON, subject__in=subjects)
    settled = sorted(set(subjects) - set(stuck.values_list("subject", flat=True)))
    cases.resolve(settled, kinds=[NOT_DELIVERED], actor=ACTOR, resolution="delivered", at=at)


@transaction.atomic
def replay(ids: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Send messages again that needed a person, under the same keys, and return how many went back to the queue."""
    why = say("Sent again by %(actor)s.", actor=actor.label)
    return OutboundMessage.objects.filter(pk__in=ids, status=OutboundStatus.NEEDS_PERSON).update(
        status=OutboundStatus.PENDING, attempts=0, not_before=at, reason=why.stored()
    )


def _kept(answer: str) -> str:
    return texts.fit(answer[:LONGEST_KEPT_ANSWER])
