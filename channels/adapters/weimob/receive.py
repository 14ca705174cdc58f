"""What Weimob pushes: messages that name an order. Pure.

A message's own words are not acted on: the whole order is fetched with its after-sales, so that a push that comes late
or twice does no harm. The platform sends no time of sending, so none is checked. Not verified against the live platform
(documented guess): the words of ``SUCCESS``.
"""

from datetime import datetime
from typing import Final

from channels.adapters.fields import Fields, decode
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received
from channels.adapters.weimob import sign
from channels.messages import Untranslatable

SUCCESS: Final = b'{"code":{"errcode":"0","errmsg":"success"}}'
TOPICS: Final = frozenset({"weimob_shop.order", "weimob_shop.rights"})


def receive(pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
    """Return the order that a push names; another topic is taken and left alone. Raises ``NotAuthentic``.

    The platform sends no time.
    """
    try:
        told = decode(pushed.body)
    except Untranslatable as error:
        raise NotAuthentic("a push that cannot be read is signed by nobody") from error
    if not sign.is_signed(told, connection.credentials):
        raise NotAuthentic("the signature does not belong to this channel")
    if told.get("topic") not in TOPICS:
        return Received(answer=SUCCESS)
    try:
        number = Fields(decode(told["msgBody"].encode()), []).ident("orderNo")
    except (Untranslatable, UnicodeError):
        return Received(answer=SUCCESS)
    return Received(wanted=(number,) if number.isascii() and number.isdigit() else (), answer=SUCCESS)
