"""What came of calls, written for many messages at once: the messages, their tries, cases and channels' health."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from audit.models import rows as bulk
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases, trail
from channels.models import Channel, DeliveryAttempt, OutboundMessage
from channels.rules import backoff, texts
from channels.services import stock_push
from channels.services.health import Beat, Sign
from channels.statuses import AttemptOutcome, Lane, OutboundStatus

LONGEST_KEPT_ANSWER: Final = 2000
LONGEST_TRY_ANSWER: Final = 500
TRIES_KEPT: Final = timedelta(days=30)
PRUNED_AT_ONCE: Final = 5000
NOT_DELIVERED: Final = "message_not_delivered"
ENDPOINT_GONE: Final = "endpoint_gone"
ACTOR: Final = Actor("job", "outbox")


@dataclass(frozen=True)
class Outcome:
    """One call: what became of the message, and what it says of the channel."""

    row: OutboundMessage
    verdict: AttemptOutcome
    began_at: datetime
    milliseconds: int = 0
    answer: str = ""
    reason: Sentence | None = None
    seconds: int = 0  # how long the other side wants us to wait
    sign: Sign = Sign.ANSWERED
    is_throttled: bool = False
    is_gone: bool = False


@dataclass(frozen=True)
class Delivered:
    """What one run did: accepted, to be tried again, and given to a person."""

    sent: int = 0
    retried: int = 0
    failed: int = 0

    def __add__(self, other: "Delivered") -> "Delivered":
        return Delivered(self.sent + other.sent, self.retried + other.retried, self.failed + other.failed)


@dataclass
class _Change:
    """What a message's row becomes."""

    row: OutboundMessage
    status: OutboundStatus
    not_before: datetime
    sent_at: datetime | None = None
    reason: dict[str, object] = field(default_factory=dict)
    answer: str = ""


@transaction.atomic
def record(outcomes: Sequence[Outcome], *, at: datetime) -> Delivered:
    """Write what came of these calls and count it.

    A message that a person or another worker settled meanwhile stays as it is; its try is kept all the same.
    """
    if not outcomes:
        return Delivered()
    changes = [_change(outcome, at=at) for outcome in outcomes]
    _write(changes)
    bulk.insert([_try(outcome) for outcome in outcomes])
    failed = [change.row for change in changes if change.status == OutboundStatus.NEEDS_PERSON]
    reasons = {outcome.row.pk: outcome.reason for outcome in outcomes}
    cases.open_cases([_trouble(row, reasons[row.pk]) for row in failed], at=at)
    accepted = [change.row for change in changes if change.status == OutboundStatus.SENT]
    stock_push.record_accepted(accepted, at=at)
    sent = [row.subject for row in accepted]
    close_cases(sent, actor=ACTOR, resolution="delivered", at=at)
    for outcome in outcomes:
        if outcome.is_gone:
            _switch_off(outcome, at=at)
    return Delivered(len(sent), len(changes) - len(sent) - len(failed), len(failed))


def prune(*, at: datetime) -> int:
    """Delete tries older than thirty days, a batch at a time, and return how many; the messages stay."""
    gone = 0
    while True:
        old = DeliveryAttempt.objects.filter(attempted_at__lt=at - TRIES_KEPT).order_by("attempted_at")
        keys = list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE])
        if not keys:
            return gone
        gone += DeliveryAttempt.objects.filter(pk__in=keys).delete()[0]


def beats(outcomes: Sequence[Outcome]) -> list[Beat]:
    """Return what calls said of their channels."""
    return [
        Beat(
            channel_id=one.row.channel_id,
            sign=one.sign,
            at=one.began_at + timedelta(milliseconds=one.milliseconds),
            reason=one.reason,
            silent_until=one.began_at + timedelta(milliseconds=one.milliseconds, seconds=one.seconds)
            if one.is_throttled
            else None,
        )
        for one in outcomes
    ]


def close_cases(subjects: Sequence[str], *, actor: Actor, resolution: str, at: datetime) -> None:
    """Close the cases of subjects of which nothing is left undelivered."""
    if not subjects:
        return
    stuck = OutboundMessage.objects.filter(status=OutboundStatus.NEEDS_PERSON, subject__in=set(subjects))
    settled = sorted(set(subjects) - set(stuck.values_list("subject", flat=True)))
    cases.resolve(settled, kinds=[NOT_DELIVERED], actor=actor, resolution=resolution, at=at)


def _change(outcome: Outcome, *, at: datetime) -> _Change:
    if outcome.verdict == AttemptOutcome.ACCEPTED:
        return _Change(outcome.row, OutboundStatus.SENT, at, sent_at=at, answer=outcome.answer)
    reason = dict(outcome.reason.stored()) if outcome.reason else {}
    waits = backoff.WEBHOOKS if outcome.row.lane == Lane.EVENTS else backoff.USUAL
    attempts = outcome.row.attempts + 1
    if outcome.verdict == AttemptOutcome.REFUSED or attempts >= backoff.most_attempts(waits):
        return _Change(outcome.row, OutboundStatus.NEEDS_PERSON, at, reason=reason, answer=outcome.answer)
    dice = random.random()  # noqa: S311  # no secret
    wait = backoff.seconds_until_retry(attempts, waits=waits, asked=outcome.seconds, spread=dice)
    due_at = at + timedelta(seconds=wait)
    return _Change(outcome.row, OutboundStatus.PENDING, due_at, reason=reason, answer=outcome.answer)


def _write(changes: Sequence[_Change]) -> None:
    """Change pending rows only; one that was tried by somebody else meanwhile only if it was accepted now."""
    columns: list[Any] = [
        [change.row.pk for change in changes],
        [str(change.status) for change in changes],
        [change.row.attempts + 1 for change in changes],
        [change.not_before for change in changes],
        [change.sent_at for change in changes],
        [json.dumps(change.reason) for change in changes],
        [texts.fit(change.answer[:LONGEST_KEPT_ANSWER]) for change in changes],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE channels_outboundmessage AS kept SET status = fresh.status, attempts = fresh.attempts, "
            "not_before = fresh.not_before, sent_at = fresh.sent_at, reason = fresh.reason, response = fresh.response "
            "FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::jsonb[], "
            "%s::text[]) AS fresh (id, status, attempts, not_before, sent_at, reason, response) "
            "WHERE kept.id = fresh.id AND kept.status = 'pending' "
            "AND (fresh.status = 'sent' OR kept.attempts = fresh.attempts - 1)",
            columns,
        )


def _try(outcome: Outcome) -> DeliveryAttempt:
    said = outcome.answer or (str(outcome.reason) if outcome.reason else "")
    return bulk.new(
        DeliveryAttempt,
        message_id=outcome.row.pk,
        attempted_at=outcome.began_at,
        milliseconds=outcome.milliseconds,
        outcome=outcome.verdict,
        answer=texts.fit(said)[:LONGEST_TRY_ANSWER],
    )


def _trouble(row: OutboundMessage, why: Sentence | None) -> cases.Trouble:
    return cases.Trouble(
        kind=NOT_DELIVERED,
        subject=row.subject,
        why=why or say("The message was not accepted."),
        suggestion=say("Remove the cause, then send the message again from the outbox."),
        subject_url=f"/admin/channels/outboundmessage/{row.pk}/change/",
    )


def _switch_off(outcome: Outcome, *, at: datetime) -> None:
    """Stop calling a channel whose other side says that it is gone, and tell people: only they switch it on again."""
    channel = Channel.objects.select_for_update(no_key=True).filter(pk=outcome.row.channel_id, is_active=True).first()
    if channel is None:
        return
    channel.is_active = False
    trail.because(channel, actor=ACTOR, reason="the other side says that it is gone")
    channel.save(update_fields=["is_active"])
    trouble = cases.Trouble(
        kind=ENDPOINT_GONE,
        subject=channel.code,
        why=say("%(channel)s answered that nobody listens there any more and was switched off.", channel=channel.code),
        suggestion=say(
            "Ask the partner; switch the channel on again when the address is right, then send again what was missed."
        ),
        subject_url=f"/admin/channels/channel/{channel.pk}/change/",
    )
    cases.open_cases([trouble], at=at)
