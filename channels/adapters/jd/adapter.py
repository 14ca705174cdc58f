"""The JD adapter: its calls. ``base_url`` is the gateway, e.g. ``https://api.jd.com/routerjson``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from channels.adapters.jd import client, deliver, pull, translate
from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.messages import Incoming, Outgoing, RawMessage


class JdAdapter(Adapter):
    """Speaks JOS, version 2.0. Its message push has no public contract: orders are pulled."""

    capabilities = Capabilities(pull_orders=True, ship_confirm=True, cancel_in=True, stock_set=True)
    credential_names = client.CREDENTIALS
    option_names = ("carriers", "oauth_url")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield the orders modified in the window; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Return these orders as they are now; raises ``RetryLater`` or ``Rejected``."""
        return pull.fetch(connection, external_ids)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a stock figure; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with fresh tokens; raises ``RetryLater`` or ``Rejected``."""
        return client.renew(connection)

    def check(self, connection: Connection) -> str:
        """Ask for one minute of the list; the platform does not tell the shop's name there."""
        pull.check(connection, at=datetime.now(UTC))
        return ""


ADAPTER: Adapter = JdAdapter()
