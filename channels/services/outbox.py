"""The outbox: what must go out is a row; it is tried until it is accepted or needs a person.

One run serves all channels and lanes beside each other. Calls are made by a bounded number of threads, of each channel
no more at once than it takes; the run itself claims, records and never waits for one channel, so a channel that does
not answer costs the others nothing. No transaction is open while somebody is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.models import rows as bulk
from channels.messages import Outgoing
from channels.models import OutboundMessage
from channels.rules import wire
from channels.services import health
from channels.services.outcomes import Delivered
from channels.services.runs import Run
from channels.statuses import Lane

__all__ = ["Delivered", "Draft", "deliver", "enqueue"]


@dataclass(frozen=True)
class Draft:
    """A message to be sent: to whom, in which lane, about what, and the key under which it goes out once."""

    channel_id: int
    lane: Lane
    subject: str
    key: str
    message: Outgoing


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
            for key, draft in sorted(wanted.items(), key=_place)
            if key not in known
        ]
    )


def _place(item: tuple[str, Draft]) -> str:
    """Write keys in one order, so that two operations never wait for each other; events stay as they happened."""
    key, draft = item
    return "" if draft.lane == Lane.EVENTS else key


def deliver(lane: str | None = None, *, limit: int = 100, at: datetime) -> Delivered:
    """Send what is due, at most ``limit`` rows of ``lane`` (of each lane when none is named); count the outcomes.

    ``at`` is the moment at which the run begins. Inactive channels' rows wait. A row is sent at least once: after a
    crash it goes out again with the same key.
    """
    health.report(at=at)
    lanes = [lane] if lane is not None else list(Lane.values)
    return Run(lanes, limit=limit, at=at).serve()
