"""Listings of which nobody knows the stock: they are told nothing, and people are told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import connection

from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import cases
from channels.models import Channel

ACTOR: Final = Actor("job", "stock_push")
UNKNOWN: Final = "stock_unknown"
_UNKNOWN: Final = """
SELECT listing.channel_id, count(*), (array_agg(sku.code ORDER BY sku.code))[1:10]
  FROM channels_listingstock AS stock
  JOIN channels_listing AS listing ON listing.id = stock.listing_id
  JOIN inventory_sku AS sku ON sku.id = listing.sku_id
 WHERE stock.quantity_due IS NULL AND listing.channel_id = ANY(%s)
 GROUP BY listing.channel_id
"""


def report(channels: Mapping[int, Channel], *, at: datetime) -> set[int]:
    """Open a case for each of these channels that has listings nobody knows the stock of; returns those channels."""
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN, [list(channels)])
        found = cursor.fetchall()
    cases.open_cases(
        [
            cases.Trouble(
                kind=UNKNOWN,
                subject=channels[channel_id].code,
                why=say(
                    "%(count)s listings of %(channel)s are not told any stock, because their SKUs were never in stock "
                    "at its nodes: %(skus)s",
                    count=count,
                    channel=channels[channel_id].code,
                    skus=", ".join(codes) + (" …" if count > len(codes) else ""),
                ),
                suggestion=say("Receive or count the SKUs, choose other nodes for the channel, or mend its listings."),
                subject_url=f"/admin/channels/listingstock/?state=unknown&channel={channel_id}",
            )
            for channel_id, count, codes in found
        ],
        at=at,
    )
    return {channel_id for channel_id, _count, _codes in found}


def settle(channels: Mapping[int, Channel], *, at: datetime) -> int:
    """Bring the cases to what is so now: open missing ones, close those of channels with nothing unknown left.

    Returns how many channels have unknown stock.
    """
    unknown = report(channels, at=at)
    known = [channel.code for channel_id, channel in channels.items() if channel_id not in unknown]
    cases.resolve(known, kinds=[UNKNOWN], actor=ACTOR, resolution="all stock is known", at=at)
    return len(unknown)
