"""The JD adapter: its calls. ``base_url`` is the gateway, e.g. ``https://api.jd.com/routerjson``."""

from channels.adapters.jd import client, deliver, pull, translate
from channels.adapters.protocol import Adapter, Capabilities


class JdAdapter(Adapter):
    """Speaks JOS, version 2.0. Its message push has no public contract: orders are pulled."""

    capabilities = Capabilities(pull_orders=True, ship_confirm=True, cancel_in=True, stock_set=True)
    credential_names = client.CREDENTIALS
    option_names = ("carriers", "oauth_url")

    translate = staticmethod(translate.translate)
    check = staticmethod(pull.check)
    fetch = staticmethod(pull.fetch)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    renew = staticmethod(client.renew)


ADAPTER: Adapter = JdAdapter()
