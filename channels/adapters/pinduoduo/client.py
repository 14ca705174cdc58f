"""Calls of Pinduoduo's gateway, and what their answers mean: the platform says no with HTTP 200 and a code.

Not verified against the live platform (documented guess): the seconds to wait in ``LATER``, of which only the limit of
one call (so many in 60 seconds) is published.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from channels.adapters import calls, signing
from channels.adapters.protocol import Connection
from channels.adapters.refusals import Refusals

PLATFORM: Final = "Pinduoduo"
CREDENTIALS: Final = ("client_id", "client_secret", "access_token", "refresh_token")
LIST: Final = "pdd.order.number.list.increment.get"
ORDER: Final = "pdd.order.information.get"
SHIP: Final = "pdd.logistics.online.send"
SET_STOCK: Final = "pdd.goods.quantity.update"
RENEW: Final = "pdd.pop.auth.token.refresh"
ENVELOPES: Final = {
    LIST: "order_sn_increment_get_response",
    ORDER: "order_info_get_response",
    SHIP: "logistics_online_send_response",
    SET_STOCK: "goods_quantity_update_response",
    RENEW: "pop_auth_token_refresh_response",
}
TOKEN_CODE: Final = 10019
LIMITED: Final = frozenset({52101, 52102, 52103, 70031})
LATER: Final = {50000: 30, 50002: 30, 52001: 30, 52002: 30, **dict.fromkeys(LIMITED, 60)}  # seconds
ACCESS_CODES: Final = frozenset(
    {10000, 10001, 10016, 10017, 10018, 20004, 20005, 20031, 20032, 20034, 20035, 30000, 30001, *range(70032, 70037)}
)
REFUSALS: Final = Refusals(expired={TOKEN_CODE}, later=LATER, limited=LIMITED, never=ACCESS_CODES)


class Answer(NamedTuple):
    """What a call gave: the bytes as sent, and what is inside the method's envelope."""

    body: bytes
    inner: dict[str, Any]


def call(connection: Connection, method: str, arguments: Mapping[str, Any]) -> Answer:
    """Call a method; raises ``RetryLater``, ``TokenExpired`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "client_id", "client_secret", "access_token")
    return _ask(connection, method, {**arguments, "access_token": connection.credentials["access_token"]})


def renew(connection: Connection) -> dict[str, str]:
    """Return the credentials with fresh tokens; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "client_id", "client_secret", "refresh_token")
    asked = {"refresh_token": connection.credentials["refresh_token"]}
    answer = calls.for_token(lambda: _ask(connection, RENEW, asked))
    return calls.renewed(connection, PLATFORM, answer.inner, "access_token", "refresh_token")


def _ask(connection: Connection, method: str, arguments: Mapping[str, Any]) -> Answer:
    form = {
        **{name: _written(value) for name, value in arguments.items()},
        "type": method,
        "client_id": connection.credentials["client_id"],
        "timestamp": str(int(datetime.now(UTC).timestamp())),
        "data_type": "JSON",
        "version": "V1",
    }
    form["sign"] = signing.md5_of_pairs(form, connection.credentials["client_secret"])
    body = calls.content(PLATFORM, "POST", connection.base_url, data=form)
    envelope = calls.read(PLATFORM, body)
    inner = envelope.get("error_response", envelope.get(ENVELOPES[method]))
    if not isinstance(inner, dict):
        raise calls.not_understood(PLATFORM, body)
    if "error_response" in envelope or inner.get("is_success") in (False, "false"):
        code = signing.number(inner.get("error_code"))
        reason = signing.refusal(PLATFORM, code, inner.get("error_msg"), inner.get("sub_msg"))
        REFUSALS.refuse(code, reason=reason, body=body)
    return Answer(body, inner)


def _written(value: Any) -> str:
    """Write an argument as it is signed and sent: nested values as their JSON, a yes or no in small letters."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
