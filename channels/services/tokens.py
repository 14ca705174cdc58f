"""Access tokens that expire: a call that meets an old one is made again once with a new one.

A platform kills the old token when it gives a new one, so of many workers that meet an old token one renews it, and the
others take what it got. No transaction is open meanwhile: the turn is a session's advisory lock on the channel.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from django.db import connection as database
from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from channels.adapters import registry
from channels.adapters.protocol import Adapter, Connection, NotOffered, Rejected, RetryLater, TokenExpired
from channels.models import Channel
from channels.services import connections, credentials

EXPIRES: Final = "token_expires_at"  # an ISO moment, in a channel's options and, when told, in a renewal's answer
EARLY: Final = timedelta(minutes=5)  # a token this near its end is renewed before the call
TURN: Final = 0x746F6B  # the first number of the advisory locks, the second is the channel's key
LONGEST_WAIT: Final = 40.0  # seconds: a renewal takes at most 25
PAUSE: Final = 0.05
NOT_RENEWED: Final = "token_not_renewed"
ACTOR: Final = Actor("job", "tokens")
Answer = TypeVar("Answer")


def calling(channel: Channel, call: Callable[[Connection], Answer], *, at: datetime) -> Answer:
    """Make ``call`` with the channel's connection; when its token has expired, renew it and make the same call again.

    ``call`` must have done all its work when it returns (a generator's pages are stored inside) and may be begun twice.
    Raises what the second call raises, and ``RetryLater`` or ``Rejected`` when no new token could be had. Not to be
    called inside a transaction.
    """
    used = connections.of(channel)
    if _is_near(used, at):
        used = _renewed_early(channel, used, at=at)
    try:
        return call(used)
    except TokenExpired as expired:
        return call(renew(channel, used, why=expired.reason, at=at))


def renew(channel: Channel, used: Connection, *, why: Sentence, at: datetime) -> Connection:
    """Return a connection with another token than ``used`` has: what a worker before us got, or a new one.

    The new credentials are stored, sealed, before the turn ends. A platform that gives none opens a case, and
    ``Rejected`` is raised; ``RetryLater`` when it cannot now, or when another worker takes too long.
    """
    adapter = registry.BY_NAME[channel.adapter]
    with _turn(channel):
        stored = Channel.objects.get(pk=channel.pk)
        current = connections.of(stored)
        if dict(current.credentials) == dict(used.credentials):
            current = _store(stored, _asked(channel, adapter, current, why=why, at=at))
            cases.resolve([channel.code], kinds=[NOT_RENEWED], actor=ACTOR, resolution="renewed", at=at)
    channel.credentials, channel.options = stored.credentials, stored.options
    return current


def _renewed_early(channel: Channel, used: Connection, *, at: datetime) -> Connection:
    """Renew before the end; while that fails for the moment, the old token still serves."""
    try:
        return renew(channel, used, why=say("The access token is about to expire."), at=at)
    except RetryLater:
        return used


def _asked(channel: Channel, adapter: Adapter, used: Connection, *, why: Sentence, at: datetime) -> Mapping[str, str]:
    try:
        return adapter.renew(used)
    except TokenExpired as dead:
        error = Rejected(dead.reason, answer=dead.answer)
    except Rejected as refused:
        error = refused
    except NotOffered:
        error = Rejected(why)
    _open_case(channel, error.reason, at=at)
    raise error


@transaction.atomic
def _store(channel: Channel, fresh: Mapping[str, str]) -> Connection:
    """Keep the new credentials; the end of the old token is forgotten, or replaced when the platform told the new."""
    locked = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
    values = {name: value for name, value in fresh.items() if name != EXPIRES}
    credentials.keep(channel, values)
    channel.options = {name: value for name, value in locked.options.items() if name != EXPIRES}
    if fresh.get(EXPIRES):
        channel.options[EXPIRES] = fresh[EXPIRES]
    if channel.options != locked.options:
        Channel.objects.filter(pk=channel.pk).update(options=channel.options)
    return connections.of(channel)


def _is_near(connection: Connection, at: datetime) -> bool:
    told = connection.options.get(EXPIRES)
    if not isinstance(told, str):
        return False
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return False
    aware = moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)
    return aware - at < EARLY


@contextmanager
def _turn(channel: Channel) -> Iterator[None]:
    """Be the only one who renews this channel's token; a worker that dies loses its turn with its session."""
    give_up = time.monotonic() + LONGEST_WAIT
    while not _take_turn(channel):
        if time.monotonic() > give_up:
            raise RetryLater(say("The access token of channel %(code)s is being renewed.", code=channel.code))
        time.sleep(PAUSE)
    try:
        yield
    finally:
        _end_turn(channel)


def _take_turn(channel: Channel) -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [TURN, channel.pk])
        return bool(cursor.fetchone()[0])


def _end_turn(channel: Channel) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [TURN, channel.pk])


def _open_case(channel: Channel, why: Sentence, *, at: datetime) -> None:
    trouble = cases.Trouble(
        kind=NOT_RENEWED,
        subject=channel.code,
        why=why,
        suggestion=say("Authorise the shop again on its platform and enter the new credentials on the channel's page."),
        subject_url=f"/admin/channels/channel/{channel.pk}/change/",
    )
    cases.open_cases([trouble], at=at)
