"""The SMS adapter: one port for many providers. ``base_url`` is the address that takes a message."""

from channels.adapters import notices
from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.adapters.sms import client
from channels.messages import Outgoing


class SmsAdapter(Adapter):
    """Sends short messages. Until the option ``live`` is true, the outbox shows what would be sent.

    ``fields`` says what the provider calls ``to``, ``text`` and ``key``; ``extra`` are fields that are always the same
    (a signature's name, a template); ``success`` says what a good answer holds.
    """

    capabilities = Capabilities(notices=True)
    credential_names = ("token", "secret")
    option_names = ("live", "fields", "extra", "success")

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Send one message, known by ``key``; raises ``RetryLater`` or ``Rejected``."""
        notice = notices.notice_of(message, client.PLATFORM)
        return client.send(notice, connection, key=key) if notices.is_live(connection) else notices.shown(notice)


ADAPTER: Adapter = SmsAdapter()
