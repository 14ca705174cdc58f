"""The gate of the simulated Admin API: who may come in, how often, and with which parameters.

Not verified against the live platform: the texts of refusals but that of a cursor with other filters, and the cost of
a query (``COSTS``).
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

LARGEST_PAGE = 250
USUAL_PAGE = 50
WITH_A_CURSOR = {"page_info", "limit", "fields"}
ORDER_PARAMETERS = WITH_A_CURSOR | {"ids", "status", "updated_at_min", "updated_at_max"}
PRODUCT_PARAMETERS = WITH_A_CURSOR | {"ids"}
COSTS = {"nodes": 1, "fulfillmentCreate": 10, "inventorySetQuantities": 10}
_OPERATION = re.compile(r"\b(nodes|fulfillmentCreate|inventorySetQuantities)\s*\(")
_IDEMPOTENT = re.compile(r"@idempotent\(\s*key:\s*\$(\w+)\s*\)")


class ShopifyError(Exception):
    """A refusal: its HTTP status, what stands under ``errors``, and headers."""

    def __init__(self, status: int, errors: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, errors)
        self.status = status
        self.errors = errors
        self.headers = dict(headers or {})


class Bucket:
    """A leaky bucket: ``size`` calls at once, ``leak`` of them back each second. No size means no limit."""

    def __init__(self, size: int | None, leak: float) -> None:
        self.size = size
        self.leak = leak
        self.used = 0.0
        self._at = 0.0

    def take(self, amount: float, at: datetime) -> bool:
        """Take room for a call and return whether there was any."""
        if self.size is None:
            return True
        now = at.timestamp()
        self.used = max(self.used - (now - self._at) * self.leak, 0.0)
        self._at = now
        if self.used + amount > self.size:
            return False
        self.used += amount
        return True


def check_token(headers: Mapping[str, str], token: str) -> None:
    """Check the access token; raises ``ShopifyError``."""
    if headers.get("x-shopify-access-token") != token:
        raise ShopifyError(401, "[API] Invalid API key or access token (unrecognized login or wrong password)")


def check_parameters(given: Mapping[str, str], known: set[str]) -> int:
    """Check the parameters of a list and return the page's size; raises ``ShopifyError``."""
    if "page_info" in given:
        for name in sorted(set(given) - WITH_A_CURSOR):
            raise ShopifyError(400, {name: f"{name} cannot be passed when page_info is present"})
    for name in sorted(set(given) - known):
        raise ShopifyError(400, {name: "is not played here"})
    limit = given.get("limit", str(USUAL_PAGE))
    if not limit.isdigit() or not 1 <= int(limit) <= LARGEST_PAGE:
        raise ShopifyError(400, {"limit": f"must be between 1 and {LARGEST_PAGE}"})
    return int(limit)


def window(given: Mapping[str, str]) -> Callable[[str], bool]:
    """Return whether a time lies between the two ends, both of which belong to it; raises ``ShopifyError``."""
    ends = {}
    for name in ("updated_at_min", "updated_at_max"):
        try:
            ends[name] = datetime.fromisoformat(given[name]) if name in given else None
        except ValueError as error:
            raise ShopifyError(400, {name: "is not a time"}) from error
    low, high = ends["updated_at_min"], ends["updated_at_max"]

    def is_inside(text: str) -> bool:
        moment = datetime.fromisoformat(text)
        return (low is None or low <= moment) and (high is None or moment <= high)

    return is_inside


def write_cursor(value: Mapping[str, Any]) -> str:
    """Return an opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def read_cursor(text: str) -> dict[str, Any]:
    """Read a cursor that was given out; raises ``ShopifyError``."""
    try:
        value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
    except ValueError as error:
        raise ShopifyError(400, {"page_info": "Invalid value."}) from error
    return value


def read_operation(body: bytes) -> tuple[str, dict[str, Any], str]:
    """Return a GraphQL request's operation, variables and idempotency key (or none); raises ``ShopifyError``."""
    try:
        asked = json.loads(body)
        query, variables = asked["query"], asked.get("variables") or {}
        found = _OPERATION.search(query)
    except (ValueError, KeyError, TypeError) as error:
        raise ShopifyError(400, {"query": "Required parameter missing or invalid"}) from error
    if found is None:
        raise ShopifyError(200, [{"message": "Field is not played here", "extensions": {"code": "undefinedField"}}])
    directive = _IDEMPOTENT.search(query)
    return found[1], variables, str(variables.get(directive[1]) or "") if directive else ""


def number_of(gid: Any, kind: str) -> int:
    """Read ``gid://shopify/Order/1``; raises ``ShopifyError`` as GraphQL does."""
    prefix = f"gid://shopify/{kind}/"
    if not isinstance(gid, str) or not gid.startswith(prefix) or not gid[len(prefix) :].isdigit():
        raise ShopifyError(200, [{"message": f"Invalid global id '{gid}'"}])
    return int(gid[len(prefix) :])
