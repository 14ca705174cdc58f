"""From a channel's row to what its adapter may know."""

from channels.adapters.protocol import Connection
from channels.models import Channel
from channels.services import credentials


def of(channel: Channel) -> Connection:
    """Return the plain values with which an adapter reaches ``channel``; raises ``credentials.Unreadable``."""
    return Connection(
        code=channel.code,
        base_url=channel.base_url,
        credentials=credentials.opened(channel),
        options=channel.options,
        currency=channel.currency,
    )


def without_secrets(channel: Channel) -> Connection:
    """Return what translation needs: everything but the credentials, so that no lost key keeps orders out."""
    return Connection(code=channel.code, base_url=channel.base_url, options=channel.options, currency=channel.currency)
