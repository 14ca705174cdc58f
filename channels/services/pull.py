"""Fetching orders from channels that do not push them: page by page into the inbox, the cursor last."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from channels.adapters import registry
from channels.adapters.protocol import Connection, NotOffered, Rejected, RetryLater
from channels.models import Channel, PullCursor
from channels.rules import texts
from channels.services import inbox, tokens
from channels.statuses import InboundSource

OVERLAP: Final = timedelta(minutes=10)  # platforms write changes with a delay; the inbox knows what it has
FIRST_WINDOW: Final = timedelta(days=1)
NOT_PULLED: Final = "channel_not_pulled"
ACTOR: Final = Actor("job", "pull")
LONGEST_ERROR: Final = 300
logger = logging.getLogger(__name__)


@dataclass
class Window:
    """A span of time to be pulled, under which source it is stored, and how many of its messages were new."""

    since: datetime
    until: datetime
    source: InboundSource
    fresh: int = 0


def pull_all(at: datetime) -> int:
    """Pull every active channel whose platform can be pulled, and return how many messages were new.

    One channel's trouble is written on its cursor and never keeps the others back.
    """
    return sum(pull(channel, at=at) for channel in pullable())


def pullable() -> QuerySet[Channel]:
    """Return the active channels whose platform can be pulled, in the order of their codes."""
    names = [name for name, adapter in registry.BY_NAME.items() if adapter.capabilities.pull_orders]
    return Channel.objects.filter(is_active=True, adapter__in=names).order_by("code")


def pull(channel: Channel, *, at: datetime) -> int:
    """Store what changed on ``channel`` since the last pull, and return how many messages were new.

    The window begins ten minutes before the last one ended. The cursor moves only after every page is stored; what
    goes wrong is kept on the cursor in words (and opens a case when waiting will not help), never raised.
    """
    cursor, _ = PullCursor.objects.get_or_create(channel=channel, defaults={"pulled_until": at - FIRST_WINDOW})
    window = Window(cursor.pulled_until - OVERLAP, at, InboundSource.PULL)
    try:
        store_window(channel, window, at=at)
    except RetryLater as error:
        _note(cursor, str(error.reason), at=at)
    except Rejected as error:
        _note(cursor, str(error.reason), at=at)
        _open_case(channel, error.reason, at=at)
    except NotOffered:
        _note(cursor, f"{channel.adapter} cannot be pulled.", at=at)
    except Exception as error:  # our own fault: said once with its trace, and one channel never stops the others
        logger.exception("channel %s could not be pulled", channel.code)
        _note(cursor, texts.shown(repr(error), limit=LONGEST_ERROR), at=at)
    else:
        _move(cursor, at=at)
        cases.resolve([channel.code], kinds=[NOT_PULLED], actor=ACTOR, resolution="pulled again", at=at)
    return window.fresh


def store_window(channel: Channel, window: Window, *, at: datetime) -> None:
    """Pull a window page by page into the inbox; a token that expires in mid-page begins it again with a new one.

    ``window.fresh`` counts what was new, also when it ends early with ``RetryLater``, ``Rejected`` or ``NotOffered``.
    """
    adapter = registry.BY_NAME[channel.adapter]

    def walk(connection: Connection) -> None:
        for page in adapter.pull(connection, since=window.since, until=window.until):
            window.fresh += inbox.store(channel, page, at=at, source=window.source)

    tokens.calling(channel, walk, at=at)


def _move(cursor: PullCursor, *, at: datetime) -> None:
    """Move forward only: of two pulls at the same time the later window wins."""
    PullCursor.objects.filter(pk=cursor.pk, pulled_until__lt=at).update(pulled_until=at)
    PullCursor.objects.filter(pk=cursor.pk).update(last_pulled_at=at, last_error="")


def _note(cursor: PullCursor, error: str, *, at: datetime) -> None:
    PullCursor.objects.filter(pk=cursor.pk).update(
        last_pulled_at=at, last_error=texts.shown(error, limit=LONGEST_ERROR)
    )


def _open_case(channel: Channel, why: Sentence, *, at: datetime) -> None:
    trouble = cases.Trouble(
        kind=NOT_PULLED,
        subject=channel.code,
        why=why,
        suggestion=say(
            "Check the channel's address and credentials; the next pull continues where the last one ended."
        ),
        subject_url=f"/admin/channels/channel/{channel.pk}/change/",
    )
    cases.open_cases([trouble], at=at)
