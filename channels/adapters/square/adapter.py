"""The Square adapter: its calls."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.adapters.square import client, deliver, pull, receive, translate
from channels.messages import Incoming, ListedItem, Outgoing, RawMessage


class SquareAdapter(Adapter):
    """Speaks Square's API. ``base_url`` is ``https://connect.squareup.com``, or the sandbox's address.

    The option ``locations`` names the locations that are this channel, each with its place:
    ``{"L1": {"province": "浙江省", "city": "杭州市"}}``.
    """

    capabilities = Capabilities(
        pull_orders=True,
        push_orders=True,
        ship_confirm=True,
        refund_in=True,
        cancel_in=True,
        stock_set=True,
        listing_pull=True,
    )
    credential_names = (
        "access_token",
        "refresh_token",
        "client_id",
        "client_secret",
        "signature_key",
        "previous_signature_key",
    )
    option_names = ("locations", "location_id", "notification_url", "carriers")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or a return; raises ``Untranslatable``."""
        return translate.translate(raw, connection)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a webhook and return the number of the order it is about; raises ``NotAuthentic``."""
        return receive.receive(pushed, connection, at=at)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Yield the orders and returns updated in the window; raises ``RetryLater`` or ``Rejected``."""
        return pull.pull(connection, since=since, until=until)

    def fetch(self, connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
        """Return these orders as they are now; raises ``RetryLater`` or ``Rejected``."""
        return pull.fetch(connection, external_ids)

    def listings(self, connection: Connection) -> Iterator[list[ListedItem]]:
        """Yield the catalogue's variations, page by page; raises ``RetryLater`` or ``Rejected``."""
        return pull.listings(connection)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Tell of a parcel or a count; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection, key=key)

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with a fresh access token; raises ``RetryLater`` or ``Rejected``."""
        return client.renew(connection)

    def check(self, connection: Connection) -> str:
        """Return the first location's name; raises ``RetryLater`` or ``Rejected``."""
        [first, *_] = client.locations(connection)
        return str((client.call(connection, "GET", f"/v2/locations/{first}").get("location") or {}).get("name") or "")


ADAPTER: Adapter = SquareAdapter()
