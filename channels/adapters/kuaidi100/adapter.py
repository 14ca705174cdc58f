"""The Kuaidi100 adapter: its calls. ``base_url`` is ``https://poll.kuaidi100.com``."""

from collections.abc import Sequence
from datetime import datetime

from channels.adapters.kuaidi100 import client, receive, translate
from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.messages import Incoming, Outgoing, RawMessage


class Kuaidi100Adapter(Adapter):
    """Follows parcels. ``carriers`` maps our carrier codes to theirs, ``callback_url`` is where they push to."""

    capabilities = Capabilities(tracking=True)
    credential_names = ("key", "customer", "salt")
    option_names = ("carriers", "callback_url", "sender_phone")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read the scans of a parcel; raises ``Untranslatable``."""
        return translate.translate(raw)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a push and keep it; raises ``NotAuthentic`` or ``Rejected``."""
        return receive.receive(pushed, connection)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Ask where these parcels are now, of which something is known; raises ``RetryLater`` or ``Rejected``."""
        return client.fetch(connection, external_ids)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Subscribe to a parcel; raises ``RetryLater`` or ``Rejected``."""
        return client.subscribe(message, connection)

    def check(self, connection: Connection) -> str:
        """Ask for a parcel that nobody has; there is no call that names the account."""
        client.query(connection, "shunfeng", "SF0000000000000")
        return ""


ADAPTER: Adapter = Kuaidi100Adapter()
