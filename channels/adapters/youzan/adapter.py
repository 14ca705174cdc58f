"""The Youzan adapter: its calls. ``base_url`` is the gateway's host; the access token is got with ``renew``."""

from channels.adapters.protocol import Adapter, Capabilities
from channels.adapters.youzan import client, deliver, pull, receive, translate


class YouzanAdapter(Adapter):
    """Speaks the Youzan cloud's API. ``grant_id`` is the shop's number (kdt_id)."""

    capabilities = Capabilities(
        pull_orders=True, push_orders=True, ship_confirm=True, refund_in=True, cancel_in=True, stock_set=True
    )
    credential_names = client.CREDENTIALS
    option_names = ("carriers", "branch_kdt_id")

    translate = staticmethod(translate.translate)
    receive = staticmethod(receive.receive)
    check = staticmethod(pull.check)
    fetch = staticmethod(pull.fetch)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    renew = staticmethod(client.renew)


ADAPTER: Adapter = YouzanAdapter()
