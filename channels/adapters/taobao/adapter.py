"""The Taobao adapter: its three calls. The platform pushes over its own message service, not to an address of ours."""

from collections.abc import Iterator
from datetime import datetime

from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.adapters.taobao import deliver, pull, translate
from channels.messages import Incoming, Outgoing, RawMessage


class TaobaoAdapter(Adapter):
    """Speaks TOP. ``base_url`` is the gateway."""

    capabilities = Capabilities(pull_orders=True, ship_confirm=True, stock_set=True, cancel_in=True)
    credential_names = ("app_key", "app_secret", "session")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read a trade; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield the trades modified in the window; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a stock figure; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)


ADAPTER: Adapter = TaobaoAdapter()
