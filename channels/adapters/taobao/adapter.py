"""The Taobao adapter: its calls. The platform pushes over its own message service, not to an address of ours."""

from collections.abc import Iterator
from datetime import datetime

from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.adapters.taobao import deliver, listings, pull, translate
from channels.messages import Incoming, ListedItem, Outgoing, RawMessage


class TaobaoAdapter(Adapter):
    """Speaks TOP. ``base_url`` is the gateway."""

    capabilities = Capabilities(pull_orders=True, ship_confirm=True, stock_set=True, cancel_in=True, listing_pull=True)
    credential_names = ("app_key", "app_secret", "session")
    option_names = ("carriers", "sign_method")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read a trade; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield the trades modified in the window; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a stock figure; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def listings(self, connection: Connection) -> Iterator[list[ListedItem]]:
        """Yield what is on sale, page by page; raises ``RetryLater`` or ``Rejected``."""
        return listings.listings(connection)

    def check(self, connection: Connection) -> str:
        """Return the seller's nick; raises ``RetryLater`` or ``Rejected``."""
        return listings.shop_name(connection)


ADAPTER: Adapter = TaobaoAdapter()
