"""The Youzan adapter: its calls. ``base_url`` is the gateway's host; the access token is got with ``renew``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.adapters.youzan import client, deliver, pull, receive, translate
from channels.messages import Incoming, Outgoing, RawMessage


class YouzanAdapter(Adapter):
    """Speaks the Youzan cloud's API. ``grant_id`` is the shop's number (kdt_id)."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = ("client_id", "client_secret", "grant_id")
    option_names = ("carriers", "branch_kdt_id")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or a refund; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a push and name the order it is about; raises ``NotAuthentic`` or ``Rejected``."""
        return receive.receive(pushed, connection)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield the orders, then the refunds, that changed in the window; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Return orders and their refunds as they are now; raises ``RetryLater`` or ``Rejected``."""
        return pull.fetch(connection, external_ids)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a stock figure; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with a fresh access token; raises ``RetryLater`` or ``Rejected``."""
        return client.renew(connection)

    def check(self, connection: Connection) -> str:
        """Ask for one order of the last minute; the platform does not tell the shop's name there."""
        now = datetime.now(UTC)
        client.call(connection, pull.LIST, pull.asked(now - timedelta(minutes=1), now, 1, size=1))
        return ""


ADAPTER: Adapter = YouzanAdapter()
