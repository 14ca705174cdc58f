"""The letterbox of the web door: messages that are pushed at the same moment are kept by one statement and one commit.

A commit costs nearly the same for one row and for ten. So a request lays its message down, and the one whose turn it is
writes all that lie there; while it does, others lay down the next ones. Nobody is answered before its row is durable.
A statement that fails is repeated for each message by the request that brought it, so that none harms the others.

A channel's row is remembered between requests with its version, and the statement keeps a message only while the row
is of that version and active: a secret that was changed and a channel that was switched off count at once.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from django.db import DatabaseError, close_old_connections, transaction
from django.db import connection as database
from django.db.models.expressions import RawSQL

from audit.services import waking
from audit.services.waking import Happening
from channels.adapters import registry
from channels.adapters.protocol import Received
from channels.models import Channel
from channels.rules import arrivals
from channels.rules.arrivals import Arrival
from channels.services import fetching, inbox

LARGEST_SHARED: Final = 64 * 1024  # bytes: a larger message has a statement of its own, so that small ones never wait
logger = logging.getLogger(__name__)

# The version of a row: who wrote it, and where it lies. Rows are never changed in place.
_VERSION = "channels_channel.xmin::text || channels_channel.ctid::text"
# Rows are inserted in the order of their keys, numbers are drawn in the order of arrival: see channels.services.inbox.
# A message that is known is left alone: it may be locked for as long as a worker works on it, and only the request
# that brought it again may wait for that.
_KEEP = f"""
WITH arrived AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('channels_inboundmessage', 'id')) AS id, letter.*,
           channels_channel.id IS NOT NULL AS is_current
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bytea[], %s::timestamptz[])
        WITH ORDINALITY AS letter(channel_id, version, kind, external_id, revision, payload, received_at, place)
    LEFT JOIN channels_channel ON channels_channel.id = letter.channel_id AND channels_channel.is_active
        AND {_VERSION} = letter.version
), kept AS (
    INSERT INTO channels_inboundmessage (id, channel_id, source, kind, external_id, revision, payload, status,
        reason_code, reason, times_received, attempts, received_at)
    SELECT id, channel_id, 'push', kind, external_id, revision, payload, 'received', '', '{{}}', 1, 0, received_at
    FROM arrived WHERE is_current ORDER BY channel_id, external_id COLLATE "C", kind COLLATE "C", revision
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT CASE WHEN kept.id IS NOT NULL THEN 'kept' WHEN is_current THEN 'known' ELSE 'outdated' END
FROM arrived LEFT JOIN kept USING (id) ORDER BY place
"""


class Outdated(Exception):
    """The channel's row is no longer what the door read: it looks again and decides anew."""


class Known(NamedTuple):
    """An active channel as the door knows it, and the version of its row."""

    channel: Channel
    version: str


class Fate(Enum):
    """What became of a message that lay in the letterbox."""

    KEPT = "kept"
    KNOWN = "known"  # or refused before: it is counted, or replaces what was refused
    OUTDATED = "outdated"
    ALONE = "alone"  # it lay beside one that no statement can keep, or is that one


@dataclass
class Letter:
    """One message on its way into the inbox."""

    known: Known
    arrival: Arrival
    at: datetime
    fate: Fate | None = None


_channels: dict[str, Known] = {}  # by code, of this process; as many as there are active channels


def known(code: str) -> Known | None:
    """Return the active channel of this code as this process read it last; ``None`` when there is none."""
    found = _channels.get(code)
    return found if found is not None and found.channel.adapter in registry.BY_NAME else look_again(code)


def look_again(code: str) -> Known | None:
    """Read the channel's row anew: a refusal is said only of what the row says now."""
    channel = Channel.objects.annotate(version=RawSQL(_VERSION, ())).filter(code=code, is_active=True).first()
    if channel is None or channel.adapter not in registry.BY_NAME:
        _channels.pop(code, None)
        return None
    _channels[code] = Known(channel, channel.version)
    return _channels[code]


def keep(known: Known, received: Received, *, at: datetime) -> int:
    """Keep what a request held, wake who works on it, and return how many messages were new; all is durable then.

    Raises ``Outdated``, and keeps nothing, when the channel's row has changed since it was read.
    """
    rows = arrivals.fold(received.messages)
    if len(rows) == 1 == len(received.messages) and not received.wanted and _may_share(rows[0]):
        stored = _keep_one(Letter(known, rows[0], at))
        waking.happened(Happening.MESSAGES_CAME)
        return stored
    return _keep_all(known, received, at)


def _may_share(row: Arrival) -> bool:
    return row.reason is None and len(row.payload) <= LARGEST_SHARED


@transaction.atomic
def _keep_all(known: Known, received: Received, at: datetime) -> int:
    """Keep messages and the numbers of orders to be fetched together."""
    version = Channel.objects.filter(pk=known.channel.pk, is_active=True).values_list(RawSQL(_VERSION, ()), flat=True)
    if version.first() != known.version:
        raise Outdated(known.channel.code)
    stored = inbox.store(known.channel, received.messages, at=at)
    if received.messages:
        waking.happened(Happening.MESSAGES_CAME)
    if received.wanted:
        fetching.want(known.channel, received.wanted, at=at)
        waking.happened(Happening.ORDERS_WANTED)
    return stored


def _keep_one(letter: Letter) -> int:
    fate = _LETTERBOX.put_in(letter)
    if fate is Fate.ALONE:
        close_old_connections()  # when they are broken
        fate = _keep_together([letter])[0]
    if fate is Fate.OUTDATED:
        raise Outdated(letter.known.channel.code)
    if fate is Fate.KNOWN:
        return inbox.keep(letter.known.channel, [letter.arrival], at=letter.at)
    return 1


class Letterbox:
    """Lets one thread at a time write, and write for all that came meanwhile."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: deque[Letter] = deque()

    def put_in(self, letter: Letter) -> Fate:
        """Return what became of the letter; ``ALONE`` when the statement failed that was to keep it with others."""
        self._waiting.append(letter)
        with self._turn:
            if letter.fate is None:
                self._write()
        assert letter.fate is not None
        return letter.fate

    def _write(self) -> None:
        letters = [self._waiting.popleft() for _ in range(len(self._waiting))]
        fates = [Fate.ALONE] * len(letters)
        try:
            database.health_check_done = True  # type: ignore[attr-defined]  # a broken one is found by the statement
            fates = _keep_together(letters)
        except DatabaseError as error:
            logger.warning("%s messages are kept one by one: %s", len(letters), type(error).__name__)
        finally:
            for letter, fate in zip(letters, fates, strict=True):
                letter.fate = fate


def _keep_together(letters: Sequence[Letter]) -> list[Fate]:
    columns = (
        [letter.known.channel.pk for letter in letters],
        [letter.known.version for letter in letters],
        [letter.arrival.kind for letter in letters],
        [letter.arrival.external_id for letter in letters],
        [letter.arrival.revision for letter in letters],
        [letter.arrival.payload for letter in letters],
        [letter.at for letter in letters],
    )
    with database.cursor() as cursor:
        cursor.execute(_KEEP, columns)
        return [Fate(fate) for (fate,) in cursor.fetchall()]


_LETTERBOX = Letterbox()
