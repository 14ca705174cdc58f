"""The work chats' adapter: one robot is one channel, and one group. ``base_url`` is the chat's own host."""

from channels.adapters import notices
from channels.adapters.im import client
from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.messages import Outgoing


class ImAdapter(Adapter):
    """Writes to a group. ``kind`` is ``dingtalk``, ``feishu`` or ``wecom``; ``token`` is the robot's.

    Until the option ``live`` is true, the outbox shows what would be written.
    """

    capabilities = Capabilities(notices=True)
    credential_names = ("token", "secret")
    option_names = ("live", "kind")

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Write one message; raises ``RetryLater`` or ``Rejected``."""
        notice = notices.notice_of(message, client.PLATFORM)
        return client.send(notice, connection) if notices.is_live(connection) else notices.shown(notice)


ADAPTER: Adapter = ImAdapter()
