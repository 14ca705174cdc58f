"""What Youzan pushes: messages that name an order. Pure.

A message's own words are not acted on: the whole order is fetched, so that an older push that comes late (``version``)
does no harm. The platform sends no time that its signature covers.
"""

import json
import re
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from audit.rules.sentences import say
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received, Rejected
from channels.adapters.youzan import sign
from channels.rules import texts

SUCCESS: Final = b'{"code":0,"msg":"success"}'
TRADES: Final = "trade_"  # what the types of messages about orders and refunds begin with
_TID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


def receive(pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
    """Return the order that a push names; raises ``NotAuthentic``, ``Rejected`` for one of another shop.

    A heartbeat (``test``) is answered like any push and wants nothing.
    """
    told = _object(pushed.body)
    if told.get("test") is True:
        return Received(answer=SUCCESS)
    client_id, message = connection.credentials.get("client_id", ""), told.get("msg")
    if not isinstance(message, str) or not texts.is_fit(message) or str(told.get("client_id")) != client_id:
        raise NotAuthentic("the push is not for this channel's application")
    secret = connection.credentials.get("client_secret", "")
    sign.verify(str(told.get("sign")), client_id=client_id, message=message, client_secret=secret)
    shop = connection.credentials.get("grant_id")
    if shop and str(told.get("kdt_id")) != shop:
        raise Rejected(
            say("The push is about shop %(shop)s, not about this channel's.", shop=texts.shown(told.get("kdt_id")))
        )
    if not str(told.get("type")).startswith(TRADES):
        return Received(answer=SUCCESS)
    inner = _object(unquote_plus(message).encode())
    tid = next((str(tid) for tid in (inner.get("tid"), told.get("id")) if tid), "")
    return Received(wanted=(tid,) if _TID.fullmatch(tid) else (), answer=SUCCESS)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
