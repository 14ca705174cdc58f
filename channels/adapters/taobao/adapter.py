"""The Taobao adapter: its calls. The platform pushes over its own message service, not to an address of ours."""

from channels.adapters.protocol import Adapter, Capabilities
from channels.adapters.taobao import client, deliver, listings, pull, translate


class TaobaoAdapter(Adapter):
    """Speaks TOP. ``base_url`` is the gateway."""

    capabilities = Capabilities(pull_orders=True, ship_confirm=True, stock_set=True, cancel_in=True, listing_pull=True)
    credential_names = client.CREDENTIALS
    option_names = ("carriers", "sign_method")

    translate = staticmethod(translate.translate)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    check = staticmethod(listings.shop_name)
    listings = staticmethod(listings.listings)


ADAPTER: Adapter = TaobaoAdapter()
