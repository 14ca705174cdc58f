"""The Douyin adapter: its calls. ``base_url`` is the gateway, e.g. ``https://openapi-fxg.jinritemai.com``."""

from channels.adapters.douyin import client, deliver, pull, receive, translate
from channels.adapters.protocol import Adapter, Capabilities


class DouyinAdapter(Adapter):
    """Speaks the shop's open API, version 2."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = client.CREDENTIALS
    option_names = ("carriers",)

    translate = staticmethod(translate.translate)
    receive = staticmethod(receive.receive)
    fetch = staticmethod(pull.fetch)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    renew = staticmethod(client.renew)
    check = staticmethod(client.check)


ADAPTER: Adapter = DouyinAdapter()
