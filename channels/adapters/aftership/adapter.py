"""The AfterShip adapter: its calls. ``base_url`` is ``https://api.aftership.com``."""

from collections.abc import Sequence
from datetime import datetime

from channels.adapters.aftership import client, receive, translate
from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.messages import Incoming, Outgoing, RawMessage


class AfterShipAdapter(Adapter):
    """Follows parcels. With an ``api_secret`` every call is signed; ``carriers`` maps our carrier codes to slugs."""

    capabilities = Capabilities(tracking=True)
    credential_names = ("api_key", "api_secret", "webhook_secret", "previous_webhook_secret")
    option_names = ("carriers",)

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read the checkpoints of a parcel; raises ``Untranslatable``."""
        return translate.translate(raw)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a webhook and keep its parcel; raises ``NotAuthentic`` or ``Rejected``."""
        return receive.receive(pushed, connection)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Ask where these parcels are now; raises ``RetryLater`` or ``Rejected``."""
        return client.fetch(connection, external_ids)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Ask to follow a parcel; raises ``RetryLater`` or ``Rejected``."""
        return client.follow(message, connection)

    def check(self, connection: Connection) -> str:
        """List at most one parcel; there is no call that names the account."""
        client.listed(connection, {"limit": "1"})
        return ""


ADAPTER: Adapter = AfterShipAdapter()
