"""What people do with messages that were not delivered, or must be told again: send, mend, give up, a whole range."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.db import transaction
from django.db.models import Count, QuerySet

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import trail
from channels.models import Channel, OutboundMessage
from channels.rules import texts, wire
from channels.services import outcomes
from channels.statuses import Lane, OutboundStatus

LONGEST_RANGE: Final = timedelta(days=31)
MOST_AT_ONCE: Final = 100_000
SETTLED: Final = (OutboundStatus.SENT, OutboundStatus.NEEDS_PERSON, OutboundStatus.GIVEN_UP)
FIGURES: Final = (Lane.URGENT, Lane.STOCK)  # old figures are wrong by now: stock is pushed again as it is


class NotMended(Exception):
    """A message that cannot be changed so; ``reason`` says why."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


class RangeRefused(ValueError):
    """A range that is not sent again; ``reason`` says why."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Range:
    """Messages of one channel and lane that were made from ``since`` up to, not including, ``until``."""

    channel_id: int
    lane: Lane
    since: datetime
    until: datetime


@transaction.atomic
def again(ids: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Send messages again that needed a person, under the same keys, and return how many went back to the queue."""
    why = say("Sent again by %(actor)s.", actor=actor.label)
    return OutboundMessage.objects.filter(pk__in=ids, status=OutboundStatus.NEEDS_PERSON).update(
        status=OutboundStatus.PENDING, attempts=0, not_before=at, reason=why.stored()
    )


@transaction.atomic
def mend(message_id: int, body: dict[str, Any], *, reason: str, actor: Actor, at: datetime) -> None:
    """Send a message that needs a person with another body, under the same key; its first body is kept.

    Raises ``NotMended`` when it does not need a person (any more), or when the body is not one of its kind.
    """
    locked = OutboundMessage.objects.select_for_update(no_key=True).filter(pk=message_id).first()
    if locked is None or locked.status != OutboundStatus.NEEDS_PERSON:
        raise NotMended(say("Only messages that need a person can be edited."))
    locked.body, locked.first_body = checked(locked.kind, body), locked.first_body or locked.body
    locked.edited_by = actor.label[:80]
    locked.status, locked.attempts, locked.not_before = OutboundStatus.PENDING, 0, at
    locked.reason = say(
        "Edited and sent again by %(actor)s: %(reason)s", actor=actor.label, reason=texts.shown(reason, limit=200)
    ).stored()
    locked.save(
        update_fields=["body", "first_body", "edited_by", "status", "attempts", "not_before", "reason"],
    )


def checked(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as it is kept; raises ``NotMended`` for one that is no message of this kind."""
    try:
        kept = wire.to_json(wire.from_json(kind, body))
    except (msgspec.ValidationError, KeyError) as error:
        raise NotMended(say("This is no such message: %(error)s.", error=texts.shown(error, limit=200))) from error
    unknown = sorted(set(body) - set(kept))
    if unknown:
        raise NotMended(say("A message of this kind has no %(fields)s.", fields=", ".join(unknown)[:200]))
    return kept


@transaction.atomic
def give_up(ids: Sequence[int], *, reason: str, actor: Actor, at: datetime) -> int:
    """Settle messages that need a person without sending them, and return how many; their cases are closed."""
    stuck = OutboundMessage.objects.select_for_update(no_key=True).filter(
        pk__in=ids, status=OutboundStatus.NEEDS_PERSON
    )
    subjects = {row.pk: row.subject for row in stuck.order_by("pk")}
    why = say("Given up by %(actor)s: %(reason)s", actor=actor.label, reason=texts.shown(reason, limit=200))
    count = OutboundMessage.objects.filter(pk__in=subjects).update(status=OutboundStatus.GIVEN_UP, reason=why.stored())
    outcomes.close_cases(sorted(set(subjects.values())), actor=actor, resolution=texts.shown(reason, limit=300), at=at)
    return count


def counts(asked: Range) -> dict[str, int]:
    """Return how many messages of a range can be sent again, by the status they have now; raises ``RangeRefused``."""
    found = _settled(asked).values("status").annotate(count=Count("pk")).order_by("status")
    return {row["status"]: row["count"] for row in found}


@transaction.atomic
def again_in_range(asked: Range, *, statuses: Sequence[str], reason: str, actor: Actor, at: datetime) -> int:
    """Send a range's messages of these statuses again under the same keys, so that receivers know what they have.

    Returns how many went back to the queue; who did it and why is kept in the channel's history. Raises
    ``RangeRefused`` for stock figures, and for a range longer than a month or with more than a hundred thousand
    messages: nobody would notice a slip.
    """
    chosen = _settled(asked).filter(status__in=statuses)
    if chosen[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
        raise RangeRefused(say("At most %(most)s messages are sent again at once.", most=MOST_AT_ONCE))
    why = say("Sent again by %(actor)s: %(reason)s", actor=actor.label, reason=texts.shown(reason, limit=200))
    count = chosen.update(status=OutboundStatus.PENDING, attempts=0, not_before=at, reason=why.stored())
    if count:
        locked = Channel.objects.select_for_update(no_key=True).get(pk=asked.channel_id)
        trail.because(locked, actor=actor, reason=f"{count} of {asked.lane} again: {reason}")
        locked.save(update_fields=["is_active"])
    return count


def _settled(asked: Range) -> QuerySet[OutboundMessage]:
    if not timedelta() < asked.until - asked.since <= LONGEST_RANGE:
        raise RangeRefused(
            say("A range ends after it begins and is no longer than %(days)s days.", days=LONGEST_RANGE.days)
        )
    if asked.lane in FIGURES:
        raise RangeRefused(say("Stock is not sent again as it was: push the channel's listings as they are now."))
    made = OutboundMessage.objects.filter(channel_id=asked.channel_id, lane=asked.lane, status__in=SETTLED)
    return made.filter(created_at__gte=asked.since, created_at__lt=asked.until)
