"""Questions about channels that more than one door or app asks."""

from collections.abc import Iterable

from channels.models import Channel


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
