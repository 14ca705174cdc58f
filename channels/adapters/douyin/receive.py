"""What Douyin pushes: a signed list of events that name an order; the whole order is fetched. Pure.

A push carries no time that is signed for, so an old one cannot be told from a new one; all it can do is to have an
order fetched as it is now. Not verified: that the data of every after-sale tag names its order as ``p_id``, as the
data of the order tags does; an event without it is kept as a message of its own.
"""

import json
from datetime import datetime
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import signing
from channels.adapters.douyin import sign
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received, Rejected
from channels.messages import RawMessage

TAGS: Final = frozenset(map(str, (*range(100, 105), 106, 108, 109, 110, 126, 200, 201, 206, 208)))
ANSWER: Final = b'{"code":0,"msg":"success"}'


def receive(pushed: Pushed, connection: Connection, *, at: datetime) -> Received:
    """Check a push and name the orders it is about; raises ``NotAuthentic``, or ``Rejected`` for no list of events."""
    key, secret = connection.credentials.get("app_key", ""), connection.credentials.get("app_secret", "")
    expected = sign.event_signature(pushed.body, app_key=key, secret=secret)
    is_ours = key and secret and pushed.header("app-id") == key
    if not is_ours or not signing.is_one_of(pushed.header("event-sign"), [expected]):
        raise NotAuthentic("event-sign does not belong to this channel")
    try:
        events = json.loads(pushed.body)
    except (ValueError, RecursionError):
        events = None
    if not isinstance(events, list):
        raise Rejected(say("The push is not a list of events."))
    ours = [event for event in events if isinstance(event, dict) and str(event.get("tag")) in TAGS]
    wanted = dict.fromkeys(_number(event) for event in ours)
    wanted.pop("", None)
    return Received(tuple(_kept(event) for event in ours if not _number(event)), tuple(wanted), ANSWER)


def _number(event: dict[str, Any]) -> str:
    try:
        data = event["data"]
        number = (json.loads(data) if isinstance(data, str) else data)["p_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return str(number) if str(number).isascii() and str(number).isdigit() else ""


def _kept(event: dict[str, Any]) -> RawMessage:
    return RawMessage("order", f"event:{str(event.get('msg_id'))[:60]}", 0, json.dumps(event).encode())
