"""The YonBIP adapter: its calls. ``base_url`` is ``https://apigateway.yonyoucloud.com``, which knows the gates."""

from collections.abc import Mapping

from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.adapters.yonyou import client, deliver
from channels.messages import Outgoing


class YonyouAdapter(Adapter):
    """Books documents. ``gateway_url`` and ``access_token`` come from ``renew``; nobody enters them."""

    capabilities = Capabilities(documents=True)
    credential_names = ("tenant_id", "app_key", "app_secret", "gateway_url", "access_token")
    option_names = ("org", "customers", "warehouses", "unit", "tax_rate", "tax", "currencies", "transaction_types",
                    "exchange_rate_type")  # fmt: skip

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Save, submit and audit a document, as far as that is not done yet; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def renew(self, connection: Connection) -> Mapping[str, str]:
        """Return the credentials with the tenant's gate and a fresh token; raises ``RetryLater`` or ``Rejected``."""
        return client.renew(connection)

    def check(self, connection: Connection) -> str:
        """List at most one sales order; there is no call that names the tenant."""
        client.post(connection, "/yonbip/sd/voucherorder/list", {"pageIndex": 1, "pageSize": 1})
        return ""


ADAPTER: Adapter = YonyouAdapter()
