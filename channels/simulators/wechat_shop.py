"""The WeChat Shop API on loopback: one shop's orders, after-sales, parcels and stock, kept in memory.

Plays the calls of ``wechat_shop_fields.json`` and ``/cgi-bin/token``. Refusals come as ``errcode`` with HTTP 200. A
fresh access token leaves the one before it alive for five minutes. Not verified against the live platform: the codes
of a bad window or cursor, that both ends of a window belong to it, and the order of a list (oldest change first).
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import itemgetter
from typing import Any

import httpx

from channels.simulators import wechat_shop_gate as gate
from channels.simulators import wechat_shop_shop as shop
from channels.simulators.server import Faults, LoopbackServer, Request, Response
from channels.simulators.signed import control, written
from channels.simulators.wechat_shop_gate import BAD_PARAMETER, ShopError

TOKEN_LIFE = 7200
OLD_TOKEN_LIFE = 300
LARGEST_PAGE = 100
LONGEST_WINDOW = 7 * 86_400
make_order = shop.make_order


class Platform:
    """One shop on the platform. Thread-safe; the clock can be replaced."""

    path = ""

    def __init__(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        calls_per_second: int | None = None,
        token_seconds: int = TOKEN_LIFE,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        usual = {"appid": "wxappid0001", "secret": "wxsecret", "token": "tok123"}
        aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
        self.credentials = dict(credentials or {**usual, "encoding_aes_key": aes_key, "access_token": "token-0"})
        self.options: dict[str, Any] = {}
        self.calls_per_second = calls_per_second
        self.token_seconds = token_seconds  # how long an access token lives
        self.faults = faults or Faults()
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.shop = shop.Shop()
        self.tokens = {"token-0": self._seconds() + token_seconds}  # when each dies
        self._second = (0, 0)  # which second, and how many calls it has had
        self._numbers = count(1)
        self._lock = threading.RLock()

    # -- what a test, the demo or a benchmark does with the shop ---------------------------------

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this platform."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def add_order(self, order: Mapping[str, Any]) -> str:
        """Take an order in the platform's shape (the same id again replaces it); raises ``ValueError``."""
        for name in ("order_id", "status", "update_time", "order_detail"):
            if name not in order:
                raise ValueError(f"an order needs {name}")
        with self._lock:
            self.shop.orders[order["order_id"]] = deepcopy(dict(order))
            return str(order["order_id"])

    def change_order(self, order_id: str, **fields: Any) -> None:
        """Change fields of an order as the platform would: it is updated now; raises ``ShopError``."""
        with self._lock:
            self.shop.order(order_id).update(fields, update_time=self._seconds())

    def close_order(self, order_id: str, *, status: int = 250) -> None:
        """Cancel an order; raises ``ShopError``."""
        with self._lock:
            self.shop.close(order_id, status=status, at=self._seconds())

    def add_refund(self, order_id: str, refund: Mapping[str, Any]) -> None:
        """Take an after-sale of an order (the same number again replaces it); raises ``ShopError``."""
        with self._lock:
            self.shop.add_refund(order_id, refund)

    def expire_tokens(self) -> None:
        """Let every access token die now."""
        with self._lock:
            self.tokens.clear()

    def order(self, order_id: str) -> dict[str, Any]:
        """Return a copy of an order as it is now; raises ``ShopError``."""
        with self._lock:
            return deepcopy(self.shop.order(order_id))

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures."""
        with self._lock:
            return self.shop.state() | {"calls": dict(self.calls)}

    def push_to(self, url: str, event: str, order_id: str, **told: Any) -> httpx.Response | None:
        """Push an event about an order to ``url``, signed and sealed; None when a fault lost it on its way."""
        if self.faults.strikes("cut"):
            return None
        times = 2 if self.faults.strikes("duplicate") else 1
        body, query = self.pushed(event, order_id, **told)
        answers = [httpx.post(url, content=body, params=query, timeout=10) for _ in range(times)]
        return answers[-1]

    def pushed(self, event: str, order_id: str, **told: Any) -> tuple[bytes, dict[str, str]]:
        """Return the body and the query of a push, the order's id a number as the platform writes it."""
        at = str(self._seconds())
        info = {"order_id": int(order_id), **told}
        message = {"ToUserName": "gh_1", "CreateTime": int(at), "MsgType": "event", "Event": event, "order_info": info}
        sealed = gate.seal(
            json.dumps(message, separators=(",", ":")).encode(),
            aes_key=self.credentials["encoding_aes_key"],
            appid=self.credentials["appid"],
        )
        nonce = f"nonce{next(self._numbers)}"
        signed = gate.signature(self.credentials["token"], at, nonce, sealed)
        query = {"timestamp": at, "nonce": nonce, "encrypt_type": "aes", "msg_signature": signed}
        return json.dumps({"ToUserName": "gh_1", "Encrypt": sealed}).encode(), query

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        if request.path.startswith("/control/"):
            return control(request, state=self.state, add=self.add_order)
        with self._lock:
            try:
                body = {"errcode": 0, "errmsg": "ok", **self._call(request)}
            except ShopError as error:
                body = {"errcode": error.code, "errmsg": f"{error.words} rid: {next(self._numbers):08x}"}
            return written(body)

    def _call(self, request: Request) -> dict[str, Any]:
        query = request.parameters()
        self.calls[request.path] += 1
        if request.path == "/cgi-bin/token":
            return self._token(query)
        if request.path not in _CALLS or request.method != "POST":
            raise ShopError(48001, "api unauthorized")
        if self.tokens.get(query.get("access_token", ""), 0) <= self._seconds():
            raise ShopError(42001 if query.get("access_token") else 40014, "access_token expired")
        self._check_rate()
        return _CALLS[request.path](self, gate.read(request.path, request.body))

    def _token(self, query: Mapping[str, str]) -> dict[str, Any]:
        if query.get("grant_type") != "client_credential":
            raise ShopError(40002, "invalid grant_type")
        if query.get("appid") != self.credentials["appid"]:
            raise ShopError(40013, "invalid appid")
        if query.get("secret") != self.credentials["secret"]:
            raise ShopError(40001, "invalid credential")
        now, token = self._seconds(), f"token-{next(self._numbers)}"
        self.tokens = {old: min(dies, now + OLD_TOKEN_LIFE) for old, dies in self.tokens.items()}
        self.tokens[token] = now + self.token_seconds
        return {"access_token": token, "expires_in": self.token_seconds}

    def _check_rate(self) -> None:
        second = self._seconds()
        calls = self._second[1] if self._second[0] == second else 0
        if self.calls_per_second is not None and calls >= self.calls_per_second:
            raise ShopError(45011, "api minute-quota reach limit, must slower")
        self._second = (second, calls + 1)

    def _seconds(self) -> int:
        return int(self.clock().timestamp())

    # -- the calls -------------------------------------------------------------------------------

    def _orders(self, asked: dict[str, Any]) -> dict[str, Any]:
        window = asked.get("update_time_range") or asked.get("create_time_range")
        if window is None or not 1 <= asked["page_size"] <= LARGEST_PAGE:
            raise ShopError(BAD_PARAMETER, "page_size or time range")
        if not 0 <= window["end_time"] - window["start_time"] <= LONGEST_WINDOW:
            raise ShopError(BAD_PARAMETER, "time range is over 7 days")
        name = "update_time" if "update_time_range" in asked else "create_time"
        rows = [
            row
            for row in self.shop.orders.values()
            if window["start_time"] <= row[name] <= window["end_time"] and asked.get("status") in (None, row["status"])
        ]
        return self._page(rows, asked, (name, "order_id"), asked["page_size"], "order_id_list")

    def _refunds(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = "update" if "begin_update_time" in asked else "create"
        start, end = asked.get(f"begin_{name}_time"), asked.get(f"end_{name}_time")
        if start is None or end is None or not 0 <= end - start <= timedelta(days=1).total_seconds():
            raise ShopError(BAD_PARAMETER, "time range")
        rows = [row for row in self.shop.refunds.values() if start <= row[f"{name}_time"] <= end]
        keys = (f"{name}_time", "after_sale_order_id")
        return self._page(rows, asked, keys, LARGEST_PAGE, "after_sale_order_id_list")

    def _page(
        self, rows: Iterable[dict[str, Any]], asked: Mapping[str, Any], keys: tuple[str, str], size: int, name: str
    ) -> dict[str, Any]:
        """Return the rows behind the cursor, oldest change first, and the cursor of the last one."""
        behind = _cursor(asked.get("next_key", ""))
        places = sorted((((row[keys[0]], str(row[keys[1]])), row) for row in rows), key=itemgetter(0))
        left = [(place, row) for place, row in places if place > behind]
        page = left[:size]
        ids = [place[1] for place, _ in page]
        if ids and self.faults.strikes("duplicate"):
            ids.append(ids[0])
        if page and self.faults.strikes("move"):
            page[0][1][keys[0]] = self._seconds()
        end = page[-1][0] if page else behind
        return {name: ids, "has_more": len(left) > size, "next_key": f"{end[0]}:{end[1]}"}

    def _order(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"order": self.shop.order(asked["order_id"])}

    def _refund(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["after_sale_order_id"] not in self.shop.refunds:
            raise ShopError(100002, "售后单不存在")
        return {"after_sale_order": self.shop.refunds[asked["after_sale_order_id"]]}

    def _ship(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.shop.ship(asked, at=self._seconds())
        return {}

    def _couriers(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"company_list": [{"delivery_id": word, "delivery_name": name} for word, name in shop.COURIERS.items()]}

    def _set_stock(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.shop.set_stock(asked)
        return {}

    def _stock(self, asked: dict[str, Any]) -> dict[str, Any]:
        quantity = self.shop.stock.get((asked["product_id"], asked["sku_id"]), 0)
        return {"data": {"normal_stock_num": quantity, "total_stock_num": quantity}}


_CALLS: dict[str, Callable[[Platform, dict[str, Any]], dict[str, Any]]] = {
    "/channels/ec/order/list/get": Platform._orders,
    "/channels/ec/order/get": Platform._order,
    "/channels/ec/order/delivery/send": Platform._ship,
    "/channels/ec/order/deliverycompanylist/get": Platform._couriers,
    "/channels/ec/aftersale/getaftersalelist": Platform._refunds,
    "/channels/ec/aftersale/getaftersaleorder": Platform._refund,
    "/channels/ec/product/stock/update": Platform._set_stock,
    "/channels/ec/product/stock/get": Platform._stock,
}


def _cursor(text: str) -> tuple[int, str]:
    moment, _, number = text.partition(":")
    try:
        return (int(moment), number) if text else (-1, "")
    except ValueError as error:
        raise ShopError(BAD_PARAMETER, "next_key") from error
