"""The Weimob adapter: its calls. ``base_url`` is ``https://dopen.weimob.com``; ``renew`` gets the access token."""

from channels.adapters.protocol import Adapter, Capabilities
from channels.adapters.weimob import client, deliver, pull, receive, translate


class WeimobAdapter(Adapter):
    """Speaks the ``weimob_shop`` API, version 2.0, as a self-built application."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = ("client_id", "client_secret", "shop_id")
    option_names = ("vid", "vid_type", "warehouse_id", "carriers", "query_time_type", "fulfill_method")

    translate = staticmethod(translate.translate)
    receive = staticmethod(receive.receive)
    check = staticmethod(pull.check)
    fetch = staticmethod(pull.fetch)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    renew = staticmethod(client.renew)


ADAPTER: Adapter = WeimobAdapter()
