"""The Douyin adapter: its calls. ``base_url`` is the gateway, e.g. ``https://openapi-fxg.jinritemai.com``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from channels.adapters.douyin import client, deliver, pull, receive, translate
from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.messages import Incoming, Outgoing, RawMessage


class DouyinAdapter(Adapter):
    """Speaks the shop's open API, version 2."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = client.CREDENTIALS
    option_names = ("carriers",)

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or an after-sale; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a push and name the orders it is about; raises ``NotAuthentic`` or ``Rejected``."""
        return receive.receive(pushed, connection)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield the orders, then the after-sales, that changed in the window; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Return orders and their after-sales as they are now; raises ``RetryLater`` or ``Rejected``."""
        return pull.fetch(connection, external_ids)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a stock figure; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection, key=key)

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with fresh tokens; raises ``RetryLater`` or ``Rejected``."""
        return client.renew(connection)

    def check(self, connection: Connection) -> str:
        """List the carriers, which every shop may; the platform does not tell the shop's name there."""
        client.call(connection, "order.logisticsCompanyList", {})
        return ""


ADAPTER: Adapter = DouyinAdapter()
