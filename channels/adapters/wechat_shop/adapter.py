"""The WeChat Shop adapter: its calls. ``base_url`` is the API's host; the access token is got with ``renew``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from channels.adapters.protocol import Adapter, Capabilities, Connection, Pushed, Received
from channels.adapters.wechat_shop import client, deliver, pull, receive, translate
from channels.messages import Incoming, Outgoing, RawMessage


class WechatShopAdapter(Adapter):
    """Speaks the shop's ``channels/ec`` API."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = ("appid", "secret", "token", "encoding_aes_key")
    option_names = ("carriers",)

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        """Read an order or an after-sale; raises ``Untranslatable``."""
        return translate.translate(raw, connection.currency)

    def receive(self, pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
        """Check a push, or the try of the address, and name the orders it is about; raises ``NotAuthentic``."""
        return receive.receive(pushed, connection, at=at)

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
        """List the couriers, which every shop may; the platform does not tell the shop's name there."""
        client.call(connection, deliver.COURIERS, {})
        return ""


ADAPTER: Adapter = WechatShopAdapter()
