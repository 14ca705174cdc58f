"""Calls of the Admin API, REST and GraphQL, and what a refusal means.

Not verified against the live platform (documented guesses): the codes in ``LATER_CODES`` that a GraphQL answer of HTTP
200 refuses with.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

from audit.rules.sentences import say
from channels.adapters import calls
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.refusals import Refusals
from channels.rules import texts

PLATFORM: Final = "Shopify"
VERSION: Final = "2026-10"
LIMITED: Final = "THROTTLED"
LATER_CODES: Final = dict.fromkeys((LIMITED, "INTERNAL_SERVER_ERROR", "TIMEOUT"), calls.USUAL_WAIT)
REFUSALS: Final = Refusals(later=LATER_CODES, limited={LIMITED})
LONGEST_WORDS: Final = 200
_NEXT: Final = re.compile(r'<([^<>]*)>; *rel="next"')


class Answer(NamedTuple):
    """The JSON of a REST answer, and the cursor of the page after it (empty on the last one)."""

    body: dict[str, Any]
    page_info: str = ""


def shop_name(connection: Connection) -> str:
    """Return the shop's name; raises ``RetryLater`` or ``Rejected``."""
    return str(rest(connection, "shop.json").body.get("shop", {}).get("name", ""))


def rest(connection: Connection, path: str, params: Mapping[str, str] | None = None) -> Answer:
    """Get a REST resource; raises ``RetryLater`` or ``Rejected``."""
    answer = _call(connection, "GET", path, params=params)
    body = calls.read(PLATFORM, answer.content)
    return Answer(body, _next_page(answer.headers.get("Link", "")))


def graphql(connection: Connection, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Run a query or a mutation and return its data; raises ``RetryLater`` or ``Rejected``."""
    content = calls.written({"query": query, "variables": variables})
    answer = _call(connection, "POST", "graphql.json", content=content)
    body = calls.read(PLATFORM, answer.content)
    if body.get("errors"):
        _refuse(body, answer.content)
    if not isinstance(body.get("data"), dict):
        raise calls.not_understood(PLATFORM, answer.content)
    data: dict[str, Any] = body["data"]
    return data


def mutate(connection: Connection, name: str, query: str, variables: Mapping[str, Any]) -> str:
    """Run a mutation and return its data as text; raises ``Rejected`` for its ``userErrors`` too."""
    data = graphql(connection, query, variables)
    told = calls.written(data)
    result = data.get(name)
    if not isinstance(result, dict) or not isinstance(result.get("userErrors"), list):
        raise calls.not_understood(PLATFORM, told)
    if result["userErrors"]:
        raise Rejected(_reason(result["userErrors"]), answer=calls.shown(told))
    return calls.shown(told)


def _call(connection: Connection, method: str, path: str, **parts: Any) -> httpx.Response:
    calls.require(connection, PLATFORM, "access_token")
    version = connection.options.get("api_version") or VERSION
    headers = {"X-Shopify-Access-Token": connection.credentials["access_token"], "Content-Type": "application/json"}
    url = f"{connection.base_url.rstrip('/')}/admin/api/{version}/{path}"
    answer = calls.send(PLATFORM, method, url, headers=headers, **parts)
    if answer.status_code != 200:
        errors = calls.read(PLATFORM, answer.content).get("errors") if answer.content.startswith(b"{") else None
        reason = _reason(errors) if errors else calls.status_reason(PLATFORM, answer)
        raise Rejected(reason, answer=calls.shown(answer.content))
    return answer


def _refuse(body: dict[str, Any], content: bytes) -> None:
    errors = body["errors"] if isinstance(body["errors"], list) else []
    codes = [str((error.get("extensions") or {}).get("code")) for error in errors if isinstance(error, dict)]
    seconds, reason = _throttled_seconds(body), _reason(body["errors"])
    REFUSALS.refuse(*codes, reason=reason, body=content, seconds=seconds, unknown=Rejected)


def _throttled_seconds(body: dict[str, Any]) -> int:
    """Return how long the points that the query costs take to come back."""
    try:
        cost = body["extensions"]["cost"]
        status = cost["throttleStatus"]
        return calls.bounded(float((cost["requestedQueryCost"] - status["currentlyAvailable"]) / status["restoreRate"]))
    except (KeyError, TypeError, ArithmeticError):
        return calls.USUAL_WAIT


def _reason(errors: object) -> Any:
    words = errors
    if isinstance(errors, list):
        words = "; ".join(str(each.get("message") if isinstance(each, dict) else each) for each in errors)
    return say("Shopify refused: %(words)s", words=texts.shown(words, limit=LONGEST_WORDS))


def _next_page(link: str) -> str:
    """Return the cursor in a Link header; only the cursor, so that our token goes to no other host."""
    found = _NEXT.search(link)
    return parse_qs(urlsplit(found[1]).query).get("page_info", [""])[0] if found else ""
