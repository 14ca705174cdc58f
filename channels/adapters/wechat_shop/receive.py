"""What the platform pushes: events that name an order. Pure.

An event is a few words about an order; the whole order is fetched. Bodies come as JSON or as XML: of the XML only the
cipher text and the order's digits are read, by pattern, so that nothing in it can be expanded. Not verified: what the
platform pushes about after-sales besides the order's number (``ORDER_ID`` is looked for in every object).
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received
from channels.adapters.wechat_shop import sign

SKEW: Final = timedelta(minutes=10)
ORDER_ID: Final = "order_id"
SUCCESS: Final = b"success"
TEXT: Final = "text/plain"
_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_XML_ID: Final = re.compile(rf"<{ORDER_ID}>(?:<!\[CDATA\[)?([0-9]{{1,20}})(?:\]\]>)?</{ORDER_ID}>")
_XML_SEALED: Final = re.compile(r"<Encrypt>(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?</Encrypt>")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=]+")


def receive(pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
    """Return the orders that a push names, or answer the try of the address; raises ``NotAuthentic``.

    A channel with ``encoding_aes_key`` takes sealed pushes only: the plain form's signature does not cover the body.
    """
    query, token = pushed.query, connection.credentials.get("token")
    if not token:
        raise NotAuthentic("the channel has no token")
    stamp = query.get("timestamp", ""), query.get("nonce", "")
    _check_time(stamp[0], at)
    if pushed.method == "GET":
        sign.verify(query.get("signature", ""), token, *stamp)
        return Received(answer=query.get("echostr", "").encode(), content_type=TEXT)
    aes_key = connection.credentials.get("encoding_aes_key")
    if aes_key:
        sealed = _sealed(pushed.body)
        sign.verify(query.get("msg_signature", ""), token, *stamp, sealed)
        body = sign.opened(sealed, aes_key=aes_key, appid=connection.credentials.get("appid", ""))
    else:
        sign.verify(query.get("signature", ""), token, *stamp)
        body = pushed.body
    return Received(wanted=_order_ids(body), answer=SUCCESS, content_type=TEXT)


def _check_time(timestamp: str, at: datetime) -> None:
    if not re.fullmatch(r"[0-9]{10}", timestamp) or abs(datetime.fromtimestamp(int(timestamp), UTC) - at) > SKEW:
        raise NotAuthentic("the push is too old or too new")


def _sealed(body: bytes) -> str:
    found = _XML_SEALED.search(body.decode("utf-8", "replace"))
    sealed = found[1] if found else _object(body).get("Encrypt")
    if not isinstance(sealed, str) or not _BASE64.fullmatch(sealed):
        raise NotAuthentic("the push is not sealed")
    return sealed


def _order_ids(body: bytes) -> tuple[str, ...]:
    if body.lstrip().startswith(b"<"):
        return tuple(dict.fromkeys(_XML_ID.findall(body.decode("utf-8", "replace"))))
    inside = [value for value in _object(body).values() if isinstance(value, dict)]
    ids = [str(value[ORDER_ID]) for value in inside if ORDER_ID in value]
    return tuple(dict.fromkeys(number for number in ids if _DIGITS.fullmatch(number)))


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
