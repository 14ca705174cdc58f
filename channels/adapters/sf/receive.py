"""A push of SF: routes of many parcels, each its own fact. Pure.

SF signs no push (not verified: the contract's sources know none), so the address it pushes to carries a secret of ours:
``…/in/<channel>/?secret=…``. A push tells the new routes only; a parcel's older ones came before.
"""

import hmac
import json
from typing import Any, Final

from audit.rules.sentences import say
from channels.adapters import fields, scans
from channels.adapters.protocol import Connection, NotAuthentic, Pushed, Received, Rejected
from channels.adapters.sf import client, translate
from channels.messages import Untranslatable

OURS: Final = "sf"  # what the option ``carriers`` calls SF
TAKEN: Final = json.dumps({"return_code": "0000", "return_msg": "成功"}, ensure_ascii=False).encode()


def receive(pushed: Pushed, connection: Connection) -> Received:
    """Return one message a parcel; raises ``NotAuthentic``, and ``Rejected`` for what is no push of routes."""
    secret = connection.credentials.get("push_secret", "")
    if not secret or not hmac.compare_digest(pushed.query.get("secret", "").encode(), secret.encode()):
        raise NotAuthentic("the address does not carry this channel's secret")
    try:
        body = fields.decode(pushed.body).get("Body")
    except Untranslatable as error:
        raise Rejected(error.reason) from error
    routes = body.get("WaybillRoute") if isinstance(body, dict) else None
    if not isinstance(routes, list) or not all(isinstance(route, dict) and route.get("mailno") for route in routes):
        raise Rejected(say("The push of %(platform)s names no parcel.", platform=client.PLATFORM))
    parcels: dict[str, list[Any]] = {}
    for route in routes:
        parcels.setdefault(scans.name_of(OURS, str(route["mailno"]), connection), []).append(route)
    return Received(tuple(translate.message(name, told) for name, told in parcels.items()), answer=TAKEN)
