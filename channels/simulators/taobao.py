"""The Taobao/Tmall open platform (TOP) on loopback: one shop's trades, parcels and stock, kept in memory.

Plays ``/router/rest`` for the calls of ``taobao_fields.json``. Refusals come as ``error_response`` with HTTP 200. Not
verified against the live platform: the ``sub_code`` words of a refused shipment or item (``REFUSED_*``), that both ends
of a window belong to it, and which types ``guarantee_trade`` covers (``TYPES``).
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from channels.simulators import taobao_gate as gate
from channels.simulators import taobao_items as items
from channels.simulators import taobao_shop as shop
from channels.simulators.server import Faults, LoopbackServer, Request, Response
from channels.simulators.taobao_gate import TopError, write_date
from channels.simulators.taobao_trades import make_order as make_order  # each platform's module has its maker

LONGEST_WINDOW = timedelta(days=1)
LARGEST_PAGE = 100
USUAL_PAGE = 40
gate.CONTRACT.update(items.ASSUMED)
USUAL_TYPES = "guarantee_trade,auto_delivery,ec,cod,step"
TYPES = {"guarantee_trade": {"fixed", "auction", "guarantee_trade"}}  # fixed price and auction are both "guaranteed"
REFUSED_TRADE = "isv.trade-not-exist"


class Platform:
    """One shop on the platform. Thread-safe; the clock can be replaced."""

    path = "/router/rest"

    def __init__(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        calls_per_second: int | None = None,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.credentials = dict(credentials or {"app_key": "12345678", "app_secret": "helloworld", "session": "test"})
        self.options: dict[str, Any] = {}
        self.calls_per_second = calls_per_second
        self.faults = faults or Faults()
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.shop = shop.Shop()
        self._second = (0, 0)  # which second, and how many calls it has had
        self._numbers = count(1)
        self._lock = threading.RLock()

    # -- what a test, the demo or a benchmark does with the shop ---------------------------------

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this platform; ``url + path`` is the gateway."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def add_trade(self, trade: Mapping[str, Any]) -> int:
        """Take a trade in TOP shape (the same tid again replaces it) and return its tid; raises ``ValueError``."""
        with self._lock:
            return self.shop.put(trade)

    def add_order(self, order: Mapping[str, Any]) -> str:
        """Take a trade as the other platforms take an order; returns its number as text."""
        return str(self.add_trade(order))

    def change_trade(self, tid: int, **fields: Any) -> None:
        """Change fields of a trade as the platform would: ``modified`` becomes now; raises ``KeyError``."""
        with self._lock:
            self.shop.trades[tid].update(fields, modified=self._now())

    def close_trade(self, tid: int) -> None:
        """Close a trade: refunded when it was paid, else given up; raises ``KeyError``."""
        with self._lock:
            self.shop.close(tid, at=self._now())

    def add_item(self, num_iid: int, sku_id: int, *, outer_id: str = "", quantity: int = 0, **shown: str) -> None:
        """List an item (``shown``: title, price, kind, barcode). While none is listed, any item's figure is taken."""
        with self._lock:
            self.shop.shown[num_iid, sku_id] = shown | {"outer_id": outer_id}
            self.shop.stock[num_iid, sku_id] = quantity
            self.shop.outer_ids[num_iid, outer_id] = sku_id
            self.shop.listed.add((num_iid, sku_id))

    def trade(self, tid: int) -> dict[str, Any]:
        """Return a copy of a trade as it is now; raises ``KeyError``."""
        with self._lock:
            return deepcopy(self.shop.trades[tid])

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures."""
        with self._lock:
            return self.shop.state() | {"calls": dict(self.calls)}

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        if request.path.startswith("/control/"):
            return self._control(request)
        if request.path != self.path:
            return Response(b"Not Found", 404, "text/plain")
        given = request.parameters()
        with self._lock:
            try:
                body = self._call(given)
            except TopError as error:
                body = {"error_response": error.body | {"request_id": self._request_id()}}
            return _json(body)

    def _control(self, request: Request) -> Response:
        if request.method == "GET" and request.path == "/control/state":
            return _json(self.state())
        if request.method == "POST" and request.path == "/control/items":
            return self._control_items(request)
        if request.method != "POST" or request.path != "/control/trades":
            return _json({"error": "not_found"}, 404)
        try:
            tids = [self.add_trade(trade) for trade in json.loads(request.body)]
        except (ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"added": len(tids)})

    def _control_items(self, request: Request) -> Response:
        try:
            told = json.loads(request.body)
            for item in told:
                self.add_item(**item)
        except (ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"added": len(told)})

    def _call(self, given: Mapping[str, str]) -> dict[str, Any]:
        credentials = self.credentials
        at = self.clock()
        gate.check_common(given, app_key=credentials["app_key"], secret=credentials["app_secret"], at=at)
        gate.check_session(given, credentials["session"])
        self._check_rate(at)
        method = given["method"]
        arguments = gate.read_arguments(given)
        self.calls[method] += 1
        result = _CALLS[method](self, arguments)
        name = method.removeprefix("taobao.").replace(".", "_") + "_response"
        return {name: result | {"request_id": self._request_id()}}

    def _check_rate(self, at: datetime) -> None:
        second = int(at.timestamp())
        calls = self._second[1] if self._second[0] == second else 0
        if self.calls_per_second is not None and calls >= self.calls_per_second:
            raise TopError(7, "accesscontrol.limited-by-app-access-count", "This ban will last for 1 more seconds")
        self._second = (second, calls + 1)

    def _request_id(self) -> str:
        return f"16k{next(self._numbers):09x}"

    def _now(self) -> str:
        return write_date(self.clock())

    # -- the calls -------------------------------------------------------------------------------

    def _increment(self, asked: dict[str, Any]) -> dict[str, Any]:
        size, number = _page_of(asked)
        if not timedelta(0) <= asked["end_modified"] - asked["start_modified"] <= LONGEST_WINDOW:
            raise gate.invalid("end_modified", "start_modified and end_modified lie at most one day apart")
        rows = sorted(_matching(self.shop.trades.values(), asked), key=_newest_first, reverse=True)
        page = rows[(number - 1) * size : number * size]
        shown = [_select(row, asked["fields"]) for row in page]
        if shown and self.faults.strikes("duplicate"):
            shown.append(shown[0])
        if page and self.faults.strikes("move"):
            page[0]["modified"] = self._now()
        if asked.get("use_has_next"):
            return {"has_next": len(rows) > number * size, "trades": {"trade": shown}}
        return {"total_results": len(rows), "trades": {"trade": shown}}

    def _fullinfo(self, asked: dict[str, Any]) -> dict[str, Any]:
        shown = _select(self._trade(asked["tid"]), asked["fields"])
        if asked.get("include_oaid") != "true":
            shown.pop("oaid", None)
        return {"trade": shown}

    def _ship(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.shop.ship(self._trade(asked["tid"]), asked, at=self._now())
        return {"shipping": {"is_success": True}}

    def _item_quantity(self, asked: dict[str, Any]) -> dict[str, Any]:
        item, sku_id = asked["num_iid"], asked.get("sku_id", 0)
        if not sku_id and "outer_id" in asked:
            sku_id = self.shop.sku_of(item, asked["outer_id"])
        self.shop.set_stock(item, {sku_id: asked["quantity"]}, kind=asked.get("type", 1))
        return self.shop.item(item, [sku_id] if sku_id else [], at=self._now())

    def _skus_quantity(self, asked: dict[str, Any]) -> dict[str, Any]:
        item = asked["num_iid"]
        figures = shop.read_figures(asked, sku_of=lambda outer_id: self.shop.sku_of(item, outer_id))
        self.shop.set_stock(item, figures, kind=asked.get("type", 1))
        return self.shop.item(item, list(figures), at=self._now())

    def _on_sale(self, asked: dict[str, Any]) -> dict[str, Any]:
        return items.on_sale(self.shop, asked)

    def _details(self, asked: dict[str, Any]) -> dict[str, Any]:
        return items.details(self.shop, asked)

    def _seller(self, asked: dict[str, Any]) -> dict[str, Any]:
        return items.seller(self.shop, asked)

    def _trade(self, tid: int) -> dict[str, Any]:
        if tid not in self.shop.trades:
            raise TopError(15, REFUSED_TRADE, "交易订单不存在")
        return self.shop.trades[tid]


_CALLS: dict[str, Callable[[Platform, dict[str, Any]], dict[str, Any]]] = {
    "taobao.trades.sold.increment.get": Platform._increment,
    "taobao.trade.fullinfo.get": Platform._fullinfo,
    "taobao.logistics.offline.send": Platform._ship,
    "taobao.item.quantity.update": Platform._item_quantity,
    "taobao.skus.quantity.update": Platform._skus_quantity,
    "taobao.items.onsale.get": Platform._on_sale,
    "taobao.items.seller.list.get": Platform._details,
    "taobao.user.seller.get": Platform._seller,
}


def _page_of(asked: Mapping[str, Any]) -> tuple[int, int]:
    size, number = asked.get("page_size", USUAL_PAGE), asked.get("page_no", 1)
    if not 1 <= size <= LARGEST_PAGE:
        raise gate.invalid("page_size", f"1 to {LARGEST_PAGE}")
    if number < 1:
        raise gate.invalid("page_no", "1 or more")
    return size, number


def _matching(trades: Iterable[dict[str, Any]], asked: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    start, end = write_date(asked["start_modified"]), write_date(asked["end_modified"])
    kinds = {kind for name in asked.get("type", USUAL_TYPES).split(",") for kind in TYPES.get(name, {name})}
    wanted = {name: asked[name] for name in ("status", "buyer_nick", "buyer_open_uid") if name in asked}
    for trade in trades:
        in_window = start <= trade["modified"] <= end and trade.get("type", "fixed") in kinds
        if in_window and all(trade.get(name) == value for name, value in wanted.items()):
            yield trade


def _newest_first(trade: Mapping[str, Any]) -> tuple[str, int]:
    return trade["modified"], trade["tid"]


def _select(trade: Mapping[str, Any], fields: str) -> dict[str, Any]:
    names = {name.strip() for name in fields.split(",")}
    shown = {name: deepcopy(value) for name, value in trade.items() if name in names}
    of_orders = {name.removeprefix("orders.") for name in names if name.startswith("orders.")}
    if of_orders and "orders" not in names:
        rows = trade.get("orders", {}).get("order", [])
        shown["orders"] = {"order": [{name: row[name] for name in row if name in of_orders} for row in rows]}
    return shown


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), status)
