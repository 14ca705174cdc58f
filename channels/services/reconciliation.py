"""Looking again: windows that were pulled or pushed before are pulled once more in full, to find what was lost.

What the inbox did not have is stored as found by reconciliation only; how much that is tells how far a platform's
pushes and our pulls can be trusted.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q

from channels.adapters.protocol import NotOffered, Rejected, RetryLater
from channels.models import Channel, InboundMessage, PullCursor
from channels.rules import texts
from channels.services import pull
from channels.services.pull import Window
from channels.statuses import InboundSource

OVERLAP: Final = timedelta(hours=1)  # platforms show some changes late: each is looked for several times
SETTLE: Final = timedelta(minutes=15)  # what is younger may still be on its way by push or pull
LONGEST_WINDOW: Final = timedelta(days=1)  # after a long break the past is walked a day at a time
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """How many messages of a channel only reconciliation found."""

    last_day: int = 0
    last_week: int = 0


def reconcile_all(at: datetime) -> int:
    """Reconcile every active channel whose platform can be pulled; returns how many messages had been lost."""
    return sum(reconcile(channel, at=at) for channel in pull.pullable())


def reconcile(channel: Channel, *, at: datetime) -> int:
    """Pull the window that has settled since the last time again, with an hour's overlap; returns how much was new.

    The cursor moves only after every page is stored. Trouble is written on the cursor and never raised: the next run
    begins at the same place.
    """
    cursor, _ = PullCursor.objects.get_or_create(channel=channel, defaults={"pulled_until": at - pull.FIRST_WINDOW})
    settled = at - SETTLE
    begin = cursor.reconciled_until or settled - timedelta(seconds=1)  # what came before us was never ours to lose
    if begin >= settled:
        return 0
    window = Window(begin - OVERLAP, min(settled, begin + LONGEST_WINDOW), InboundSource.RECONCILIATION)
    try:
        pull.store_window(channel, window, at=at)
    except (RetryLater, Rejected) as error:
        _note(cursor, str(error.reason))
    except NotOffered:
        _note(cursor, f"{channel.adapter} cannot be pulled.")
    except Exception as error:  # our own fault: said once with its trace, and one channel never stops the others
        logger.exception("channel %s could not be reconciled", channel.code)
        _note(cursor, repr(error))
    else:
        _move(cursor, window.until, at=at)
    if window.fresh:
        logger.warning("channel %s: %s messages were found only by reconciliation", channel.code, window.fresh)
    return window.fresh


def found(channel_ids: Iterable[int], *, at: datetime) -> dict[int, Found]:
    """Return what only reconciliation found, of each of these channels, in one query; the others found nothing."""
    rows = InboundMessage.objects.filter(
        source=InboundSource.RECONCILIATION, channel__in=list(channel_ids), received_at__gt=at - WEEK
    )
    counted = rows.values("channel").annotate(
        last_day=Count("pk", filter=Q(received_at__gt=at - DAY)), last_week=Count("pk")
    )
    return {row["channel"]: Found(row["last_day"], row["last_week"]) for row in counted.order_by()}


def _move(cursor: PullCursor, until: datetime, *, at: datetime) -> None:
    """Move forward only: of two runs at the same time the later window wins."""
    kept = PullCursor.objects.filter(pk=cursor.pk)
    kept.filter(Q(reconciled_until__isnull=True) | Q(reconciled_until__lt=until)).update(reconciled_until=until)
    kept.update(last_reconciled_at=at)


def _note(cursor: PullCursor, error: str) -> None:
    PullCursor.objects.filter(pk=cursor.pk).update(last_error=texts.shown(error, limit=pull.LONGEST_ERROR))
