"""The house adapter: its four calls."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from channels.adapters.house import client, receive, translate
from channels.adapters.protocol import Adapter, Capabilities, Connection, NotOffered
from channels.messages import Incoming, Outgoing, RawMessage


class HouseAdapter:
    """Speaks the house language: orders are pushed to us, deliveries are posted to the other side."""

    capabilities = Capabilities(push_orders=True, ship_confirm=True, stock_set=True)

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or a change; raises ``Untranslatable``."""
        return translate.translate(raw.payload, connection.currency)

    def receive(self, headers: Mapping[str, str], body: bytes, connection: Connection) -> list[RawMessage]:
        """Check the signature and split the body; raises ``NotAuthentic``, or ``Rejected`` for too many messages."""
        return receive.receive(headers, body, connection.credentials)

    def pull(self, connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
        """Refuse: this language is pushed."""
        raise NotOffered("house-language systems push their orders")

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Post one message; raises ``RetryLater`` or ``Rejected``."""
        return client.deliver(message, connection, key=key)


ADAPTER: Adapter = HouseAdapter()
