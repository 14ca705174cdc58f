"""Calls of the WeChat Shop API, and what ``errcode`` means: the platform says no with HTTP 200.

Not verified against the live platform (documented guess): ``TOKEN_CODES`` but 40001 and ``LATER`` but -1, with the
seconds to wait; ``ACCESS_CODES`` but 40002 and 40013.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from channels.adapters import calls, signing
from channels.adapters.protocol import Connection
from channels.adapters.refusals import Refusals
from channels.adapters.wechat_shop import translate

PLATFORM: Final = translate.PLATFORM
TOKEN: Final = "/cgi-bin/token"
TOKEN_CODES: Final = frozenset({40001, 40014, 42001})
LIMITED: Final = {45009: 3600, 45011: 60}  # the day's quota is used up, too frequent: seconds to wait
LATER: Final = {-1: 5, **LIMITED}  # busy
ACCESS_CODES: Final = frozenset({40002, 40013, 48001, 61004})  # the channel itself may not call, whatever it asks
SHIPPED_ALREADY: Final = 109001


class HasShipped(signing.NotThis):
    """The platform says that the order has been shipped completely."""


REFUSALS: Final = Refusals(
    expired=TOKEN_CODES, later=LATER, limited=LIMITED, never=ACCESS_CODES, special={SHIPPED_ALREADY: HasShipped}
)


def call(connection: Connection, path: str, body: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Post ``body`` and return the answer, as sent and as read; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "appid", "secret")
    params = {"access_token": calls.token(connection, PLATFORM)}
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return _ask("POST", connection.base_url.rstrip("/") + path, params=params, content=content, headers=calls.JSON)


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with a fresh access token. The old one dies soon after: one token for all workers."""
    calls.require(connection, PLATFORM, "appid", "secret")
    given = {name: connection.credentials[name] for name in ("appid", "secret")}
    url = connection.base_url.rstrip("/") + TOKEN
    # here 40001 says that the secret is wrong
    _, answer = calls.for_token(lambda: _ask("GET", url, params={"grant_type": "client_credential", **given}))
    return calls.renewed(connection, PLATFORM, answer, "access_token")


def _ask(method: str, url: str, **parts: Any) -> tuple[bytes, dict[str, Any]]:
    body = calls.content(PLATFORM, method, url, **parts)
    answer = calls.read(PLATFORM, body)
    code = answer.get("errcode", 0)
    if type(code) is not int:
        raise calls.not_understood(PLATFORM, body)
    if code:
        REFUSALS.refuse(code, reason=signing.refusal(PLATFORM, code, answer.get("errmsg")), body=body)
    return body, answer
