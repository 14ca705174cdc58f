"""What each listing's channel should say: lock the listings, read the figures, decide, write what is due.

Figures are read after the locks. So of two workers the later one has seen the newer stock, and the last figure wins.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from audit.services.transactions import atomic_with_retry
from channels import queries
from channels.adapters import registry
from channels.messages import StockFigure
from channels.models import Channel
from channels.rules import stock_due, urgency
from channels.rules.stock_due import Deed, Known, Message
from channels.services import stock_lines, stock_unknown
from channels.services.stock_lines import Line, Sent
from channels.statuses import Lane, OutboundStatus
from inventory.queries import offers

_OPEN: Final = """
INSERT INTO channels_listingstock (listing_id) SELECT * FROM unnest(%s::bigint[]) ON CONFLICT (listing_id) DO NOTHING
"""
_LOCK: Final = """
SELECT listing_id, id, quantity_due, due_since_at, quantity_accepted
  FROM channels_listingstock WHERE listing_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
_SAVE_DUE: Final = """
UPDATE channels_listingstock AS kept SET quantity_due = fresh.due, due_since_at = fresh.since
  FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[]) AS fresh (id, due, since) WHERE kept.id = fresh.id
"""


@dataclass(frozen=True)
class Told:
    """What a run did: SKUs looked at, figures put into the outbox (urgent ones among them), figures nobody knows."""

    skus: int = 0
    figures: int = 0
    urgent: int = 0
    unknown: int = 0

    def __add__(self, other: "Told") -> "Told":
        return Told(
            self.skus + other.skus,
            self.figures + other.figures,
            self.urgent + other.urgent,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True)
class Shops:
    """The channels that are told stock, and the nodes that serve each (by code; None: all)."""

    channels: Mapping[int, Channel]
    served: Mapping[str, frozenset[int] | None]


@dataclass(frozen=True)
class Target:
    """A listing to look at, and since when its stock may be another."""

    listing_id: int
    channel_id: int
    sku_id: int
    changed_at: datetime
    external_code: str
    external_item_id: str
    external_sku_id: str


@dataclass(frozen=True)
class Row:
    """The locked stock of a listing."""

    stock_id: int
    known: Known


@dataclass(frozen=True)
class Manner:
    """Whether figures that a channel has already are sent too, and before or behind those that changed."""

    is_repeated: bool = False
    is_bulk: bool = False


CHANGED: Final = Manner()
AGAIN: Final = Manner(is_repeated=True)
BULK: Final = Manner(is_repeated=True, is_bulk=True)


def shops_told(channel_ids: Collection[int] | None = None) -> Shops:
    """Return the active channels (of these, if any are named) that take stock figures; sandboxes are told nothing."""
    able = [
        name
        for name, adapter in registry.BY_NAME.items()
        if adapter.capabilities.stock_set or adapter.capabilities.stock_delta
    ]
    found = Channel.objects.filter(is_active=True, is_sandbox=False, adapter__in=able).order_by("pk")
    rows = list(found if channel_ids is None else found.filter(pk__in=channel_ids))
    return Shops({row.pk: row for row in rows}, queries.served(rows))


@atomic_with_retry
def tell(shops: Shops, targets: Sequence[Target], manner: Manner, at: datetime) -> Told:
    """Put what the channels of these listings must be told into the outbox: a dozen queries for all together."""
    _open([target.listing_id for target in targets])
    rows = lock([target.listing_id for target in targets])
    codes = {target.channel_id: shops.channels[target.channel_id].code for target in targets}
    served = {code: shops.served[code] for code in codes.values()}
    told = offers.figures({target.sku_id for target in targets}, served, on_date=timezone.localdate(at))
    figures = {target.listing_id: told[codes[target.channel_id], target.sku_id] for target in targets}
    unknown = {target.channel_id for target in targets if figures[target.listing_id] is None}
    changed = [
        target
        for target in targets
        if manner.is_repeated or figures[target.listing_id] != rows[target.listing_id].known.due
    ]
    lines = _write_due(shops, changed, figures, rows, manner, at) if changed else []
    if unknown:
        stock_unknown.report({channel_id: shops.channels[channel_id] for channel_id in unknown}, at=at)
    nobody_knows = sum(figure is None for figure in figures.values())
    return Told(0, len(lines), sum(line.lane == Lane.URGENT for line in lines), nobody_knows)


def _write_due(
    shops: Shops,
    targets: Sequence[Target],
    figures: Mapping[int, int | None],
    rows: Mapping[int, Row],
    manner: Manner,
    at: datetime,
) -> list[Line]:
    newest = stock_lines.newest([target.listing_id for target in targets], at=at)
    due, lines, needless = [], [], []
    for target in targets:
        row, last = rows[target.listing_id], newest.get(target.listing_id)
        verdict = stock_due.decide(
            row.known,
            figures[target.listing_id],
            _standing(last),
            changed_at=target.changed_at,
            is_repeated=manner.is_repeated,
        )
        due.append((row.stock_id, verdict.due, verdict.since))
        if verdict.deed == Deed.SEND and verdict.due is not None:
            told = line(shops.channels[target.channel_id], target, row.known.accepted, verdict.due, verdict.since or at)
            lines.append(replace(told, lane=Lane.STOCK, is_ahead=False) if _is_behind(verdict, manner) else told)
        elif verdict.deed == Deed.WITHDRAW and last:
            needless.append(last)
    _save_due(due)
    stock_lines.withdraw(needless)
    stock_lines.write(lines, newest, at=at)
    return lines


def _is_behind(verdict: stock_due.Verdict, manner: Manner) -> bool:
    """Tell whether a bulk run sends what the channel has already."""
    return manner.is_bulk and verdict.since is None


def _standing(last: Sent | None) -> Message:
    if last is None or last.status != OutboundStatus.PENDING:
        return Message.NONE
    return Message.UNDER_WAY if last.is_under_way else Message.WAITING


def _open(listing_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [sorted(listing_ids)])


def lock(listing_ids: Collection[int]) -> dict[int, Row]:
    """Lock what is known of these listings' stock in primary-key order and return it; missing ones are absent."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(listing_ids)])
        return {listing_id: Row(stock_id, Known(*known)) for listing_id, stock_id, *known in cursor.fetchall()}


def line(channel: Channel, target: Target, accepted: int | None, due: int, since: datetime) -> Line:
    """Return what a channel is to be told of a listing."""
    figure = StockFigure(
        external_item_id=target.external_item_id,
        external_sku_id=target.external_sku_id,
        quantity=due,
        change=None if accepted is None else due - accepted,
        external_code=target.external_code,
    )
    few = channel.options.get("urgent_stock", urgency.FEW)
    is_urgent = urgency.is_urgent(accepted, due, few=few if isinstance(few, int) else urgency.FEW)
    subject = f"{channel.code}/{target.external_code}"
    return Line(target.listing_id, channel.pk, subject, figure, Lane.URGENT if is_urgent else Lane.STOCK, since)


def _save_due(rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_DUE, [list(column) for column in zip(*rows, strict=True)])
