"""The house adapter: its three calls."""

from datetime import datetime

from channels.adapters.house import client, receive, translate
from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.messages import Incoming, Outgoing, RawMessage


class HouseAdapter(Adapter):
    """Speaks the house language: orders are pushed to us, deliveries are posted to the other side."""

    capabilities = Capabilities(push_orders=True, ship_confirm=True, stock_set=True, cancel_in=True, parcels=True)
    credential_names = ("secret", "previous_secret")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or a change; raises ``Untranslatable``."""
        return translate.translate(raw.payload, connection.currency)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check the signature and split the body; raises ``NotAuthentic``, or ``Rejected`` for too many messages."""
        return Received(tuple(receive.receive(pushed.headers, pushed.body, connection.credentials)))

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Post one message; raises ``RetryLater`` or ``Rejected``."""
        return client.deliver(message, connection, key=key)


ADAPTER: Adapter = HouseAdapter()
