"""Calls of the Douyin gateway, and what their answers mean: the platform says no with HTTP 200 and a code.

Not verified against the live platform (documented guess): the seconds to wait in ``LATER``, since no rate is published;
that a ``sub_code`` beginning with ``isp.`` is the platform's own fault and one with ``isv.`` ours.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from channels.adapters import calls, signing
from channels.adapters.douyin import sign
from channels.adapters.protocol import Connection
from channels.adapters.refusals import Refusals

PLATFORM: Final = "Douyin"
CREDENTIALS: Final = ("app_key", "app_secret", "access_token", "refresh_token")
RENEW: Final = "token.refresh"
SUCCESS: Final = 10000
LATER: Final = {20000: 30, 60000: 60, 90000: 30}  # service fault, traffic limited, unknown: seconds to wait
LIMITED: Final = 60000
TOKEN_WORDS: Final = frozenset({50001, "isv.access-token-expired"})
KNOWN_ALREADY: Final = "isv.idempotent-id-existed"
ACCESS_CODES: Final = frozenset({30001, 70000, "isv.signature-invalid"})  # whatever is asked


class Answer(NamedTuple):
    """What a call gave: the bytes as sent, and what is inside ``data``."""

    body: bytes
    data: dict[str, Any]


class KnownAlready(signing.NotThis):
    """The platform has had a call under this idempotency key."""


REFUSALS: Final = Refusals(
    expired=TOKEN_WORDS, later=LATER, limited={LIMITED}, never=ACCESS_CODES, own_faults="isp.",
    special={KNOWN_ALREADY: KnownAlready},
)  # fmt: skip


def call(connection: Connection, method: str, arguments: Mapping[str, Any]) -> Answer:
    """Call a method; raises ``RetryLater``, ``TokenExpired`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "app_key", "app_secret", "access_token")
    return _ask(connection, method, arguments, {"access_token": connection.credentials["access_token"]})


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with fresh tokens; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "app_key", "app_secret", "refresh_token")
    arguments = {"grant_type": "refresh_token", "refresh_token": connection.credentials["refresh_token"]}
    data = calls.for_token(lambda: _ask(connection, RENEW, arguments, {}).data)
    return calls.renewed(connection, PLATFORM, data, "access_token", "refresh_token")


def check(connection: Connection) -> str:
    """List the carriers, which every shop may; the platform does not tell the shop's name there."""
    call(connection, "order.logisticsCompanyList", {})
    return ""


def _ask(connection: Connection, method: str, arguments: Mapping[str, Any], more: Mapping[str, str]) -> Answer:
    text = json.dumps(arguments, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    key, timestamp = connection.credentials["app_key"], str(int(datetime.now(UTC).timestamp()))
    secret = connection.credentials["app_secret"]
    signature = sign.signature(app_key=key, secret=secret, method=method, timestamp=timestamp, body=text)
    common = {"app_key": key, "method": method, "timestamp": timestamp, "v": "2", "sign_method": "hmac-sha256"}
    url = f"{connection.base_url.rstrip('/')}/{method.replace('.', '/')}"
    params = {**common, **more, "sign": signature}
    body = calls.content(PLATFORM, "POST", url, params=params, content=text.encode(), headers=calls.JSON)
    return Answer(body, _data(body))


def _data(body: bytes) -> dict[str, Any]:
    answer = calls.read(PLATFORM, body)
    code = answer.get("code")
    if type(code) is not int:
        raise calls.not_understood(PLATFORM, body)
    if code != SUCCESS:
        word = str(answer.get("sub_code") or "")
        reason = signing.refusal(PLATFORM, code, answer.get("sub_msg") or answer.get("msg"), word)
        REFUSALS.refuse(code, word, reason=reason, body=body)
    data = answer.get("data")
    if data is not None and not isinstance(data, dict | list):
        raise calls.not_understood(PLATFORM, body)
    return data if isinstance(data, dict) else {}
