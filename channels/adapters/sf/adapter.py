"""The SF Express adapter: its calls. ``base_url`` is the service, ``https://bspgw.sf-express.com/std/service``."""

from collections.abc import Sequence
from datetime import datetime

from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.adapters.sf import client, receive, translate
from channels.messages import Incoming, Outgoing, RawMessage


class SfAdapter(Adapter):
    """Follows SF's parcels. ``push_secret`` is ours: it stands in the address that SF pushes to.

    ``carriers`` names which of our carrier codes are SF (``{"SF": "sf"}``), ``op_codes`` teaches codes that are not
    known yet (``{"8": "underway"}``).
    """

    capabilities = Capabilities(tracking=True)
    credential_names = ("partner_id", "checkword", "push_secret")
    option_names = ("carriers", "op_codes", "phone_tail")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read the routes of a parcel; raises ``Untranslatable``."""
        return translate.translate(raw, connection.options)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a push and keep its routes, one message a parcel; raises ``NotAuthentic`` or ``Rejected``."""
        return receive.receive(pushed, connection)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Ask for the routes of these parcels; raises ``RetryLater`` or ``Rejected``."""
        return client.fetch(connection, external_ids)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Register a parcel for pushes; raises ``RetryLater`` or ``Rejected``."""
        return client.register(message, connection)

    def check(self, connection: Connection) -> str:
        """Ask for a parcel that nobody has; there is no call that names the account."""
        client.routes(connection, ["SF0000000000000"])
        return ""


ADAPTER: Adapter = SfAdapter()
