"""The Youzan cloud on loopback: one shop's orders, refunds, parcels and stock, kept in memory.

Plays the calls of ``youzan_fields.json`` and ``/auth/token``. Not verified against the live platform: how lists are
sorted (newest change first), the codes of a refused argument, and the shape of a parcel in ``delivery_order``.
"""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from channels.simulators import youzan_gate as gate
from channels.simulators import youzan_orders
from channels.simulators.server import Request
from channels.simulators.signed import SignedPlatform, newest_first, read_time, write_time

LARGEST_PAGE = 100
LONGEST_WINDOW = timedelta(days=92)  # three calendar months
MOST_REFUNDS = 3_000
TOKEN_SECONDS = 7 * 86_400
COURIERS = {"1", "2", "3", "4", "7", "11", "138"}
TO_SHIP, SHIPPED, CLOSED = "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_CLOSED"
FULL, DELTA = 0, 1
make_order = youzan_orders.make_order


class Platform(SignedPlatform):
    """One shop on the platform. Thread-safe; the clock can be replaced."""

    usual: ClassVar[Mapping[str, str]] = {
        "client_id": "yzclient",
        "client_secret": "yzsecret",
        "grant_id": "55",
        "access_token": "access-0",
    }
    number_field = "tid"

    def add_order(self, order: Mapping[str, Any]) -> str:
        """Take an order in the platform's shape (the same tid again replaces it); raises ``ValueError``."""
        try:
            tid, updated = str(order["order_info"]["tid"]), order["order_info"]["update_time"]
        except (KeyError, TypeError) as error:
            raise ValueError("an order needs order_info with tid and update_time") from error
        read_time(updated)
        with self.lock:
            self.orders[tid] = deepcopy(dict(order))
            return tid

    def change_order(self, number: int | str, **fields: Any) -> None:
        """Change fields of an order's head as the platform would: it is modified now; raises ``KeyError``."""
        with self.lock:
            self.orders[str(number)]["order_info"].update(fields)
            self.touch(self.orders[str(number)])

    def close_order(self, number: int | str, *, close_type: int = 1) -> None:
        """Close an order; raises ``KeyError``."""
        self.change_order(number, status=CLOSED, close_type=close_type)

    def add_refund(self, refund: Mapping[str, Any]) -> None:
        """Take a refund of an order in the platform's shape (the same number again replaces it)."""
        with self.lock:
            self.refunds[refund["refund_id"]] = deepcopy(dict(refund))

    def push_to(self, url: str, kind: str, tid: int | str) -> httpx.Response | None:
        """Push a message about an order to ``url``, signed; None when a fault lost it on its way."""
        if self.faults.strikes("cut"):
            return None
        body = json.dumps(self.pushed(kind, tid)).encode()
        times = 2 if self.faults.strikes("duplicate") else 1
        headers = {"Content-Type": "application/json"}
        return [httpx.post(url, content=body, headers=headers, timeout=10) for _ in range(times)][-1]

    def pushed(self, kind: str, tid: int | str) -> dict[str, Any]:
        """Return what is pushed about an order; raises ``KeyError``."""
        info = self.order(tid)["order_info"]
        message = {name: info[name] for name in ("tid", "status", "update_time")}
        version = int(read_time(info["update_time"]).timestamp())
        return gate.push(message, kind=kind, credentials=self.credentials, version=version)

    # -- the wire --------------------------------------------------------------------------------

    def touch(self, order: dict[str, Any]) -> None:
        """Let an order be modified now."""
        order["order_info"]["update_time"] = write_time(self.clock())

    def status_of(self, order: Mapping[str, Any]) -> Any:
        """Return an order's status."""
        return order["order_info"]["status"]

    def call(self, request: Request) -> dict[str, Any] | None:
        """Answer a call of the gateway; raises ``Refused``."""
        if request.path == "/auth/token":
            return self._hand_out(request.body)
        api = request.path.removeprefix("/api/")
        if api not in _CALLS:
            raise gate.gateway(gate.NO_SUCH_CALL, "api not found")
        token = request.parameters().get("access_token", "")
        if not token:
            raise gate.gateway(gate.NO_TOKEN, "access_token is missing")
        if not self.token_is_known(token) or not self.token_is_alive():
            raise gate.gateway(gate.DEAD_TOKEN, "access_token is invalid or expired")
        if self.is_too_fast():
            raise gate.gateway(gate.TOO_MANY, "too many calls")
        asked = gate.read(api, request.body)
        self.calls[api] += 1
        return {
            "trace_id": "t1",
            "success": True,
            "code": 200,
            "message": "successful",
            "data": _CALLS[api](self, asked),
        }

    def _hand_out(self, body: bytes) -> dict[str, Any]:
        given = json.loads(body)
        names = ("client_id", "client_secret", "grant_id")
        if given.get("authorize_type") != "silent" or any(given.get(name) != self.credentials[name] for name in names):
            raise gate.refused(10000, "客户端认证失败")
        life = self.clock() + timedelta(seconds=self.token_seconds or TOKEN_SECONDS)
        data = {**self.fresh_tokens(), "expires": int(life.timestamp() * 1000), "authority_id": given["grant_id"]}
        return {"success": True, "code": 200, "message": "successful", "data": data}

    # -- the calls -------------------------------------------------------------------------------

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        number, size = _page_of(asked)
        if number > 100:
            raise gate.refused(gate.BAD_ARGUMENT, "page_no")
        rows = [order for order in self.orders.values() if _is_asked_for(order["order_info"], asked)]
        rows.sort(key=lambda order: (order["order_info"]["update_time"], order["order_info"]["tid"]), reverse=True)
        page = self.page(rows, number=number, size=size)
        return {"total_results": len(rows), "full_order_info_list": [{"full_order_info": row} for row in page]}

    def _get(self, asked: dict[str, Any]) -> dict[str, Any]:
        tid = asked["tid"]
        refunds = [{"refund_id": number} for number, refund in self.refunds.items() if refund["tid"] == tid]
        parcels = [parcel for parcel in self.parcels if parcel["tid"] == tid]
        told = [{"dists": [{"express_info": {"express_no": parcel["out_sid"]}}]} for parcel in parcels]
        return {"full_order_info": self._order(tid), "delivery_order": told, "refund_order": refunds}

    def _search_refunds(self, asked: dict[str, Any]) -> dict[str, Any]:
        number, size = _page_of(asked)
        if number * size > MOST_REFUNDS:
            raise gate.refused(gate.BAD_ARGUMENT, "page_no * page_size")
        start, end = asked.get("update_time_start", 0), asked.get("update_time_end", 2**40)
        rows = [each for each in self.refunds.values() if start <= read_time(each["modified"]).timestamp() <= end]
        rows = newest_first(rows, "modified", "refund_id")
        page = rows[(number - 1) * size : number * size]
        return {"total": len(rows), "refunds": [{name: row[name] for name in ("refund_id", "tid")} for row in page]}

    def _refund(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["refund_id"] not in self.refunds:
            raise gate.refused(101_000_002, "退款单不存在")
        return self.refunds[asked["refund_id"]]

    def _ship(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self._order(asked["tid"])
        if asked["is_no_express"] == 0 and (asked.get("out_stype") not in COURIERS or not asked.get("out_sid")):
            raise gate.refused(105_000_003, "运单号错误")
        told = {oid for parcel in self.parcels if parcel["tid"] == asked["tid"] for oid in parcel["oids"]}
        left = {line["oid"] for line in order["orders"]} - told
        oids = set(asked["oids"].split(",")) if asked.get("oids") else left
        if order["order_info"]["status"] != TO_SHIP or not oids or not oids <= left:
            raise gate.refused(105_000_001, "订单不能发货")
        parcel = {name: asked.get(name, "") for name in ("tid", "out_stype", "out_sid")}
        self.parcels.append({**parcel, "oids": sorted(oids)})
        if oids == left:
            order["order_info"].update(status=SHIPPED, consign_time=write_time(self.clock()))
        self.touch(order)
        return {"is_success": True}

    def _set_stock(self, asked: dict[str, Any]) -> dict[str, Any]:
        kind = asked.get("type", FULL)
        if kind not in (FULL, DELTA) or (kind == FULL and asked["quantity"] < 0):
            raise gate.refused(gate.BAD_ARGUMENT, "type or quantity")
        number = str(asked.get("sku_id") or asked["item_id"])
        self.stock[number] = (self.stock.get(number, 0) if kind == DELTA else 0) + asked["quantity"]
        return {"is_success": True}

    def _set_branch_stock(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["type"] != FULL or not asked["stock_num_str"].isdigit():
            raise gate.refused(123_000_104, "不支持的库存更新类型")
        if str(asked["kdt_id"]) == self.credentials["grant_id"]:
            raise gate.refused(234_000_003, "商品不存在")
        self.stock[f"{asked['kdt_id']}/{asked.get('sku_id') or asked['item_id']}"] = int(asked["stock_num_str"])
        return {"is_success": True}

    def _order(self, tid: str) -> dict[str, Any]:
        if tid not in self.orders:
            raise gate.refused(105_000_016, "订单不存在")
        return self.orders[tid]


_CALLS: dict[str, Callable[[Platform, dict[str, Any]], dict[str, Any]]] = {
    "youzan.trades.sold.get/4.0.4": Platform._list,
    "youzan.trade.get/4.0.2": Platform._get,
    "youzan.trade.refund.search/3.0.1": Platform._search_refunds,
    "youzan.trade.refund.get/3.0.1": Platform._refund,
    "youzan.logistics.online.confirm/3.0.0": Platform._ship,
    "youzan.item.quantity.update/3.0.0": Platform._set_stock,
    "youzan.item.quantity.update/4.0.0": Platform._set_branch_stock,
}


def _page_of(asked: Mapping[str, Any]) -> tuple[int, int]:
    number, size = asked.get("page_no", 1), asked.get("page_size", 20)
    if number < 1 or not 1 <= size <= LARGEST_PAGE:
        raise gate.refused(gate.BAD_ARGUMENT, "page_no or page_size")
    return number, size


def _is_asked_for(info: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    for name, field in (("created", "created"), ("update", "update_time")):
        start, end = asked.get(f"start_{name}"), asked.get(f"end_{name}")
        if bool(start) != bool(end):
            raise gate.refused(gate.BAD_ARGUMENT, f"start_{name} and end_{name} go together")
        if start and end:
            if not timedelta(0) < read_time(end) - read_time(start) <= LONGEST_WINDOW:
                raise gate.refused(gate.BAD_ARGUMENT, f"end_{name} is more than three months after start_{name}")
            if not start <= info[field] <= end:
                return False
    return all(asked.get(name) in (None, "", info[name]) for name in ("status", "tid"))
