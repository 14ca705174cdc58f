"""The Qimen adapter: its calls. ``base_url`` is the router, which hands calls on to the warehouse and back."""

from datetime import datetime

from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.adapters.qimen import client, deliver, receive, translate
from channels.messages import Incoming, Outgoing, RawMessage


class QimenAdapter(Adapter):
    """Speaks Qimen's XML with a warehouse. ``customer_id`` is ours at the warehouse."""

    capabilities = Capabilities(parcels=True, receivers=True)
    credential_names = ("app_key", "secret", "customer_id")
    option_names = ("owner_code", "shop_nick", "logistics_code", "source_platform", "sender", "warehouses", "carriers")

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read what the warehouse did with a parcel; raises ``Untranslatable``."""
        return translate.translate(raw, connection.options)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a warehouse's call and keep what it says of a parcel; raises ``NotAuthentic``."""
        return receive.receive(pushed, connection, at=at)

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Ask for a parcel, or ask to stop one; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def check(self, connection: Connection) -> str:
        """Ask for the stock of an item that nobody has; the standard has no call that names the warehouse."""
        client.call(connection, deliver.QUERY, deliver.stock_query(connection))
        return ""


ADAPTER: Adapter = QimenAdapter()
