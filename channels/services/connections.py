"""From a channel's row to what its adapter may know."""

from channels.adapters.protocol import Connection
from channels.models import Channel


def of(channel: Channel) -> Connection:
    """Return the plain values with which an adapter reaches ``channel``."""
    return Connection(
        code=channel.code,
        base_url=channel.base_url,
        credentials=channel.credentials,
        options=channel.options,
        currency=channel.currency,
    )
