"""A warehouse behind the Qimen router, on loopback: it takes parcels, stops them, and calls us about them.

Plays the calls of ``qimen_fields.json`` at ``path`` and makes those of a warehouse: ``deliveryorder.confirm``,
``orderprocess.report``, ``inventory.report``. Warehouses differ in what they say to an order code they know already:
``repeats_fail`` decides (not verified which is usual).
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from channels.simulators import qimen_gate as gate
from channels.simulators.qimen_gate import RouterRefused, WarehouseRefused
from channels.simulators.server import Faults, LoopbackServer, Request, Response
from channels.simulators.signed import write_time

OPTIONS = {
    "owner_code": "OWN1",
    "shop_nick": "demo旗舰店",
    "logistics_code": "SF",
    "sender": {"name": "仓库", "phone": "13900000000", "province": "浙江省", "city": "杭州市", "line": "仓前路 2 号"},
}
OPEN, SENT, STOPPED = "ACCEPT", "DELIVERED", "CANCELED"
Package = tuple[str, str, Mapping[str, int]]  # carrier, tracking number, quantity by item


class Platform:
    """One warehouse and its router. Thread-safe; the clock can be replaced."""

    path = "/router/qimen/service"

    def __init__(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        calls_per_second: int | None = None,
        repeats_fail: bool = False,
        faults: Faults | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        usual = {"app_key": "qmapp", "secret": "qmsecret", "customer_id": "C001"}
        self.credentials = dict(credentials or usual)
        self.options: dict[str, Any] = deepcopy(OPTIONS)
        self.calls_per_second = calls_per_second
        self.repeats_fail = repeats_fail
        self.faults = faults or Faults()
        self.clock = clock
        self.calls: Counter[str] = Counter()
        self.orders: dict[str, dict[str, Any]] = {}
        self.stock: dict[str, int] = {}
        self._second = (0, 0)  # which second, and how many calls it has had
        self._numbers = count(1)
        self._lock = threading.RLock()

    # -- what a test, the demo or a benchmark does with the warehouse ----------------------------

    def serve(self, *, port: int = 0) -> LoopbackServer:
        """Return a server that plays this warehouse; ``url + path`` is the router."""
        return LoopbackServer(self.answer, port=port, faults=self.faults)

    def order(self, code: str) -> dict[str, Any]:
        """Return a copy of an order as it is now; raises ``KeyError``."""
        with self._lock:
            return deepcopy(self.orders[code])

    def state(self) -> dict[str, Any]:
        """Return counts and the orders' statuses."""
        with self._lock:
            statuses = {code: order["status"] for code, order in self.orders.items()}
            return {"orders": len(statuses), "status": statuses, "stock": dict(self.stock), "calls": dict(self.calls)}

    def report_to(self, url: str, code: str, status: str, **told: Any) -> httpx.Response | None:
        """Report a step of an order's work; None when a fault lost the call on its way."""
        process = {"processStatus": status, "operateTime": write_time(self.clock()), **told}
        order = {"orderCode": code, "orderType": "JYCK", "warehouseCode": "WH1"}
        return self.push_to(url, "orderprocess.report", {"order": order, "process": process})

    def confirm_to(
        self, url: str, code: str, packages: Sequence[Package], *, status: str = SENT, is_partial: bool = False
    ) -> httpx.Response | None:
        """Confirm an order with its packages; None when a fault lost the call on its way."""
        with self._lock:
            if code in self.orders:
                self.orders[code]["status"] = status
            number = next(self._numbers)
        head = {
            "deliveryOrderCode": code,
            "warehouseCode": "WH1",
            "orderType": "JYCK",
            "status": status,
            "outBizCode": f"B{number}",
            "confirmType": int(is_partial),
            "operateTime": write_time(self.clock()),
        }
        return self.push_to(url, "deliveryorder.confirm", {"deliveryOrder": head, "packages": _packages(packages)})

    def report_stock_to(self, url: str, differences: Mapping[str, int]) -> httpx.Response | None:
        """Report differences of stock after a count; None when a fault lost the call on its way."""
        items = [{"itemCode": code, "quantity": quantity} for code, quantity in differences.items()]
        head = {"totalPage": 1, "currentPage": 1, "pageSize": len(items), "warehouseCode": "WH1", "ownerCode": "OWN1"}
        told = {**head, "checkOrderCode": "CK1", "outBizCode": f"B{next(self._numbers)}", "adjustType": "CHECK"}
        return self.push_to(url, "inventory.report", {**told, "items": {"item": items}})

    def push_to(self, url: str, method: str, request: Mapping[str, Any]) -> httpx.Response | None:
        """Call ``url`` through the router, signed; None when a fault lost the call on its way."""
        if self.faults.strikes("cut"):
            return None
        query, body = self.pushed(method, request)
        times = 2 if self.faults.strikes("duplicate") else 1
        headers = {"Content-Type": "text/xml;charset=utf-8"}
        return [httpx.post(url, params=query, content=body, headers=headers, timeout=10) for _ in range(times)][-1]

    def pushed(self, method: str, request: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Return the query and the body of a call, as the router forwards it."""
        body = gate.written("request", request)
        query = {
            "method": method,
            "timestamp": write_time(self.clock()),
            "format": "xml",
            "app_key": "wmsapp",
            "v": "2.0",
            "sign_method": "md5",
            "customerId": self.credentials["customer_id"],
        }
        return {**query, "sign": gate.signature(query, body, self.credentials["secret"])}, body

    # -- the wire --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Answer one HTTP request; refusals come with HTTP 200."""
        if request.path.startswith("/control/"):
            return self._control(request)
        if request.path != self.path or request.method != "POST":
            return Response(b"Not Found", 404, "text/plain")
        with self._lock:
            try:
                return gate.answered(
                    "response", {"flag": "success", "code": "0", "message": "ok", **self._call(request)}
                )
            except RouterRefused as refused:
                return gate.answered("error_response", refused.body)
            except WarehouseRefused as refused:
                return gate.answered("response", refused.body)

    def _control(self, request: Request) -> Response:
        if request.method == "GET" and request.path == "/control/state":
            return Response(json.dumps(self.state(), ensure_ascii=False).encode())
        if request.method != "POST" or request.path != "/control/confirmations":
            return Response(b'{"error": "not_found"}', 404)
        told = json.loads(request.body)
        answer = self.confirm_to(
            told["url"], told["number"], [(told["carrier"], told["tracking_number"], told["items"])]
        )
        return Response(json.dumps({"status": answer.status_code if answer else 0}).encode())

    def _call(self, request: Request) -> dict[str, Any]:
        query = request.parameters()
        method = gate.check(query, request.body, credentials=self.credentials, at=self.clock())
        self._check_rate()
        self.calls[method] += 1
        return _CALLS[method](self, gate.read(method, request.body))

    def _check_rate(self) -> None:
        second = int(self.clock().timestamp())
        calls = self._second[1] if self._second[0] == second else 0
        if self.calls_per_second is not None and calls >= self.calls_per_second:
            raise RouterRefused(7, "App Call Limited", "accesscontrol.limited-by-app-access-count")
        self._second = (second, calls + 1)

    # -- the calls -------------------------------------------------------------------------------

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        head, lines = asked.get("deliveryOrder"), asked.get("orderLines")
        if not head or not lines:
            raise WarehouseRefused("deliveryOrder or orderLines is missing")
        code = head["deliveryOrderCode"]
        if code in self.orders and self.repeats_fail:
            raise WarehouseRefused(f"单据号重复: {code}", "E02")
        if code not in self.orders:
            number = f"WMS{next(self._numbers):06}"
            self.orders[code] = {"id": number, "status": OPEN, "times": 0, "head": head, "lines": lines}
        order = self.orders[code]
        order["times"] += 1
        return {"deliveryOrderId": order["id"], "createTime": write_time(self.clock())}

    def _cancel(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.orders.get(asked["orderCode"])
        if order is None:
            raise WarehouseRefused("单据不存在", "E03")
        if order["status"] == SENT:
            raise WarehouseRefused("单据已发货，无法取消", "E04")
        if order["status"] == STOPPED and self.repeats_fail:
            raise WarehouseRefused("单据已取消", "E05")
        order.update(status=STOPPED, reason=asked.get("cancelReason", ""))
        return {}

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        items = [
            {"itemCode": row["itemCode"], "inventoryType": "ZP", "quantity": self.stock[row["itemCode"]]}
            for row in asked.get("criteriaList", [])
            if row["itemCode"] in self.stock
        ]
        return {"items": {"item": items}}


_CALLS: dict[str, Callable[[Platform, dict[str, Any]], dict[str, Any]]] = {
    "deliveryorder.create": Platform._create,
    "order.cancel": Platform._cancel,
    "inventory.query": Platform._query,
}


def _packages(packages: Sequence[Package]) -> dict[str, Any]:
    rows = []
    for carrier, number, items in packages:
        inside = [{"itemCode": code, "quantity": quantity} for code, quantity in items.items()]
        rows.append({"logisticsCode": carrier, "expressCode": number, "items": {"item": inside}})
    return {"package": rows}
