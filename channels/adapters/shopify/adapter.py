"""The Shopify adapter: its calls."""

from channels.adapters.protocol import Adapter, Capabilities
from channels.adapters.shopify import client, deliver, pull, receive, translate


class ShopifyAdapter(Adapter):
    """Speaks the Admin API. ``base_url`` is the shop's own address, ``https://{shop}.myshopify.com``."""

    capabilities = Capabilities(
        pull_orders=True,
        push_orders=True,
        ship_confirm=True,
        refund_in=True,
        cancel_in=True,
        stock_set=True,
        listing_pull=True,
    )
    credential_names = ("access_token", "webhook_secret", "previous_webhook_secret")
    option_names = ("location_id", "shop_domain", "api_version", "carriers")

    translate = staticmethod(translate.translate)
    receive = staticmethod(receive.receive)
    fetch = staticmethod(pull.fetch)
    listings = staticmethod(pull.listings)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    check = staticmethod(client.shop_name)


ADAPTER: Adapter = ShopifyAdapter()
