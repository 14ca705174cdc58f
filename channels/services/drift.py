"""Asking channels what they say of our stock, and finding where that is not what they accepted."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import cases
from channels.adapters import registry
from channels.adapters.protocol import NotOffered, Rejected, RetryLater
from channels.messages import ListedItem
from channels.models import Channel
from channels.services import connections, stock_push, stock_unknown
from channels.services.stock_dues import Told, shops_told

ACTOR: Final = Actor("job", "stock_push")
DRIFTED: Final = "stock_drifted"
SETTLED_FOR: Final = timedelta(minutes=2)  # a figure accepted a moment ago may not show on the platform yet
STUCK_AFTER: Final = timedelta(minutes=10)
EXAMPLES: Final = 5
MOST_STUCK: Final = 5000
logger = logging.getLogger(__name__)
# A listing is found by the platform's own ids where we know them, else by the seller's code.
_SEEN: Final = """
UPDATE channels_listingstock AS stock SET quantity_seen = said.quantity, seen_at = %s
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[]) AS said (item_id, sku_id, code, quantity)
  JOIN channels_listing AS listing ON listing.channel_id = %s
   AND CASE WHEN listing.external_item_id <> ''
            THEN listing.external_item_id = said.item_id AND listing.external_sku_id = said.sku_id
            ELSE listing.external_code = said.code END
 WHERE stock.listing_id = listing.id
"""
DRIFT: Final = """
stock.due_since_at IS NULL AND stock.quantity_accepted IS NOT NULL AND stock.quantity_seen IS NOT NULL
AND stock.seen_at > stock.accepted_at AND stock.quantity_seen <> stock.quantity_accepted
"""
_FOUND: Final = f"""
SELECT count(*), (array_agg(listing.external_code || ': ' || stock.quantity_accepted || ' / ' || stock.quantity_seen
                            ORDER BY listing.external_code))[1:%s]
  FROM channels_listingstock AS stock JOIN channels_listing AS listing ON listing.id = stock.listing_id
 WHERE listing.channel_id = %s AND stock.accepted_at < %s AND {DRIFT}
"""
# Due for long, and nothing about it is in the outbox: the newest message was sent, or lost with a broken backup.
_STUCK: Final = """
SELECT stock.listing_id FROM channels_listingstock AS stock
 WHERE stock.due_since_at < %s AND NOT EXISTS (
       SELECT FROM channels_outboundmessage AS message
        WHERE message.key > 'stock/' || stock.listing_id || '/' AND message.key < 'stock/' || stock.listing_id || '0'
          AND message.status IN ('pending', 'needs_person', 'given_up')
          AND message.created_at > stock.due_since_at - interval '1 day')
 ORDER BY stock.due_since_at LIMIT %s
"""


def check_all(*, at: datetime) -> int:
    """Look at all listings again, and ask every channel that can list what it says; returns how many drifted.

    One channel's trouble never keeps the others back.
    """
    shops = shops_told()
    stock_unknown.settle(shops.channels, at=at)
    push_stuck(at=at)
    stock_push.resweep(at=at)
    able = {name for name, adapter in registry.BY_NAME.items() if adapter.capabilities.listing_pull}
    return sum(_checked(channel, at=at) for channel in shops.channels.values() if channel.adapter in able)


def check(channel: Channel, *, at: datetime) -> int:
    """Ask a channel for its listings, keep its figures, and open or close its case; returns how many drifted.

    Sales of the moment change a channel's own figure, so one that is behind by a sale drifts until the order came in.
    Raises ``RetryLater``, ``Rejected`` or ``NotOffered``.
    """
    for page in registry.BY_NAME[channel.adapter].listings(connections.of(channel)):
        _keep(channel, page, at=at)
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, [EXAMPLES, channel.pk, at - SETTLED_FOR])
        count, examples = cursor.fetchone()
    if count:
        cases.open_cases([_trouble(channel, count, examples)], at=at)
    else:
        cases.resolve([channel.code], kinds=[DRIFTED], actor=ACTOR, resolution="the channel says our figures", at=at)
    return int(count)


def push_stuck(*, at: datetime) -> Told:
    """Send figures again that are due for long although nothing about them is in the outbox."""
    with connection.cursor() as cursor:
        cursor.execute(_STUCK, [at - STUCK_AFTER, MOST_STUCK])
        stuck = [listing_id for (listing_id,) in cursor.fetchall()]
    return stock_push.push_again(stuck, at=at) if stuck else Told()


def _checked(channel: Channel, *, at: datetime) -> int:
    try:
        return check(channel, at=at)
    except (RetryLater, Rejected, NotOffered) as error:
        logger.warning("the listings of channel %s could not be read: %s", channel.code, error)
    except Exception:  # our own fault: said once with its trace, and one channel never stops the others
        logger.exception("the listings of channel %s could not be compared", channel.code)
    return 0


def _keep(channel: Channel, page: Sequence[ListedItem], *, at: datetime) -> None:
    said = [
        (item.external_item_id, item.external_sku_id, item.external_code, item.quantity)
        for item in page
        if item.quantity is not None
    ]
    if said:
        with connection.cursor() as cursor:
            cursor.execute(_SEEN, [at, *(list(column) for column in zip(*said, strict=True)), channel.pk])


def _trouble(channel: Channel, count: int, examples: Sequence[str]) -> cases.Trouble:
    return cases.Trouble(
        kind=DRIFTED,
        subject=channel.code,
        why=say(
            "%(channel)s does not say what it accepted for %(count)s listings (accepted / says now): %(examples)s",
            channel=channel.code,
            count=count,
            examples=", ".join(examples) + (" …" if count > len(examples) else ""),
        ),
        suggestion=say("Look who else changes stock there, then push these listings again."),
        subject_url=f"/admin/channels/listingstock/?state=drift&channel={channel.pk}",
    )
