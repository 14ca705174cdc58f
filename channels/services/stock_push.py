"""Telling channels what they may sell: from signals of changed stock to figures in the outbox to what was accepted."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from audit.models import rows as bulk
from audit.services import waking
from audit.services.transactions import atomic_with_retry
from audit.services.waking import Happening
from channels.models import Channel, Listing, OutboundMessage, StockPush
from channels.services import stock_dues, stock_lines
from channels.services.stock_dues import AGAIN, BULK, CHANGED, Row, Shops, Target, Told, shops_told, tell
from channels.statuses import Lane

NEWEST_AT_ONCE: Final = 1500  # signals: fresh ones do not wait behind a large import, and old ones are not forgotten
OLDEST_AT_ONCE: Final = 500
LISTINGS_AT_ONCE: Final = 1000
RUN_SECONDS: Final = 20.0
_COLUMNS: Final = ("pk", "channel_id", "sku_id", "external_code", "external_item_id", "external_sku_id")
_TAKE: Final = """
WITH newest AS (SELECT id FROM inventory_stocksignal ORDER BY id DESC LIMIT %s FOR UPDATE SKIP LOCKED),
oldest AS (SELECT id FROM inventory_stocksignal ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED),
taken AS (DELETE FROM inventory_stocksignal WHERE id IN (SELECT id FROM newest UNION SELECT id FROM oldest)
          RETURNING sku_id, changed_at)
SELECT sku_id, min(changed_at) FROM taken GROUP BY sku_id
"""
_TOUCHED: Final = """
WITH asked AS (SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked (sku_id, changed_at)),
touched AS (
    SELECT sku_id, changed_at FROM asked
    UNION ALL
    SELECT part.bundle_id, asked.changed_at FROM inventory_bundlepart AS part JOIN asked ON part.part_id = asked.sku_id)
SELECT listing.id, listing.channel_id, listing.sku_id, min(touched.changed_at), listing.external_code,
       listing.external_item_id, listing.external_sku_id
  FROM touched JOIN channels_listing AS listing ON listing.sku_id = touched.sku_id
 WHERE listing.channel_id = ANY(%s)
 GROUP BY listing.id ORDER BY listing.id
"""
_RESWEEP: Final = """
INSERT INTO inventory_stocksignal (sku_id, changed_at)
SELECT sku_id, %s FROM channels_listing WHERE channel_id = ANY(%s) GROUP BY sku_id ORDER BY sku_id
"""
_ACCEPTED: Final = """
UPDATE channels_listingstock AS kept
   SET quantity_accepted = fresh.quantity, accepted_at = %s, due_since_at = fresh.since
  FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[]) AS fresh (id, quantity, since) WHERE kept.id = fresh.id
"""


def collect(at: datetime) -> Told:
    """Take the signals there are and put what channels must be told into the outbox; some seconds at most.

    Costs one query while there are no signals. Several may run at once.
    """
    started, told, shops = time.monotonic(), Told(), None
    while time.monotonic() - started < RUN_SECONDS:
        if shops is None and not _is_anything_signalled():
            break
        shops = shops or shops_told()
        more = _collect_once(shops, at)
        if not more.skus:
            break
        told += more
    return told


def push_all(channel: Channel, *, at: datetime) -> Told:
    """Send the figure of every listing of a channel again, page by page, behind whatever changes meanwhile.

    Returns nothing told for a channel that is inactive, a sandbox, or cannot be told stock.
    """
    shops, told, last = shops_told([channel.pk]), Told(), 0
    while shops.channels:
        page = list(
            Listing.objects.filter(channel=channel, pk__gt=last)
            .order_by("pk")
            .values_list(*_COLUMNS)[:LISTINGS_AT_ONCE]
        )
        if not page:
            break
        last = page[-1][0]
        told += tell(shops, [_target(row, at) for row in page], BULK, at)
    return told


def push_again(listing_ids: Collection[int], *, at: datetime) -> Told:
    """Send the figures of these listings again, before those of bulk runs: a repair."""
    rows = Listing.objects.filter(pk__in=listing_ids).order_by("pk").values_list(*_COLUMNS)
    shops = shops_told()
    targets = [_target(row, at) for row in rows if row[1] in shops.channels]
    return tell(shops, targets, AGAIN, at) if targets else Told()


def resweep(*, at: datetime) -> int:
    """Signal every SKU that is listed on a channel that is told stock; returns how many.

    Repairs what no signal tells: lots that grew too old, other nodes of a channel, new listings, lost signals.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RESWEEP, [at, sorted(shops_told().channels)])
        return int(cursor.rowcount)


@transaction.atomic
def record_accepted(rows: Sequence[OutboundMessage], *, at: datetime) -> int:
    """Note which stock figures channels accepted at ``at``, among these sent messages; returns how many.

    Call it in the transaction that marks them as sent. A figure that became due while another one was under way is put
    into the outbox now.
    """
    sent = {listing_id: row for row in rows if (listing_id := stock_lines.listing_of(row.key)) is not None}
    if not sent:
        return 0
    locked = stock_dues.lock(sent)
    pushes, settled, behind = [], [], {}
    for listing_id, row in locked.items():
        message, known = sent[listing_id], row.known
        quantity = int(message.body["quantity"])
        is_right = known.due is None or known.due == quantity
        if known.since is not None or known.accepted != quantity:
            pushes.append(_push(listing_id, message, quantity, at))
        if not is_right:
            behind[listing_id] = Row(row.stock_id, replace(known, accepted=quantity))
        settled.append((row.stock_id, quantity, None if is_right else known.since or at))
    bulk.insert(pushes)
    _save_accepted(settled, at=at)
    _send_next(behind, sent, at=at)
    return len(settled)


def _is_anything_signalled() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM inventory_stocksignal)")
        return bool(cursor.fetchone()[0])


@atomic_with_retry
def _collect_once(shops: Shops, at: datetime) -> Told:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [NEWEST_AT_ONCE, OLDEST_AT_ONCE])
        changed = dict(cursor.fetchall())
        cursor.execute(_TOUCHED, [list(changed), list(changed.values()), list(shops.channels)])
        targets = [Target(*row) for row in cursor.fetchall()]
    told = Told(skus=len(changed))
    for first in range(0, len(targets), LISTINGS_AT_ONCE):
        told += tell(shops, targets[first : first + LISTINGS_AT_ONCE], CHANGED, at)
    if told.figures:
        waking.happened(Happening.FIGURES_DUE)
    return told


def _target(columns: Sequence[Any], at: datetime) -> Target:
    listing_id, channel_id, sku_id, external_code, item_id, external_sku_id = columns
    return Target(listing_id, channel_id, sku_id, at, external_code, item_id, external_sku_id)


def _push(listing_id: int, message: OutboundMessage, quantity: int, at: datetime) -> StockPush:
    return bulk.new(
        StockPush,
        listing_id=listing_id,
        channel_id=message.channel_id,
        quantity=quantity,
        changed_at=min(stock_lines.moment_of(message.key), at),
        accepted_at=at,
        is_urgent=message.lane == Lane.URGENT,
    )


def _save_accepted(rows: Sequence[tuple[Any, ...]], *, at: datetime) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_ACCEPTED, [at, *(list(column) for column in zip(*rows, strict=True))])


def _send_next(rows: Mapping[int, Row], sent: Mapping[int, OutboundMessage], *, at: datetime) -> None:
    """Put the figures that became due meanwhile into the outbox."""
    if not rows:
        return
    listings = Listing.objects.filter(pk__in=rows).select_related("channel").order_by("pk")
    lines = []
    for listing in listings:
        known = rows[listing.pk].known
        target = Target(
            listing.pk, listing.channel_id, listing.sku_id, at,
            listing.external_code, listing.external_item_id, listing.external_sku_id,
        )  # fmt: skip
        if known.due is not None:
            lines.append(stock_dues.line(listing.channel, target, known.accepted, known.due, known.since or at))
    settled = {listing_id: stock_lines.settled(sent[listing_id]) for listing_id in rows}
    stock_lines.write(lines, settled, at=at)
