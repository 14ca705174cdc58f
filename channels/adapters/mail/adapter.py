"""The mail adapter. ``base_url`` is the server: ``smtp://host:587`` (STARTTLS), ``smtps://host:465``."""

from channels.adapters import notices
from channels.adapters.mail import client
from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.messages import Outgoing


class MailAdapter(Adapter):
    """Sends mail from ``sender``. Until the option ``live`` is true, the outbox shows what would be sent."""

    capabilities = Capabilities(notices=True)
    credential_names = ("user", "password")
    option_names = ("live", "sender", "tls")

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Send one mail, known by ``key``; raises ``RetryLater`` or ``Rejected``."""
        notice = notices.notice_of(message, client.PLATFORM)
        return client.send(notice, connection, key=key) if notices.is_live(connection) else notices.shown(notice)

    def check(self, connection: Connection) -> str:
        """Open a connection to the server and log in; nothing is sent."""
        client.try_out(connection)
        return ""


ADAPTER: Adapter = MailAdapter()
