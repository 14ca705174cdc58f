"""The Weimob adapter: its calls. ``base_url`` is ``https://dopen.weimob.com``; ``renew`` gets the access token."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.adapters.weimob import client, deliver, pull, receive, translate
from channels.messages import Incoming, Outgoing, RawMessage


class WeimobAdapter(Adapter):
    """Speaks the ``weimob_shop`` API, version 2.0, as a self-built application."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = ("client_id", "client_secret", "shop_id")
    option_names = ("vid", "vid_type", "warehouse_id", "carriers", "query_time_type", "fulfill_method")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or an after-sale; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a push and name the order it is about; raises ``NotAuthentic``. The platform sends no time."""
        return receive.receive(pushed, connection)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield the orders, then the after-sales, that changed in the window; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Return orders and their after-sales as they are now; raises ``RetryLater`` or ``Rejected``."""
        return pull.fetch(connection, external_ids)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a stock figure; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with a fresh access token; raises ``RetryLater`` or ``Rejected``."""
        return client.renew(connection)

    def check(self, connection: Connection) -> str:
        """Ask for one order of the last minute; the platform does not tell the shop's name there."""
        at = datetime.now(UTC)
        asked = pull.asked(connection, at - timedelta(minutes=1), at, number=1, size=1)
        client.call(connection, pull.LIST, asked)
        return ""


ADAPTER: Adapter = WeimobAdapter()
