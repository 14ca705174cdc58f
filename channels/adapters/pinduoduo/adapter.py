"""The Pinduoduo adapter: its calls. ``base_url`` is the gateway, e.g. ``https://gw-api.pinduoduo.com/api/router``."""

from channels.adapters.pinduoduo import client, deliver, pull, translate
from channels.adapters.protocol import Adapter, Capabilities


class PinduoduoAdapter(Adapter):
    """Speaks POP, version V1. Orders are pulled; the message socket, which only names them, is not listened to."""

    capabilities = Capabilities(pull_orders=True, ship_confirm=True, cancel_in=True, stock_set=True)
    credential_names = client.CREDENTIALS
    option_names = ("carriers", "lag_seconds")

    translate = staticmethod(translate.translate)
    check = staticmethod(pull.check)
    fetch = staticmethod(pull.fetch)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    renew = staticmethod(client.renew)


ADAPTER: Adapter = PinduoduoAdapter()
