"""The WeChat Shop adapter: its calls. ``base_url`` is the API's host; the access token is got with ``renew``."""

from channels.adapters.protocol import Adapter, Capabilities
from channels.adapters.wechat_shop import client, deliver, pull, receive, translate


class WechatShopAdapter(Adapter):
    """Speaks the shop's ``channels/ec`` API."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = ("appid", "secret", "token", "encoding_aes_key")
    option_names = ("carriers",)

    translate = staticmethod(translate.translate)
    receive = staticmethod(receive.receive)
    fetch = staticmethod(pull.fetch)
    pull = staticmethod(pull.pull)
    check = staticmethod(deliver.check)
    deliver = staticmethod(deliver.deliver)
    renew = staticmethod(client.renew)


ADAPTER: Adapter = WechatShopAdapter()
