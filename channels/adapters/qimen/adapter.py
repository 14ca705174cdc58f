"""The Qimen adapter: its calls. ``base_url`` is the router, which hands calls on to the warehouse and back."""

from channels.adapters.protocol import Adapter, Capabilities
from channels.adapters.qimen import deliver, receive, translate


class QimenAdapter(Adapter):
    """Speaks Qimen's XML with a warehouse. ``customer_id`` is ours at the warehouse."""

    capabilities = Capabilities(parcels=True, receivers=True)
    credential_names = ("app_key", "secret", "customer_id")
    option_names = ("owner_code", "shop_nick", "logistics_code", "source_platform", "sender", "warehouses", "carriers")

    translate = staticmethod(translate.translate)
    receive = staticmethod(receive.receive)
    check = staticmethod(deliver.check)
    deliver = staticmethod(deliver.deliver)


ADAPTER: Adapter = QimenAdapter()
