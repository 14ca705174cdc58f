"""The Kingdee adapter: its calls. ``base_url`` ends in ``/k3cloud``."""

from channels.adapters.kingdee import client, deliver
from channels.adapters.protocol import Adapter, Capabilities, Connection
from channels.messages import Outgoing


class KingdeeAdapter(Adapter):
    """Books documents through the WebAPI with signed headers: no session, no token that expires."""

    capabilities = Capabilities(documents=True)
    credential_names = ("app_id", "app_secret", "acct_id", "user")
    option_names = ("org", "customers", "warehouses", "unit", "tax_rate", "currencies", "bill_types", "lcid")

    def deliver(self, message: Outgoing, connection: Connection, *, key: str) -> str:
        """Save, submit and audit a document, as far as that is not done yet; raises ``RetryLater`` or ``Rejected``."""
        return deliver.deliver(message, connection)

    def check(self, connection: Connection) -> str:
        """Ask for a document that nobody has; the API has no call that names the account."""
        client.query(connection, "SAL_SaleOrder", "FBillNo", "FBillNo = 'HUB-CHECK'")
        return ""


ADAPTER: Adapter = KingdeeAdapter()
