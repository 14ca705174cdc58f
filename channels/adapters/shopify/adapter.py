"""The Shopify adapter: its calls."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.adapters.shopify import client, deliver, pull, receive, translate
from channels.messages import Incoming, ListedItem, Outgoing, RawMessage


class ShopifyAdapter(Adapter):
    """Speaks the Admin API. ``base_url`` is the shop's own address, ``https://{shop}.myshopify.com``."""

    capabilities = Capabilities(
        pull_orders=True,
        push_orders=True,
        ship_confirm=True,
        refund_in=True,
        cancel_in=True,
        stock_set=True,
        listing_pull=True,
    )
    credential_names = ("access_token", "webhook_secret", "previous_webhook_secret")
    option_names = ("location_id", "shop_domain", "api_version", "carriers")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or a refund; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a webhook and return the number of the order it is about; raises ``NotAuthentic``."""
        return receive.receive(pushed, connection, at=at)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield orders updated in the window with their refunds; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Return these orders with their refunds; raises ``RetryLater`` or ``Rejected``."""
        return pull.fetch(connection, external_ids)

    def listings(self, connection: Connection) -> Iterator[list[ListedItem]]:
        """Yield the shop's variants, a page of products at a time; raises ``RetryLater`` or ``Rejected``."""
        return pull.listings(connection)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a stock figure; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection, key=key)

    def check(self, connection: Connection) -> str:
        """Return the shop's name; raises ``RetryLater`` or ``Rejected``."""
        return str(client.rest(connection, "shop.json").body.get("shop", {}).get("name", ""))


ADAPTER: Adapter = ShopifyAdapter()
