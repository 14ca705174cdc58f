"""Questions about channels that more than one door or app asks."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from channels.adapters import registry
from channels.models import Channel

# Each channel as its history said at a moment; one that was not there yet, or was gone, is absent.
_THEN: Final = """
SELECT id, adapter, is_active, nodes
  FROM (SELECT DISTINCT ON (past.id) past.id, past.adapter, past.is_active, past.history_type,
               ARRAY(SELECT link.node_id FROM channels_historicalchannel_nodes AS link
                      WHERE link.history_id = past.history_id) AS nodes
          FROM channels_historicalchannel AS past
         WHERE past.history_date <= %(at)s
         ORDER BY past.id, past.history_date DESC, past.history_id DESC) AS channel
 WHERE history_type <> '-'
"""


@dataclass(frozen=True)
class Selling:
    """A channel that sells, and the nodes that serve its orders; None means all of them."""

    channel: Channel
    node_ids: Collection[int] | None


def nodes_by_channel(channel_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """Return which nodes serve a channel's orders, for the channels that name any; the others are served by all."""
    found: dict[int, set[int]] = {}
    links = Channel.nodes.through.objects.filter(channel_id__in=set(channel_ids))
    for channel_id, node_id in links.values_list("channel_id", "node_id"):
        found.setdefault(channel_id, set()).add(node_id)
    return {channel_id: frozenset(node_ids) for channel_id, node_ids in found.items()}


def served(channels: Iterable[Channel]) -> dict[str, frozenset[int] | None]:
    """Return the nodes that serve each channel's orders by the channel's code; None means all of them."""
    rows = list(channels)
    named = nodes_by_channel(row.pk for row in rows)
    return {row.code: named.get(row.pk) for row in rows}


def takes_orders(adapter: str) -> bool:
    """Return whether orders come in through this adapter, by itself or in files that people bring."""
    known = registry.BY_NAME.get(adapter)
    if known is None:
        return False
    able = known.capabilities
    is_other_system = able.parcels or able.documents or able.tracking or able.notices or able.events
    return able.pull_orders or able.push_orders or not is_other_system


def selling(*, at: datetime | None = None) -> list[Selling]:
    """Return the active channels that take orders, now or at a past moment, by code; systems of nodes are none.

    Two queries, however many channels there are.
    """
    if at is None:
        rows = [row for row in Channel.objects.filter(is_active=True).order_by("code") if takes_orders(row.adapter)]
        named = nodes_by_channel(row.pk for row in rows)
        return [Selling(row, named.get(row.pk)) for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_THEN, {"at": at})
        then = {pk: (adapter, is_active, nodes) for pk, adapter, is_active, nodes in cursor.fetchall()}
    return [
        Selling(row, frozenset(then[row.pk][2]) or None)
        for row in Channel.objects.filter(pk__in=then).order_by("code")
        if then[row.pk][1] and takes_orders(then[row.pk][0])
    ]
