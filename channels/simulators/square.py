"""Square's API on loopback: one merchant's orders, catalogue and counts, kept in memory.

Not verified against the live platform: the texts of refusals, that both ends of a window belong to it, and the status
of ``VERSION_MISMATCH``. A cursor stands for a place behind an order.
"""

import base64
import hmac
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from channels.simulators import square_shop as shop
from channels.simulators.server import Faults, LoopbackServer, Request, Response
from channels.simulators.signed import control, written
from channels.simulators.square_shop import SquareError, missing, write
from channels.simulators.webhooks import Event, Webhooks

LARGEST_PAGE = 1000
USUAL_PAGE = 500
CATALOGUE_PAGE = 100
MOST_LOCATIONS = 10
MOST_FETCHED = 100
SORT_FIELDS = {"created_at": "CREATED_AT", "updated_at": "UPDATED_AT", "closed_at": "CLOSED_AT"}
_ORDER = re.compile(r"/v2/orders/([A-Za-z0-9_-]+)")
_LOCATION = re.compile(r"/v2/locations/([A-Za-z0-9_-]+)")
make_order = shop.make_order


class Platform:
    """One merchant on the platform. Thread-safe; the clock can be replaced."""

    path = ""

    def __init__(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        calls_per_second: int | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        demo = {
            "access_token": "token-1",
            "refresh_token": "refresh-1",
            "client_id": "sq0idp-demo",
            "client_secret": "sq0csp-demo",
            "signature_key": "sq-signature-key",
        }
        self.credentials = dict(credentials or demo)
        self.options = {
            "locations": {shop.LOCATION: {"province": "浙江省", "city": "杭州市"}},
            "location_id": shop.LOCATION,
        }
        self.calls_per_second = calls_per_second
        self.faults = faults or Faults()
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.shop = shop.Shop()
        self.webhooks = Webhooks(self.faults, self._signature)
        self._dead: set[str] = set()  # tokens that expired
        self._tokens = 1
        self._second = (0, 0)
        self._lock = threading.RLock()

    # -- what a test, the demo or a benchmark does with the merchant -----------------------------

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this platform; its ``url`` is the API's address."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def add_order(self, order: Mapping[str, Any]) -> str:
        """Take an order in Square's shape (the same id again replaces it) and return its id; raises ``ValueError``."""
        with self._lock:
            number = self.shop.put(order)
            self._tell("order.created", number)
            return number

    def change_order(self, number: str, **fields: Any) -> None:
        """Change fields of an order as the platform would; raises ``KeyError``."""
        with self._lock:
            order = self.shop.orders[number]
            order.update(fields, updated_at=self._now())
            if "version" in order:
                order["version"] += 1
            self._tell("order.updated", number)

    def close_order(self, number: str) -> None:
        """Cancel an order; raises ``KeyError``."""
        fulfillments = [{**row, "state": "CANCELED"} for row in self.shop.orders[number].get("fulfillments") or []]
        self.change_order(number, state="CANCELED", closed_at=self._now(), fulfillments=fulfillments)

    def add_refund(self, number: str, lines: Mapping[str, int], amount: int, *, status: str = "APPROVED") -> str:
        """Return units of lines (by uid) for ``amount`` cents: an order of its own, whose id is returned."""
        at, sold = self._now(), self.shop.orders[number]
        money = {"amount": amount, "currency": sold["total_money"]["currency"]}
        rows = [{"uid": f"r{uid}", "source_line_item_uid": uid, "quantity": str(count)} for uid, count in lines.items()]
        refund = {"id": f"R{number}", "location_id": sold["location_id"], "status": status, "reason": "too small"}
        order = {
            "id": f"RETURN{number}{len(self.shop.orders)}",
            "location_id": sold["location_id"],
            "state": "COMPLETED",
            "created_at": at,
            "updated_at": at,
            "returns": [{"uid": "r", "source_order_id": number, "return_line_items": rows}],
            "return_amounts": {"total_money": money},
            "refunds": [{**refund, "amount_money": money, "created_at": at}],
        }
        return self.add_order(order)

    def add_item(self, number: str, name: str, variations: Sequence[Mapping[str, Any]]) -> None:
        """List an item; a variation has ``id``, ``name``, ``sku``, ``upc`` and ``amount`` in cents."""
        rows = [
            {
                "type": "ITEM_VARIATION",
                "id": each["id"],
                "item_variation_data": {
                    **{name: each[name] for name in ("name", "sku", "upc") if name in each},
                    "item_id": number,
                    "price_money": {"amount": each["amount"], "currency": "CNY"},
                },
            }
            for each in variations
        ]
        with self._lock:
            item_data = {"name": name, "variations": rows}
            self.shop.catalogue.append({"type": "ITEM", "id": number, "is_deleted": False, "item_data": item_data})

    def expire_token(self) -> None:
        """Let the access token expire: the next call is refused until it is renewed."""
        with self._lock:
            self._dead.add(self.credentials["access_token"])

    def order(self, number: str) -> dict[str, Any]:
        """Return a copy of an order as it is now; raises ``KeyError``."""
        with self._lock:
            return deepcopy(self.shop.orders[number])

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures."""
        with self._lock:
            return self.shop.state() | {"calls": dict(self.calls)}

    def push_to(self, url: str) -> list[int]:
        """Post the webhooks that wait and return the HTTP statuses; those without 2xx wait for the next time."""
        return self.webhooks.post_to(url)

    def _tell(self, kind: str, number: str) -> None:
        order, at = self.shop.orders[number], self._now()
        names = ("location_id", "state", "version", "created_at", "updated_at")
        told = {"order_id": number} | {name: order[name] for name in names if name in order}
        event = {
            "merchant_id": "M1",
            "type": kind,
            "event_id": str(uuid4()),
            "created_at": at,
            "data": {"type": "order", "id": number, "object": {kind.replace(".", "_"): told}},
        }
        self.webhooks.add(Event(json.dumps(event).encode()))

    def _signature(self, url: str, event: Event) -> dict[str, str]:
        digest = hmac.digest(self.credentials["signature_key"].encode(), url.encode() + event.body, "sha256")
        return {"x-square-hmacsha256-signature": base64.b64encode(digest).decode()}

    def _now(self) -> str:
        return write(self.clock())

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        if request.path.startswith("/control/"):
            return control(request, state=self.state, add=self.add_order)
        with self._lock:
            try:
                return written(self._route(request))
            except SquareError as error:
                return written({"errors": [error.error]}, error.status)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return written({"errors": [SquareError(400, "BAD_REQUEST", repr(error)).error]}, 400)

    def _route(self, request: Request) -> dict[str, Any]:
        asked = json.loads(request.body) if request.body else {}
        if request.path == "/oauth2/token":
            return self._renew(asked)
        self._check_token(request.headers.get("authorization", ""))
        self._check_rate()
        found = _ORDER.fullmatch(request.path)
        place = _LOCATION.fullmatch(request.path)
        call = _CALLS.get((request.method, request.path))
        self.calls[request.path if call else request.path.rpartition("/")[0]] += 1
        if call:
            return call(self, asked or request.parameters())
        if place:
            return {"location": {"id": place[1], "name": f"Store {place[1]}", "currency": "CNY", "status": "ACTIVE"}}
        if not found or found[1] not in self.shop.orders:
            raise SquareError(404, "NOT_FOUND", request.path)
        if request.method == "PUT":
            return self._update(found[1], asked)
        return {"order": self.order(found[1])}

    def _check_token(self, given: str) -> None:
        token = given.removeprefix("Bearer ")
        if token in self._dead:
            raise SquareError(401, "ACCESS_TOKEN_EXPIRED", "renew it", category="AUTHENTICATION_ERROR")
        if token != self.credentials["access_token"]:
            raise SquareError(401, "UNAUTHORIZED", "no such token", category="AUTHENTICATION_ERROR")

    def _check_rate(self) -> None:
        second = int(self.clock().timestamp())
        calls = self._second[1] if self._second[0] == second else 0
        if self.calls_per_second is not None and calls >= self.calls_per_second:
            raise SquareError(429, "RATE_LIMITED", "too many calls", category="RATE_LIMIT_ERROR")
        self._second = (second, calls + 1)

    def _renew(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        names = ("client_id", "client_secret", "refresh_token")
        is_ours = all(asked.get(name) == self.credentials[name] for name in names)
        if asked.get("grant_type") != "refresh_token" or not is_ours:
            raise SquareError(401, "UNAUTHORIZED", "not yours", category="AUTHENTICATION_ERROR")
        self._tokens += 1
        self.credentials["access_token"] = f"token-{self._tokens}"
        given = {name: self.credentials[name] for name in ("access_token", "refresh_token")}
        return {**given, "token_type": "bearer", "merchant_id": "M1"}

    # -- the calls -------------------------------------------------------------------------------

    def _search(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        locations = asked.get("location_ids") or []
        if not 1 <= len(locations) <= MOST_LOCATIONS:
            raise SquareError(400, "ARRAY_LENGTH_TOO_LONG" if locations else "ARRAY_EMPTY", "location_ids")
        size = asked.get("limit", USUAL_PAGE)
        if type(size) is not int or not 1 <= size <= LARGEST_PAGE:
            raise SquareError(400, "VALUE_TOO_HIGH", "limit")
        query = asked.get("query") or {}
        name, start, end = _window(query)
        states = ((query.get("filter") or {}).get("state_filter") or {}).get("states")
        after = _read_cursor(asked.get("cursor"), query)
        rows = [
            order
            for order in self.shop.orders.values()
            if order["location_id"] in locations
            and (not states or order["state"] in states)
            and start <= order.get(name, "") <= end
        ]
        rows.sort(key=lambda order: (order[name], order["id"]))
        left = [order for order in rows if after is None or [order[name], order["id"]] > after]
        page = left[:size]
        answer: dict[str, Any] = {"orders": deepcopy(page)} if page else {}
        if len(left) > size:
            answer["cursor"] = _write_cursor([page[-1][name], page[-1]["id"]], query)
        if page and self.faults.strikes("duplicate"):
            answer["orders"].append(deepcopy(page[0]))
        if page and self.faults.strikes("move"):
            page[0]["updated_at"] = self._now()
        return answer

    def _retrieve(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        numbers = asked.get("order_ids") or []
        if not 1 <= len(numbers) <= MOST_FETCHED:
            raise SquareError(400, "ARRAY_LENGTH_TOO_LONG" if numbers else "ARRAY_EMPTY", "order_ids")
        return {"orders": [self.order(number) for number in numbers if number in self.shop.orders]}

    def _update(self, number: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        key = asked.get("idempotency_key") or str(uuid4())
        known = self.shop.once(key, asked)
        if known is not None:
            return known
        self.shop.update(number, asked.get("order") or {}, at=self._now())
        self._tell("order.fulfillment.updated", number)
        return self.shop.keep(key, asked, {"order": self.order(number)})

    def _count(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        known = self.shop.once(asked.get("idempotency_key"), asked)
        if known is not None:
            return known
        if not asked.get("changes"):
            raise missing("changes")
        counts = self.shop.count(asked["changes"], at=self.clock())
        return self.shop.keep(asked["idempotency_key"], asked, {"counts": counts})

    def _counts(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        wanted = asked.get("catalog_object_ids")
        return {"counts": [row for row in self.shop.shown_counts() if not wanted or row["catalog_object_id"] in wanted]}

    def _catalogue(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        place = int(asked.get("cursor") or 0)
        answer: dict[str, Any] = {"objects": deepcopy(self.shop.catalogue[place : place + CATALOGUE_PAGE])}
        if place + CATALOGUE_PAGE < len(self.shop.catalogue):
            answer["cursor"] = str(place + CATALOGUE_PAGE)
        return answer


_CALLS: dict[tuple[str, str], Callable[[Platform, dict[str, Any]], dict[str, Any]]] = {
    ("POST", "/v2/orders/search"): Platform._search,
    ("POST", "/v2/orders/batch-retrieve"): Platform._retrieve,
    ("POST", "/v2/inventory/changes/batch-create"): Platform._count,
    ("POST", "/v2/inventory/counts/batch-retrieve"): Platform._counts,
    ("GET", "/v2/catalog/list"): Platform._catalogue,
}


def _window(query: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the field and the two ends of a time filter, which must be sorted by the same field."""
    told = ((query.get("filter") or {}).get("date_time_filter") or {}).items()
    sort = (query.get("sort") or {}).get("sort_field", "CREATED_AT")
    for name, ends in told:
        if SORT_FIELDS.get(name) != sort:
            raise SquareError(400, "BAD_REQUEST", "the time filter and the sort field must be the same")
        times = [datetime.fromisoformat(ends[end]) if ends.get(end) else None for end in ("start_at", "end_at")]
        return name, write(times[0]) if times[0] else "", write(times[1]) if times[1] else "9"
    return sort.lower(), "", "9"


def _write_cursor(after: list[str], query: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([after, json.dumps(query, sort_keys=True)]).encode()).decode()


def _read_cursor(text: Any, query: Mapping[str, Any]) -> list[str] | None:
    """Return behind which order a list goes on; raises ``SquareError`` when it is not the query that it came from."""
    if not text:
        return None
    try:
        after, began = json.loads(base64.urlsafe_b64decode(text))
    except ValueError as error:
        raise SquareError(400, "INVALID_CURSOR", "cursor") from error
    if began != json.dumps(query, sort_keys=True):
        raise SquareError(400, "INVALID_CURSOR", "the cursor belongs to another query")
    return list(after)
