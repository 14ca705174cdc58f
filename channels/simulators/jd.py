"""JD's open platform on loopback: one shop's orders, parcels and stock, kept in memory.

Plays ``/routerjson`` for the calls of ``jd_fields.json`` and the address where tokens are renewed. The gateway refuses
with an ``error_response``, a call with ``success: false`` inside its result; both come with HTTP 200. Not verified
against the live platform: how a list is sorted, the numbers of refused calls (``REFUSED``), the names of the results of
a shipment and a stock figure, and the address of the renewal.
"""

import calendar
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from typing import Any

from channels.simulators import jd_gate as gate
from channels.simulators.jd_gate import PARAMETER, refused
from channels.simulators.server import Request
from channels.simulators.signed import (
    RECEIVER,
    Line,
    SignedPlatform,
    item_number,
    newest_first,
    write_time,
)

STATES = {
    "NOT_PAY",
    "WAIT_SELLER_STOCK_OUT",
    "WAIT_SELLER_DELIVERY",
    "WAIT_GOODS_RECEIVE_CONFIRM",
    "FINISHED_L",
    "TRADE_CANCELED",
    "LOCKED",
    "POP_ORDER_PAUSE",
    "PAUSE",
    "DELIVERY_RETURN",
}
TO_SHIP = {"WAIT_SELLER_STOCK_OUT", "WAIT_SELLER_DELIVERY"}
CARRIERS = {"467", "463", "1499", "1327", "470", "465", "2087", "1274"}
LARGEST_PAGE = 100
REFUSED = {"order": 10100038, "state": 10400001, "carrier": 10400002, "sku": 10200001}


def make_order(  # noqa: PLR0913 - one signature for the makers of all platforms
    number: int | str,
    lines: Sequence[Line],
    *,
    placed_at: datetime,
    paid_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    status: str | None = None,
    receiver: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make an order as the platform lists it, from plain values. ``receiver`` uses the house's names."""
    if status is None:
        status = "TRADE_CANCELED" if cancelled_at else "WAIT_SELLER_STOCK_OUT" if paid_at else "NOT_PAY"
    total = sum((line[3] * line[2] for line in lines), Decimal(0))
    return {
        "orderId": str(number),
        "venderId": "10001",
        "orderType": "22",
        "payType": "4-在线支付",
        "orderState": status,
        "orderTotalPrice": f"{total:.2f}",
        "orderSellerPrice": f"{total:.2f}",
        "orderPayment": f"{total:.2f}",
        "freightPrice": "0.00",
        "sellerDiscount": "0.00",
        "balanceUsed": "0.00",
        "orderStartTime": write_time(placed_at),
        "orderEndTime": write_time(cancelled_at) if cancelled_at else "",
        "paymentConfirmTime": write_time(paid_at) if paid_at else "",
        "modified": write_time(cancelled_at or paid_at or placed_at),
        "orderRemark": "",
        "venderRemark": "",
        "parentOrderId": "0",
        "waybill": "",
        "logisticsId": "",
        "consigneeInfo": _consignee({**RECEIVER, **(receiver or {})}),
        "itemInfoList": [_item(line) for line in lines],
        "couponDetailList": [],
    }


def _item(line: Line) -> dict[str, str]:
    sku_code, title, quantity, unit_price = line
    return {
        "skuId": str(item_number(sku_code)),
        "outerSkuId": sku_code,
        "wareId": str(item_number(sku_code.split("-")[0])),
        "skuName": title,
        "itemTotal": str(quantity),
        "jdPrice": f"{unit_price:.2f}",
    }


def _consignee(receiver: Mapping[str, str]) -> dict[str, str]:
    place = {"province": receiver["province"], "city": receiver["city"], "county": receiver["district"]}
    shown = {"fullname": receiver["name"], "mobile": receiver["phone"], "telephone": ""}
    return {**place, **shown, "fullAddress": "".join(place.values()) + receiver["line"]}


class Platform(SignedPlatform):
    """One shop on JD."""

    path = "/routerjson"
    usual = {
        "app_key": "JDAPPKEY",
        "app_secret": "jdsecret",
        "access_token": "access-0",
        "refresh_token": "refresh-0",
    }
    number_field = "orderId"
    needed = ("orderState", "modified", "itemInfoList")

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.options["oauth_url"] = "/"  # tokens are renewed where the gateway is

    def close_order(self, number: int | str) -> None:
        """Cancel an order now; raises ``KeyError``."""
        self.change_order(number, orderState="TRADE_CANCELED", orderEndTime=self._now())

    def touch(self, order: dict[str, Any]) -> None:
        """Let an order be modified now."""
        order["modified"] = self._now()

    def status_of(self, order: Mapping[str, Any]) -> Any:
        """Return an order's state."""
        return order["orderState"]

    # -- the wire --------------------------------------------------------------------------------

    def call(self, request: Request) -> dict[str, Any] | None:
        """Answer a call of the gateway, or of the address where tokens are renewed; raises ``Refused``."""
        given = request.parameters()
        if request.path == "/oauth2/refresh_token":
            return self._renew(given)
        if request.path != self.path:
            return None
        key, secret = self.credentials["app_key"], self.credentials["app_secret"]
        method = gate.check(given, app_key=key, secret=secret, at=self.clock())
        if not self.token_is_known(given.get("access_token", "")) or not self.token_is_alive():
            raise refused(gate.TOKEN)
        if self.is_too_fast():
            raise refused(gate.LIMITED)
        asked = gate.read_arguments(method, given["360buy_param_json"])
        self.calls[method] += 1
        envelope, result = method.replace(".", "_") + "_responce", _CALLS[method](self, asked)
        return {envelope: {"code": "0", **result}}

    def _renew(self, given: Mapping[str, str]) -> dict[str, Any]:
        known = {name: self.credentials[name] for name in ("app_key", "app_secret", "refresh_token")}
        if given.get("grant_type") != "refresh_token" or any(given.get(name) != known[name] for name in known):
            return {"code": 1002, "msg": "refresh_token is not valid"}
        self.calls["refresh_token"] += 1
        return {"code": 0, **self.fresh_tokens(), "expires_in": self.token_seconds or 31_536_000, "uid": "1"}

    # -- the calls -------------------------------------------------------------------------------

    def _search(self, asked: dict[str, Any]) -> dict[str, Any]:
        start, end = asked["start_date"], asked["end_date"]
        if not start <= end <= _a_month_after(start):
            raise refused(PARAMETER, "end_date")
        if not 1 <= asked["page_size"] <= LARGEST_PAGE or asked["page"] < 1:
            raise refused(PARAMETER, "page_size")
        wanted = set(asked["order_state"].split(","))
        if wanted != {"ALL"} and not wanted <= STATES:
            raise refused(PARAMETER, "order_state")
        name = "orderStartTime" if asked.get("dateType") == 1 else "modified"
        first, last = write_time(start), write_time(end)
        rows = [row for row in self.orders.values() if first <= row[name] <= last]
        rows = [row for row in rows if wanted == {"ALL"} or row["orderState"] in wanted]
        page = self.page(newest_first(rows, name, "orderId"), number=asked["page"], size=asked["page_size"])
        shown = [_select(row, asked["optional_fields"]) for row in page]
        result = {"apiResult": _result(), "orderTotal": len(rows), "orderInfoList": shown}
        return {"searchorderinfo_result": result}

    def _get(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.orders.get(str(asked["order_id"]))
        if order is None:
            return {"orderDetailInfo": {"apiResult": _result("order", "订单不存在")}}
        return {"orderDetailInfo": {"apiResult": _result(), "orderInfo": _select(order, asked["optional_fields"])}}

    def _ship(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.orders.get(str(asked["orderId"]))
        if order is None:
            return {"sopjosshipment_result": _result("order", "订单不存在")}
        if order["orderState"] not in TO_SHIP:
            return {"sopjosshipment_result": _result("state", f"订单状态不允许出库: {order['orderState']}")}
        if not set(asked["logiCoprId"].split("|")) <= CARRIERS:
            return {"sopjosshipment_result": _result("carrier", "物流公司不存在")}
        parcel = {"logisticsId": asked["logiCoprId"], "waybill": asked["logiNo"]}
        order.update(parcel, orderState="WAIT_GOODS_RECEIVE_CONFIRM", modified=self._now())
        self.parcels.append({"orderId": order["orderId"], **parcel})
        return {"sopjosshipment_result": _result()}

    def _set_stock(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = str(asked["skuId"])
        if asked["stockNum"] < 0:
            raise refused(PARAMETER, "stockNum")
        if self.listed and number not in self.listed:
            return _result("sku", "sku不存在")
        self.stock[number] = asked["stockNum"]
        return {"success": True}

    def _now(self) -> str:
        return write_time(self.clock())


_CALLS: dict[str, Callable[[Platform, dict[str, Any]], dict[str, Any]]] = {
    "jingdong.pop.order.enSearch": Platform._search,
    "jingdong.pop.order.search": Platform._search,
    "jingdong.pop.order.enGet": Platform._get,
    "jingdong.pop.order.get": Platform._get,
    "jingdong.pop.order.shipment": Platform._ship,
    "jingdong.ware.stock.sku.set": Platform._set_stock,
}


def _result(refusal: str = "", words: str = "") -> dict[str, Any]:
    number = str(REFUSED[refusal]) if refusal else "0"
    english = "failed" if refusal else "success"
    return {"success": not refusal, "numberCode": number, "chineseErrCode": words, "englishErrCode": english}


def _select(order: Mapping[str, Any], fields: str) -> dict[str, Any]:
    names = {name.strip() for name in fields.split(",")} | {"orderId"}
    return deepcopy({name: value for name, value in order.items() if name in names})


def _a_month_after(start: datetime) -> datetime:
    year, month = start.year + start.month // 12, start.month % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))
