"""Calls of U8's proxy, whose writes are done later: the answer names an address where the outcome is asked for.

``errcode`` is a text, "0" is fine. Not verified against the live platform (documented guesses): ``TOKEN_WORDS``,
``LIMITED_WORDS`` and ``LATER_WORDS``, by which a refusal that passes is known; that ``NOTHING`` at the outcome's
address means "not yet".
"""

import re
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from audit.rules.sentences import say
from channels.adapters import calls, ledgers, signing
from channels.adapters.protocol import Connection, Rejected, RetryLater, Throttled, TokenExpired
from channels.rules import texts

PLATFORM: Final = "Yonyou U8"
FINE: Final = "0"
NOTHING: Final = "20002"
TOKEN_WORDS: Final = re.compile("token", re.IGNORECASE)
LIMITED_WORDS: Final = re.compile("频繁|流量")
LATER_WORDS: Final = re.compile("超时|稍后")
USUAL_POLL: Final = 3.0
MOST_POLLS: Final = 3
LONGEST_POLL: Final = 5.0


def renew(connection: Connection) -> dict[str, str]:
    """Ask for a token; raises ``RetryLater`` or ``Rejected``."""
    calls.require(connection, PLATFORM, "from_account", "app_key", "app_secret")
    given = connection.credentials
    asked = {name: given[name] for name in ("from_account", "app_key", "app_secret")}
    answer, body = _send("GET", connection.base_url.rstrip("/") + "/system/token", asked)
    if _code(answer) != FINE:
        raise Rejected(_reason(answer), answer=calls.shown(body))
    token = answer.get("token")
    return {**given, "access_token": str((token.get("id") if isinstance(token, dict) else "") or "")}


def find(connection: Connection, name: str, number: str) -> dict[str, Any] | None:
    """Return a document by its number as the list shows it, None when there is none."""
    query = {"code_begin": number, "code_end": number, "page_index": "1", "rows_per_page": "1"}
    answer, body = _call(connection, "GET", f"/api/{name}list/batch_get", query)
    if _code(answer) == NOTHING:
        return None
    _check(answer, body)
    rows = answer.get(f"{name}list")
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return next((row for row in found if str(row.get("code")) == number), None)


def add(connection: Connection, name: str, document: Mapping[str, Any]) -> None:
    """Add a document and wait for the outcome; raises ``RetryLater`` when that is not known soon."""
    answer, body = _call(connection, "GET", "/system/tradeid", {})
    _check(answer, body)
    trade = answer.get("trade")
    trade_id = str((trade.get("id") if isinstance(trade, dict) else "") or "")
    written = ledgers.written({name: document})
    answer, body = _call(connection, "POST", f"/api/{name}/add", {"tradeid": trade_id}, content=written)
    _check(answer, body)
    if answer.get("url"):
        _wait_for_outcome(connection, str(answer["url"]), body)


def verify(connection: Connection, name: str, number: str) -> None:
    """Verify a document; raises ``RetryLater`` or ``Rejected``."""
    written = ledgers.written({name: {"voucher_code": number}})
    answer, body = _call(connection, "POST", f"/api/{name}/verify", {}, content=written)
    _check(answer, body)


def _wait_for_outcome(connection: Connection, url: str, body: bytes) -> None:
    ours, theirs = urlsplit(connection.base_url), urlsplit(url)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise calls.not_understood(PLATFORM, body)
    told = connection.options.get("poll_seconds")
    seconds = min(max(float(told), 0.0), LONGEST_POLL) if isinstance(told, int | float) else USUAL_POLL
    for _ in range(MOST_POLLS):
        time.sleep(seconds)
        answer, body = _send("GET", url, {})
        if _code(answer) != NOTHING:
            _check(answer, body)
            return
    raise RetryLater(say("%(platform)s has not finished yet.", platform=PLATFORM), seconds=10, answer=calls.shown(body))


def _call(
    connection: Connection, method: str, path: str, query: Mapping[str, str], *, content: bytes | None = None
) -> tuple[dict[str, Any], bytes]:
    calls.require(connection, PLATFORM, "from_account", "to_account", "app_key", "app_secret")
    given = connection.credentials
    if not given.get("access_token"):
        raise TokenExpired(say("%(platform)s has given no access token yet.", platform=PLATFORM), seconds=1)
    common = {name: given[name] for name in ("from_account", "to_account", "app_key")}
    source = connection.options.get("data_source")
    common |= {"token": given["access_token"], **({"ds_sequence": str(source)} if source else {})}
    return _send(method, connection.base_url.rstrip("/") + path, {**common, **query}, content)


def _send(
    method: str, url: str, query: Mapping[str, str], content: bytes | None = None
) -> tuple[dict[str, Any], bytes]:
    headers = {"Content-Type": "application/json"} if content is not None else {}
    parts: dict[str, Any] = {"params": dict(query)} if query else {}
    response = calls.send(PLATFORM, method, url, content=content, headers=headers, **parts)
    if response.status_code != 200:
        raise Rejected(calls.status_reason(PLATFORM, response), answer=calls.shown(response.content))
    return calls.read(PLATFORM, response.content), response.content


def _check(answer: Mapping[str, Any], body: bytes) -> None:
    code = _code(answer)
    if code == FINE:
        return
    if not code:
        raise calls.not_understood(PLATFORM, body)
    words, reason, shown = str(answer.get("errmsg") or ""), _reason(answer), calls.shown(body)
    if TOKEN_WORDS.search(words):
        raise TokenExpired(reason, seconds=1, answer=shown)
    if LIMITED_WORDS.search(words):
        raise Throttled(reason, seconds=60, answer=shown)
    if LATER_WORDS.search(words):
        raise RetryLater(reason, seconds=60, answer=shown)
    raise signing.NotThis(reason, answer=shown)


def _code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("errcode") if answer.get("errcode") is not None else "")


def _reason(answer: Mapping[str, Any]) -> Any:
    code, words = signing.number(answer.get("errcode")), texts.shown(answer.get("errmsg") or "", limit=200)
    return signing.refusal(PLATFORM, code, words)
