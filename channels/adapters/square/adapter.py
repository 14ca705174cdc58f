"""The Square adapter: its calls."""

from channels.adapters.protocol import Adapter, Capabilities
from channels.adapters.square import client, deliver, pull, receive, translate


class SquareAdapter(Adapter):
    """Speaks Square's API. ``base_url`` is ``https://connect.squareup.com``, or the sandbox's address.

    The option ``locations`` names the locations that are this channel, each with its place:
    ``{"L1": {"province": "浙江省", "city": "杭州市"}}``.
    """

    capabilities = Capabilities(
        pull_orders=True,
        push_orders=True,
        ship_confirm=True,
        refund_in=True,
        cancel_in=True,
        stock_set=True,
        listing_pull=True,
    )
    credential_names = ("access_token", *client.TO_RENEW, *receive.KEYS)
    option_names = ("locations", "location_id", "notification_url", "carriers")

    translate = staticmethod(translate.translate)
    receive = staticmethod(receive.receive)
    fetch = staticmethod(pull.fetch)
    listings = staticmethod(pull.listings)
    pull = staticmethod(pull.pull)
    deliver = staticmethod(deliver.deliver)
    renew = staticmethod(client.renew)
    check = staticmethod(client.shop_name)


ADAPTER: Adapter = SquareAdapter()
