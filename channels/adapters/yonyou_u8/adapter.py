"""The U8 adapter: its calls. ``base_url`` is ``https://api.yonyouup.com``."""

from collections.abc import Mapping

from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.adapters.yonyou_u8 import client, deliver
from channels.messages import Outgoing


class YonyouU8Adapter(Adapter):
    """Books documents. ``access_token`` comes from ``renew``; ``poll_seconds`` is the wait for what U8 does later."""

    capabilities = Capabilities(documents=True)
    credential_names = ("from_account", "to_account", "app_key", "app_secret", "access_token")
    option_names = ("customers", "warehouses", "department", "sale_type", "business_type", "tax_rate", "data_source",
                    "poll_seconds")  # fmt: skip

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Add and verify a document, as far as that is not done yet; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with a fresh token; raises ``RetryLater`` or ``Rejected``."""
        return client.renew(connection)

    def check(self, connection: Connection) -> str:
        """Look for a document that nobody has; there is no call that names the account."""
        client.find(connection, "saleorder", "HUB-CHECK")
        return ""


ADAPTER: Adapter = YonyouU8Adapter()
