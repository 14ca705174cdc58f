"""Orders of which a channel pushed the number only: the number is kept at once, the order is fetched soon after.

A number that is pushed again while its order is being fetched is fetched once more: what was on its way may be older.
"""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from channels.adapters import registry
from channels.adapters.protocol import NotOffered, Rejected, RetryLater
from channels.messages import RawMessage
from channels.models import Channel, WantedOrder
from channels.rules import backoff, texts
from channels.services import inbox, tokens
from channels.statuses import InboundSource

LEASE: Final = timedelta(seconds=180)  # a claimed number comes back by itself when its worker dies
RUN_SECONDS: Final = 90.0  # a run stops calling well before its leases end
PAUSE: Final = timedelta(seconds=60)  # how long a channel rests after it could not be asked
PER_CALL: Final = 20
MOST_ATTEMPTS: Final = 10
NOT_FETCHED: Final = "order_not_fetched"
LONGEST_ID: Final = 80
ACTOR: Final = Actor("job", "fetch")
logger = logging.getLogger(__name__)

# A number that is tried again waits on: only its wish is renewed. One that had been given up begins anew.
_WANT = """
INSERT INTO channels_wantedorder AS kept (channel_id, external_id, wanted_at, not_before, attempts, reason)
SELECT %(channel)s, number, %(at)s, %(at)s, 0, '{}' FROM unnest(%(numbers)s::text[]) AS wanted(number)
ORDER BY number COLLATE "C"
ON CONFLICT (channel_id, external_id) DO UPDATE SET
    wanted_at = GREATEST(excluded.wanted_at, kept.wanted_at + interval '1 microsecond'),
    not_before = CASE WHEN kept.attempts IN (0, %(most)s) THEN excluded.not_before ELSE kept.not_before END,
    attempts = CASE WHEN kept.attempts = %(most)s THEN 0 ELSE kept.attempts END
"""
_SETTLE = """
DELETE FROM channels_wantedorder AS kept USING unnest(%s::bigint[], %s::timestamptz[]) AS fetched(id, wanted_at)
WHERE kept.id = fetched.id AND kept.wanted_at = fetched.wanted_at
"""


@dataclass
class Fetched:
    """What a run brought: messages that were new, numbers to be tried again, numbers given up."""

    fresh: int = 0
    retried: int = 0
    given_up: int = 0

    def __add__(self, other: "Fetched") -> "Fetched":
        return Fetched(self.fresh + other.fresh, self.retried + other.retried, self.given_up + other.given_up)


def want(channel: Channel, external_ids: Sequence[str], *, at: datetime) -> int:
    """Keep the numbers of orders that have to be fetched, all in one statement, and return how many these are.

    A number that no order can have is kept in the inbox as rejected, like any other message that cannot be taken.
    """
    numbers = sorted({number for number in external_ids if 0 < len(number) <= LONGEST_ID and texts.is_fit(number)})
    if numbers:
        with database.cursor() as cursor:
            cursor.execute(_WANT, {"channel": channel.pk, "at": at, "numbers": numbers, "most": MOST_ATTEMPTS})
    odd = set(external_ids) - set(numbers)
    inbox.store(channel, [RawMessage("order", number, 0, number.encode()) for number in sorted(odd)], at=at)
    return len(numbers)


def fetch_wanted(*, limit: int = 500, at: datetime) -> Fetched:
    """Fetch what is due, at most ``limit`` numbers, into the inbox; no transaction is open while a platform is called.

    A platform that cannot now, or says no, is left alone for the rest of the run; its numbers wait longer each time,
    and after the last try a case asks a person.
    """
    claimed = _claim(limit, at=at)
    channels = Channel.objects.in_bulk({row.channel_id for row in claimed})
    started, done, resting = time.monotonic(), Fetched(), set[int]()
    for part in _parts(claimed):
        channel = channels[part[0].channel_id]
        if channel.pk in resting or time.monotonic() - started > RUN_SECONDS:
            _give_back(part, due_at=at + PAUSE if channel.pk in resting else at)
            continue
        outcome = _fetch(channel, part, at=at)
        done += outcome
        if outcome.retried + outcome.given_up == len(part):
            resting.add(channel.pk)
    return done


@transaction.atomic
def _claim(limit: int, *, at: datetime) -> list[WantedOrder]:
    due = WantedOrder.objects.filter(not_before__lte=at, attempts__lt=MOST_ATTEMPTS, channel__is_active=True)
    locked = due.order_by("not_before", "id").select_for_update(skip_locked=True, of=("self",), no_key=True)
    claimed = list(locked[:limit])
    WantedOrder.objects.filter(pk__in=[row.pk for row in claimed]).update(not_before=at + LEASE)
    return claimed


def _parts(claimed: Sequence[WantedOrder]) -> Iterator[list[WantedOrder]]:
    """Split what was claimed into calls: one channel, one count of tries, a limited number each."""

    def key(row: WantedOrder) -> tuple[int, int]:
        return row.channel_id, row.attempts

    for _key, group in groupby(sorted(claimed, key=key), key):
        rows = list(group)
        for place in range(0, len(rows), PER_CALL):
            yield rows[place : place + PER_CALL]


def _fetch(channel: Channel, rows: Sequence[WantedOrder], *, at: datetime) -> Fetched:
    numbers = [row.external_id for row in rows]
    try:
        adapter = registry.BY_NAME[channel.adapter]
        raws = tokens.calling(channel, lambda connection: list(adapter.fetch(connection, numbers)), at=at)
    except RetryLater as error:
        return _try_later(channel, rows, error.reason, asked=error.seconds, at=at)
    except Rejected as error:
        return _try_later(channel, rows, error.reason, at=at)
    except NotOffered:
        return _try_later(channel, rows, say("%(adapter)s fetches no orders.", adapter=channel.adapter), at=at)
    except Exception as error:  # our own fault: said once with its trace, and one channel never stops the others
        logger.exception("orders of channel %s could not be fetched", channel.code)
        why = say("Our own code failed: %(error)s.", error=texts.shown(repr(error), limit=200))
        return _try_later(channel, rows, why, at=at)
    fresh = inbox.store(channel, raws, at=at, source=InboundSource.FETCH)
    came = {raw.external_id for raw in raws}
    here = [row for row in rows if row.external_id in came]
    missing = [row for row in rows if row.external_id not in came]
    _settle(channel, here, at=at)
    why = say("The platform does not show this order.")
    return Fetched(fresh=fresh) + (_try_later(channel, missing, why, at=at) if missing else Fetched())


def _settle(channel: Channel, rows: Sequence[WantedOrder], *, at: datetime) -> None:
    """Forget numbers whose orders are in the inbox; those that were wanted again meanwhile are due now."""
    with database.cursor() as cursor:
        cursor.execute(_SETTLE, [[row.pk for row in rows], [row.wanted_at for row in rows]])
    WantedOrder.objects.filter(pk__in=[row.pk for row in rows]).update(not_before=at, attempts=0)
    subjects = [_subject(channel, row) for row in rows]
    cases.resolve(subjects, kinds=[NOT_FETCHED], actor=ACTOR, resolution="fetched", at=at)


def _try_later(
    channel: Channel, rows: Sequence[WantedOrder], why: Sentence, *, asked: int = 0, at: datetime
) -> Fetched:
    """Note why, and when these numbers (all tried equally often) are due again; after the last try open cases."""
    attempts = rows[0].attempts + 1
    wait = backoff.seconds_until_retry(attempts, asked=asked, spread=random.random())  # noqa: S311  # no secret
    ours = WantedOrder.objects.filter(pk__in=[row.pk for row in rows])
    ours.update(
        attempts=Least(F("attempts") + 1, MOST_ATTEMPTS),
        not_before=at + timedelta(seconds=wait),
        reason=why.stored(),
    )
    if attempts < MOST_ATTEMPTS:
        return Fetched(retried=len(rows))
    _open_cases(channel, rows, why, at=at)
    return Fetched(given_up=len(rows))


def _open_cases(channel: Channel, rows: Sequence[WantedOrder], why: Sentence, *, at: datetime) -> None:
    to_do = say("Remove the cause, then fetch the order again from the list of orders to fetch.")
    cases.open_cases(
        [
            cases.Trouble(
                kind=NOT_FETCHED,
                subject=_subject(channel, row),
                why=why,
                suggestion=to_do,
                subject_url=f"/admin/channels/wantedorder/{row.pk}/change/",
            )
            for row in rows
        ],
        at=at,
    )


def again(ids: Sequence[int], *, at: datetime) -> int:
    """Have these orders fetched at once, however often it was tried before; returns how many these are."""
    return WantedOrder.objects.filter(pk__in=ids).update(not_before=at, attempts=0)


def _give_back(rows: Sequence[WantedOrder], *, due_at: datetime) -> None:
    WantedOrder.objects.filter(pk__in=[row.pk for row in rows]).update(not_before=due_at)


def _subject(channel: Channel, row: WantedOrder) -> str:
    return f"{channel.code}/{row.external_id}"
