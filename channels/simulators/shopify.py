"""Shopify's Admin API on loopback: one shop's orders, fulfillment orders, products and stock, kept in memory.

REST: ``orders``, ``orders/{id}``, ``orders/{id}/fulfillment_orders``, ``products``, ``shop``. GraphQL: ``nodes`` of
orders, ``fulfillmentCreate``, ``inventorySetQuantities``. Not verified against the live platform: that both ends of a
window belong to it, and that a list is sorted by number, newest first.
"""

import hmac
import json
import re
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from channels.simulators import shopify_gate as gate
from channels.simulators import shopify_shop as shop
from channels.simulators.server import Faults, LoopbackServer, Request, Response
from channels.simulators.shopify_gate import ShopifyError
from channels.simulators.signed import control
from channels.simulators.webhooks import Event, Webhooks

_PATH = re.compile(r"/admin/api/\d{4}-\d{2}/(.+)\.json")
_ORDER = re.compile(r"orders/(\d+)(/fulfillment_orders)?")
make_order = shop.make_order


class Platform:
    """One shop on the platform. Thread-safe; the clock can be replaced."""

    path = ""

    def __init__(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        calls_at_once: int | None = None,
        points_at_once: int | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.credentials = dict(credentials or {"access_token": "shpat_demo", "webhook_secret": "hush"})
        self.options = {"location_id": str(shop.LOCATION)}
        self.rest_bucket = gate.Bucket(calls_at_once, 2.0)
        self.query_bucket = gate.Bucket(points_at_once, 100.0)
        self.faults = faults or Faults()
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.shop = shop.Shop()
        self.webhooks = Webhooks(self.faults, self._signature)
        self._answers: dict[str, list[dict[str, Any]]] = {}  # by idempotency key
        self._lock = threading.RLock()

    # -- what a test, the demo or a benchmark does with the shop ---------------------------------

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this platform; its ``url`` is the shop's address."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def add_order(self, order: Mapping[str, Any], locations: Mapping[int, int] | None = None) -> int:
        """Take an order in Shopify's shape and return its number; raises ``ValueError``."""
        with self._lock:
            is_new = int(order.get("id", 0)) not in self.shop.orders
            number = self.shop.put(order, locations)
            self._tell("orders/create" if is_new else "orders/updated", self.shop.orders[number])
            return number

    def change_order(self, number: int, **fields: Any) -> None:
        """Change fields of an order as the platform would: ``updated_at`` becomes now; raises ``KeyError``."""
        with self._lock:
            self.shop.orders[number].update(fields, updated_at=self._now())
            self._tell("orders/updated", self.shop.orders[number])

    def close_order(self, number: int) -> None:
        """Cancel an order, its money given back or never taken; raises ``KeyError``."""
        paid = self.shop.orders[number]["financial_status"] == "paid"
        status = "refunded" if paid else "voided"
        self.change_order(number, cancelled_at=self._now(), cancel_reason="customer", financial_status=status)

    def hold_order(self, number: int, status: str = "ON_HOLD") -> None:
        """Put an order's fulfillment on hold (or ``SCHEDULED``), or release it with an empty status."""
        with self._lock:
            self.shop.holds.pop(number, None)
            if status:
                self.shop.holds[number] = status
        self.change_order(number)

    def add_refund(
        self,
        number: int,
        lines: Mapping[int, int],
        amount: str,
        *,
        status: str = "success",
        restock: str = "no_restock",
    ) -> int:
        """Refund units of lines (by line id) and return the refund's number; raises ``KeyError``."""
        order = self.shop.orders[number]
        refund_id = number * 1000 + len(order.setdefault("refunds", [])) + 1
        refund = {
            "id": refund_id,
            "order_id": number,
            "created_at": self._now(),
            "processed_at": self._now(),
            "note": "",
            "refund_line_items": [
                {"line_item_id": line, "quantity": quantity, "restock_type": restock}
                for line, quantity in lines.items()
            ],
            "transactions": [{"kind": "refund", "status": status, "amount": amount, "currency": order["currency"]}],
        }
        with self._lock:
            self._tell("refunds/create", refund)
            self.change_order(number, refunds=[*order["refunds"], refund], financial_status="partially_refunded")
        return refund_id

    def add_product(self, number: int, title: str, variants: Sequence[Mapping[str, Any]]) -> None:
        """List a product; each variant's ``inventory_item_id`` is stocked at the shop's location."""
        with self._lock:
            rows = [dict(variant) for variant in variants]
            self.shop.products[number] = {"id": number, "title": title, "status": "active", "variants": rows}
            for row in rows:
                self.shop.stock[row["inventory_item_id"], shop.LOCATION] = row.get("inventory_quantity", 0)

    def order(self, number: int) -> dict[str, Any]:
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

    def _tell(self, topic: str, body: Mapping[str, Any]) -> None:
        names = {"Topic": topic, "Webhook-Id": str(uuid4()), "Event-Id": str(uuid4()), "Triggered-At": self._now()}
        headers = {f"X-Shopify-{name}": value for name, value in names.items()}
        self.webhooks.add(Event(json.dumps(body).encode(), headers))

    def _signature(self, url: str, event: Event) -> dict[str, str]:
        digest = hmac.digest(self.credentials["webhook_secret"].encode(), event.body, "sha256")
        return {"X-Shopify-Hmac-Sha256": b64encode(digest).decode()}

    def _now(self) -> str:
        return self.clock().isoformat(timespec="seconds")

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        if request.path.startswith("/control/"):
            return control(request, state=self.state, add=self.add_order)
        with self._lock:
            try:
                gate.check_token(request.headers, self.credentials["access_token"])
                return self._route(request)
            except ShopifyError as error:
                return _json({"errors": error.errors}, error.status, error.headers)
            except (KeyError, TypeError) as error:
                return _json({"errors": [{"message": f"Variable is missing or of another type: {error}"}]})

    def _route(self, request: Request) -> Response:
        found = _PATH.fullmatch(request.path)
        name = found[1] if found else ""
        if name == "graphql" and request.method == "POST":
            return self._graphql(request)
        if not self.rest_bucket.take(1, self.clock()):
            raise ShopifyError(429, "Exceeded 2 calls per second for api client.", {"Retry-After": "2.0"})
        self.calls[name] += 1
        given = request.parameters()
        if name == "orders":
            rows = [row for row in self.shop.orders.values() if _is_wanted(row, given)]
            return self._page("orders", rows, given, gate.check_parameters(given, gate.ORDER_PARAMETERS), request)
        if name == "products":
            size = gate.check_parameters(given, gate.PRODUCT_PARAMETERS)
            return self._page("products", self.shop.products.values(), given, size, request)
        if name == "shop":
            return _json({"shop": {"id": 1, "name": "Demo shop", "currency": "CNY"}}, headers=self._limit())
        return self._one(name, given)

    def _one(self, name: str, given: Mapping[str, str]) -> Response:
        found = _ORDER.fullmatch(name)
        number = int(found[1]) if found else 0
        if number not in self.shop.orders:
            raise ShopifyError(404, "Not Found")
        if found and found[2]:
            rows = [row for row in self.shop.fulfillment_orders.values() if row["order_id"] == number]
            status = {"ON_HOLD": "on_hold", "SCHEDULED": "scheduled"}.get(self.shop.holds.get(number, ""))
            shown = [{**row, "status": status or row["status"]} for row in rows]
            return _json({"fulfillment_orders": shown}, headers=self._limit())
        return _json({"order": _select(self.shop.orders[number], given)}, headers=self._limit())

    def _page(
        self, name: str, rows: Iterable[dict[str, Any]], given: Mapping[str, str], size: int, request: Request
    ) -> Response:
        """Answer with the rows behind a cursor; it holds the filter with which the list began."""
        cursor = gate.read_cursor(given["page_info"]) if "page_info" in given else {"asked": dict(given)}
        if "page_info" in given and name == "orders":
            rows = [row for row in rows if _is_wanted(row, cursor["asked"])]
        after = cursor.get("after")
        left = sorted((row for row in rows if after is None or row["id"] < after), key=lambda row: -row["id"])
        page = left[:size]
        headers = self._limit()
        if len(left) > size:
            page_info = gate.write_cursor({"asked": cursor["asked"], "after": page[-1]["id"]})
            link = f"http://{request.headers.get('host', '')}{request.path}?page_info={page_info}&limit={size}"
            headers["Link"] = f'<{link}>; rel="next"'
        shown = [_select(row, given) for row in page]
        if shown and self.faults.strikes("duplicate"):
            shown.append(shown[0])
        if page and self.faults.strikes("move"):
            page[0]["updated_at"] = self._now()
        return _json({name: shown}, headers=headers)

    def _limit(self) -> dict[str, str]:
        size = self.rest_bucket.size
        return {} if size is None else {"X-Shopify-Shop-Api-Call-Limit": f"{int(self.rest_bucket.used)}/{size}"}

    # -- GraphQL ---------------------------------------------------------------------------------

    def _graphql(self, request: Request) -> Response:
        name, variables, key = gate.read_operation(request.body)
        points = gate.COSTS[name] * (len(variables["ids"]) if name == "nodes" else 1)
        if not self.query_bucket.take(points, self.clock()):
            return self._throttled(points)
        self.calls[name] += 1
        if name == "nodes":
            return _json({"data": {"nodes": [self._node(gid) for gid in variables["ids"]]}})
        if name == "fulfillmentCreate":
            number, errors = self.shop.fulfill(variables["fulfillment"], at=self._now())
            made = {"id": f"gid://shopify/Fulfillment/{number}"} if number else None
            return _json({"data": {name: {"fulfillment": made, "userErrors": errors}}})
        return _json({"data": {name: {"userErrors": self._set_stock(variables["input"], key)}}})

    def _node(self, gid: str) -> dict[str, Any] | None:
        number = gate.number_of(gid, "Order")
        if number not in self.shop.orders:
            return None
        return {"id": gid, "displayFulfillmentStatus": self.shop.display_status(number)}

    def _set_stock(self, asked: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        if not key:
            raise ShopifyError(200, [{"message": "The @idempotent directive is required for this mutation."}])
        if asked["name"] not in {"available", "on_hand"} or not asked["reason"]:
            return [{"field": ["input", "name"], "message": "The quantity name is invalid."}]
        if key not in self._answers:
            self._answers[key] = self.shop.set_stock(asked["quantities"])
        return self._answers[key]

    def _throttled(self, points: int) -> Response:
        size = self.query_bucket.size or 0
        status = {
            "maximumAvailable": size,
            "currentlyAvailable": int(size - self.query_bucket.used),
            "restoreRate": self.query_bucket.leak,
        }
        cost = {"requestedQueryCost": points, "actualQueryCost": None, "throttleStatus": status}
        errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        return _json({"errors": errors, "extensions": {"cost": cost}})


def _is_wanted(order: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    """Return whether an order passes the filters; those who name none see open orders only."""
    if "page_info" in given:
        return True
    if "ids" in given and str(order["id"]) not in given["ids"].split(","):
        return False
    status = given.get("status", "open")
    has_ended = bool(order.get("cancelled_at") or order.get("closed_at"))
    if (status == "open" and has_ended) or (status == "cancelled" and not order.get("cancelled_at")):
        return False
    return gate.window(given)(order["updated_at"])


def _select(row: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    names = given.get("fields", "").split(",") if given.get("fields") else list(row)
    return {name: deepcopy(row[name]) for name in names if name in row}


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(value).encode(), status, headers=dict(headers or {}))
