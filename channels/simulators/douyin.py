"""The Douyin open platform on loopback: one shop's orders, after-sales, parcels and stock, kept in memory.

Plays the calls of ``douyin_fields.json``. Refusals come as a code with HTTP 200. Events wait until ``push_to`` posts
them, signed; one that is not answered as the platform wants is posted again. Not verified against the live platform:
``OLDEST`` (how long orders can be listed), that the cap of the after-sale list is also the order list's, that both ends
of a window belong to it, and that a ``request_id`` which comes again is answered as before.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any

from channels.simulators import douyin_gate as gate
from channels.simulators import douyin_shop as shop
from channels.simulators.douyin_gate import BAD, invalid, refused
from channels.simulators.server import Request
from channels.simulators.signed import Refused, SignedPlatform, newest_first
from channels.simulators.webhooks import Event, Webhooks

TOKEN_CALLS = ("token.create", "token.refresh")
OLDEST = timedelta(days=90)
DEEPEST = 50_000
LARGEST_PAGE = 100
CREATED, PAID, SHIPPED, CANCELLED, REFUND = "100", "101", "102", "106", "200"
make_order = shop.make_order
make_refund = shop.make_refund


class Platform(SignedPlatform):
    """One shop on Douyin."""

    usual = {
        "app_key": "7000000000000000001",
        "app_secret": "4ccdeed5-1111-2222-3333-444455556666",
        "access_token": "access-0",
        "refresh_token": "refresh-0",
    }
    needed = ("order_status", "update_time", "sku_order_list")

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.webhooks = Webhooks(self.faults, self._sign)
        self._packs: dict[str, str] = {}  # request_id → pack_id
        self._changes: set[str] = set()  # idempotent_id of stock changes

    def add_order(self, order: Mapping[str, Any]) -> str:
        """Take an order in the platform's shape and tell of it; raises ``ValueError``: its number is digits."""
        int(order.get(self.number_field, 0))
        number = super().add_order(order)
        self.tell(PAID if order.get("pay_time") else CREATED, number)
        return number

    def close_order(self, number: int | str) -> None:
        """Cancel an order and its lines now, and tell of it; raises ``KeyError``."""
        with self.lock:
            for row in self.orders[str(number)]["sku_order_list"]:
                row["order_status"] = shop.CANCELLED
            self.change_order(number, order_status=shop.CANCELLED, finish_time=self._seconds())
        self.tell(CANCELLED, str(number))

    def add_refund(self, refund: Mapping[str, Any]) -> str:
        """Take an after-sale as ``afterSale/List`` shows it (the same id again replaces it) and tell of it."""
        with self.lock:
            number = str(refund["aftersale_info"]["aftersale_id"])
            self.refunds[number] = deepcopy(dict(refund))
        self.tell(REFUND, str(refund["order_info"]["shop_order_id"]))
        return number

    def tell(self, tag: str, number: str) -> None:
        """Let an event about an order wait for ``push_to``."""
        data = json.dumps({"p_id": int(number), "shop_id": 1234}, separators=(",", ":"))
        event = {"tag": tag, "msg_id": f"70001112223334{next(self.numbers):05d}", "data": data}
        self.webhooks.add(Event(json.dumps([event], separators=(",", ":")).encode()))

    def push_to(self, url: str) -> list[int]:
        """Post what waits and return the HTTP statuses; what is not answered with 2xx is posted again next time."""
        return self.webhooks.post_to(url)

    def _sign(self, url: str, event: Event) -> dict[str, str]:
        key, secret = self.credentials["app_key"], self.credentials["app_secret"]
        signature = hashlib.md5(key.encode() + event.body + secret.encode()).hexdigest()
        return {"app-id": key, "event-sign": signature}

    def touch(self, order: dict[str, Any]) -> None:
        """Let an order or an after-sale be modified now."""
        order.get("aftersale_info", order)["update_time"] = self._seconds()

    def status_of(self, order: Mapping[str, Any]) -> Any:
        """Return an order's status number."""
        return order["order_status"]

    # -- the wire --------------------------------------------------------------------------------

    def call(self, request: Request) -> dict[str, Any] | None:
        """Answer a call of the gateway; raises ``Refused``."""
        try:
            result = self._call(request)
        except Refused as error:
            raise Refused(self._envelope(request, error.body)) from error
        return self._envelope(request, {"code": 10000, "msg": "success", "sub_code": "", "sub_msg": "", "data": result})

    def _envelope(self, request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        shown = {**body, "log_id": f"20261123{next(self.numbers):012d}"}
        if request.headers.get("x-open-no-old-err-code") != "1":
            shown |= {"err_no": 0 if body["code"] == 10000 else body["code"], "message": body["msg"]}
        return shown

    def _call(self, request: Request) -> Any:
        given, key, secret = request.parameters(), self.credentials["app_key"], self.credentials["app_secret"]
        method = gate.check(request, given, app_key=key, secret=secret, at=self.clock())
        if method not in TOKEN_CALLS:
            self._check_token(given.get("access_token", ""))
        if self.is_too_fast():
            raise refused(60000, "isp.call-limited", "访问过于频繁")
        asked = gate.read_arguments(method, request.body)
        self.calls[method] += 1
        return _CALLS[method](self, asked)

    def _check_token(self, token: str) -> None:
        if not self.token_is_known(token):
            raise refused(50001, "isv.access-token-no-existed", "access_token")
        if not self.token_is_alive():
            raise refused(BAD, "isv.access-token-expired", "access_token")

    # -- the calls -------------------------------------------------------------------------------

    def _search(self, asked: dict[str, Any]) -> dict[str, Any]:
        number, size = _page_of(asked)
        by_update = "update_time_start" in asked or "update_time_end" in asked
        if by_update and asked.get("order_by") != "update_time":
            raise invalid("order_by")
        sort = asked.get("order_by", "create_time")
        oldest = self._seconds() - int(OLDEST.total_seconds())
        rows = [row for row in self.orders.values() if row["create_time"] >= oldest and _is_asked_for(row, asked)]
        rows = newest_first(rows, sort, "order_id")
        if asked.get("order_asc"):
            rows.reverse()
        shown = self.page(rows, number=number, size=size)
        return {"page": asked["page"], "size": size, "total": len(rows), "shop_order_list": shown}

    def _detail(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"shop_order_detail": deepcopy(self._order(asked["shop_order_id"]))}

    def _aftersales(self, asked: dict[str, Any]) -> dict[str, Any]:
        number, size = _page_of(asked)
        if "update_start_time" in asked and asked.get("order_by") != ["update_time asc"]:
            raise invalid("order_by")
        start, end = asked.get("update_start_time", 0), asked.get("update_end_time", 2**63)
        rows = [row for row in self.refunds.values() if start <= row["aftersale_info"]["update_time"] <= end]
        if "order_id" in asked:
            rows = [row for row in rows if row["order_info"]["shop_order_id"] == asked["order_id"]]
        rows.sort(key=lambda row: (row["aftersale_info"]["update_time"], row["aftersale_info"]["aftersale_id"]))
        shown = self.page(rows, number=number, size=size)
        more = len(rows) > number * size
        return {"page": asked["page"], "size": size, "total": len(rows), "has_more": more, "items": shown}

    def _ship(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["request_id"] not in self._packs:
            order, pack_id = self._order(asked["order_id_list"]), f"pack{next(self.numbers)}"
            shop.ship(order, asked, pack_id=pack_id, at=self._seconds())
            self._packs[asked["request_id"]] = pack_id
            self.parcels.append({name: asked[name] for name in ("order_id_list", "logistics_code", "company_code")})
            self.tell(SHIPPED, order["order_id"])
        return {"pack_id": self._packs[asked["request_id"]]}

    def _set_stock(self, asked: dict[str, Any]) -> dict[str, Any]:
        by_code = {code: number for number, code in self.listed.items()}
        number = str(asked.get("sku_id") or by_code.get(asked.get("code", "")) or "")
        if not number or (self.listed and number not in self.listed):
            raise refused(50002, "isv.business-failed:20001", "商品不存在")
        before = 0
        if asked.get("incremental"):
            if not asked.get("idempotent_id"):
                raise refused(gate.MISSING, "isv.parameter-missing", "idempotent_id")
            if asked["idempotent_id"] in self._changes:
                raise refused(BAD, "isv.idempotent-id-existed", "idempotent_id")
            before = self.stock.get(number, 0)
        if before + asked["stock_num"] < 0:
            raise invalid("stock_num")
        self._changes.add(asked.get("idempotent_id", ""))
        self.stock[number] = before + asked["stock_num"]
        return {}

    def _carriers(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"id": place, "name": code, "code": code} for place, code in enumerate(sorted(shop.CARRIERS), 1)]

    def _tokens(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "refresh_token" in asked and asked["refresh_token"] != self.credentials["refresh_token"]:
            raise refused(50001, "isv.refresh-token-no-existed", "refresh_token")
        life = self.token_seconds or 604_800
        return {**self.fresh_tokens(), "expires_in": life, "scope": "SCOPE", "shop_id": 1234, "shop_name": "演示店"}

    def _order(self, number: str) -> dict[str, Any]:
        if number not in self.orders:
            raise refused(50002, "isv.business-failed:10000", "订单不存在")
        return self.orders[number]

    def _seconds(self) -> int:
        return int(self.clock().timestamp())


_CALLS: dict[str, Callable[[Platform, dict[str, Any]], Any]] = {
    "order.searchList": Platform._search,
    "order.orderDetail": Platform._detail,
    "afterSale.List": Platform._aftersales,
    "order.logisticsAddSinglePack": Platform._ship,
    "sku.syncStock": Platform._set_stock,
    "order.logisticsCompanyList": Platform._carriers,
    "token.create": Platform._tokens,
    "token.refresh": Platform._tokens,
}


def _page_of(asked: Mapping[str, Any]) -> tuple[int, int]:
    """Return the page's number from 1 and its size; the platform counts from 0."""
    if not 1 <= asked["size"] <= LARGEST_PAGE:
        raise invalid("size")
    if asked["page"] < 0 or (asked["page"] + 1) * asked["size"] > DEEPEST:
        raise invalid("page")
    return asked["page"] + 1, asked["size"]


def _is_asked_for(order: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return all(
        asked.get(f"{name}_start", 0) <= order[name] <= asked.get(f"{name}_end", 2**63)
        for name in ("create_time", "update_time")
    )
