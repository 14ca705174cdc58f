"""The two signatures in the headers of a Kingdee call: the gate's and the account's. Pure."""

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import quote

from channels.adapters.protocol import Connection

MASK: Final = b"0054f397c6234378b09ca7d3e5debce7"


def headers(connection: Connection, path: str, *, timestamp: str, org: str, lcid: str) -> dict[str, str]:
    """Return the headers that sign a POST to ``path``; raises ``ValueError`` for an app id that is none."""
    app_id, secret = connection.credentials["app_id"], connection.credentials["app_secret"]
    client_id, _, part = app_id.partition("_")
    account = ",".join((connection.credentials["acct_id"], connection.credentials["user"], lcid, org))
    signed = f"POST\n{quote(path, safe='')}\n\nx-api-nonce:{timestamp}\nx-api-timestamp:{timestamp}\n"
    return {
        "X-Api-ClientID": client_id,
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": timestamp,
        "x-api-nonce": timestamp,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": _sealed(client_secret(part), signed),
        "X-Kd-Appkey": app_id,
        "X-Kd-Appdata": base64.b64encode(account.encode()).decode(),
        "X-Kd-Signature": _sealed(secret, app_id + account),
    }


def client_secret(part: str) -> str:
    """Return the gate's secret, which is hidden in the second part of an app id; raises ``ValueError``."""
    hidden = base64.b64decode(part, validate=True)
    if not hidden or len(hidden) > len(MASK):
        raise ValueError("not the second part of an app id")
    return base64.b64encode(bytes(one ^ other for one, other in zip(hidden, MASK, strict=False))).decode()


def _sealed(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()
