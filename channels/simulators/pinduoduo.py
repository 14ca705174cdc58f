"""Pinduoduo's open platform on loopback: one shop's orders, parcels and stock, kept in memory.

Plays ``/api/router`` for the calls of ``pinduoduo_fields.json``. Refusals come as ``error_response`` with HTTP 200. The
list of changes is ready ``lag_seconds`` late, as on the platform. Not verified against the live platform: what a row of
the list holds beside its number, that both ends of a window belong to it, and the words of a refused shipment or item.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from channels.simulators import pinduoduo_gate as gate
from channels.simulators.pinduoduo_gate import BUSINESS, PARAMETER, refused
from channels.simulators.server import Request
from channels.simulators.signed import GMT8, RECEIVER, Line, SignedPlatform, item_number, newest_first, write_time

LONGEST_WINDOW = 30 * 60  # seconds
LARGEST_PAGE = 100
ALL = 5
TO_SHIP, SHIPPED, DONE = 1, 2, 3
REFUNDED = 4
TOKEN_CALLS = ("pdd.pop.auth.token.create", "pdd.pop.auth.token.refresh")
CARRIERS = {44, 115, 85, 121, 1, 118, 120}


def make_order(  # noqa: PLR0913 - one signature for the makers of all platforms
    number: int | str,
    lines: Sequence[Line],
    *,
    placed_at: datetime,
    paid_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    status: int | None = None,
    receiver: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make an order as the platform shows it, from plain values. ``receiver`` uses the house's names.

    An unpaid order is not seen on this platform: one without ``paid_at`` is a group buy that is still forming.
    """
    total = sum((line[3] * line[2] for line in lines), Decimal(0))
    confirmed = write_time(paid_at) if paid_at else ""
    return {
        "order_sn": str(number),
        "order_status": status or TO_SHIP,
        "confirm_status": 2 if cancelled_at else 1 if paid_at else 0,
        "group_status": 1 if paid_at else 0,
        "refund_status": REFUNDED if cancelled_at and paid_at else 1,
        "after_sales_status": 10 if cancelled_at and paid_at else 0,
        "risk_control_status": 0,
        "trade_type": 0,
        "is_lucky_flag": 1,
        "created_time": write_time(placed_at),
        "confirm_time": confirmed,
        "pay_time": write_time(paid_at or placed_at),
        "updated_at": write_time(cancelled_at or paid_at or placed_at),
        "last_ship_time": write_time(paid_at + timedelta(days=2)) if paid_at else "",
        "shipping_time": "",
        "goods_amount": float(total),
        "discount_amount": 0,
        "postage": 0,
        "pay_amount": float(total),
        **_receiver({**RECEIVER, **(receiver or {})}),
        "logistics_id": 0,
        "tracking_number": "",
        "remark": "",
        "buyer_memo": "",
        "gift_list": [],
        "order_tag_list": [{"name": "ship_hold", "value": 0}],
        "item_list": [_item(line) for line in lines],
    }


def _item(line: Line) -> dict[str, Any]:
    sku_code, title, quantity, unit_price = line
    return {
        "goods_id": item_number(sku_code.split("-")[0]),
        "sku_id": item_number(sku_code),
        "outer_goods_id": sku_code.split("-")[0],
        "outer_id": sku_code,
        "goods_name": title,
        "goods_price": float(unit_price),
        "goods_count": quantity,
    }


def _receiver(receiver: Mapping[str, str]) -> dict[str, str]:
    return {
        "receiver_name": "~AgAAA~",
        "receiver_phone": "$AgAAB$",
        "receiver_address": "~AgAAC~",
        "receiver_name_mask": receiver["name"],
        "receiver_phone_mask": receiver["phone"],
        "receiver_address_mask": receiver["line"],
        "province": receiver["province"],
        "city": receiver["city"],
        "town": receiver["district"],
    }


class Platform(SignedPlatform):
    """One shop on Pinduoduo."""

    path = "/api/router"
    usual = {
        "client_id": "pddclient",
        "client_secret": "pddsecret",
        "access_token": "access-0",
        "refresh_token": "refresh-0",
    }
    number_field = "order_sn"
    needed = ("order_status", "updated_at", "item_list")

    def __init__(self, *, lag_seconds: int = 0, **given: Any) -> None:
        super().__init__(**given)
        self.lag_seconds = lag_seconds
        self.options["lag_seconds"] = lag_seconds

    def close_order(self, number: int | str) -> None:
        """Refund an order now, which cancels it as long as it has not shipped; raises ``KeyError``."""
        self.change_order(number, refund_status=REFUNDED, after_sales_status=10)

    def touch(self, order: dict[str, Any]) -> None:
        """Let an order be modified now."""
        order["updated_at"] = write_time(self.clock())

    def status_of(self, order: Mapping[str, Any]) -> Any:
        """Return an order's status number."""
        return order["order_status"]

    # -- the wire --------------------------------------------------------------------------------

    def call(self, request: Request) -> dict[str, Any] | None:
        """Answer a call of the gateway; raises ``Refused``."""
        if request.path != self.path:
            return None
        given, credentials = gate.merged(request), self.credentials
        secret = credentials["client_secret"]
        method = gate.check(given, client_id=credentials["client_id"], secret=secret, at=self.clock())
        if method not in TOKEN_CALLS:
            self._check_token(given.get("access_token", ""))
        if self.is_too_fast():
            raise refused(gate.LIMITED)
        asked = gate.read_arguments(method, given)
        self.calls[method] += 1
        name, answer = _CALLS[method]
        return {name: {**answer(self, asked), "request_id": f"1544{next(self.numbers):013d}"}}

    def _check_token(self, token: str) -> None:
        if not self.token_is_known(token):
            raise refused(gate.MISMATCH)
        if not self.token_is_alive():
            raise refused(gate.TOKEN)

    # -- the calls -------------------------------------------------------------------------------

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        start, end = asked["start_updated_at"], asked["end_updated_at"]
        if not 0 <= end - start <= LONGEST_WINDOW:
            raise refused(PARAMETER, "end_updated_at")
        size, number = asked.get("page_size", LARGEST_PAGE), asked.get("page", 1)
        if not 1 <= size <= LARGEST_PAGE or number < 1:
            raise refused(PARAMETER, "page_size")
        ready = min(end, int(self.clock().timestamp()) - self.lag_seconds)
        first, last = (write_time(datetime.fromtimestamp(second, GMT8)) for second in (start, ready))
        rows = [row for row in self.orders.values() if first <= row["updated_at"] <= last and _is_asked_for(row, asked)]
        page = self.page(newest_first(rows, "updated_at", "order_sn"), number=number, size=size)
        shown = [{"order_sn": row["order_sn"], "updated_at": row["updated_at"]} for row in page]
        if asked.get("use_has_next"):
            return {"has_next": len(rows) > number * size, "order_sn_list": shown}
        return {"total_count": len(rows), "order_sn_list": shown}

    def _information(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"order_info": deepcopy(self._order(asked["order_sn"]))}

    def _ship(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self._order(asked["order_sn"])
        if asked["logistics_id"] not in CARRIERS:
            raise refused(PARAMETER, "logistics_id")
        wanted = TO_SHIP if asked.get("redelivery_type", 1) == 1 else SHIPPED
        if order["order_status"] != wanted or order["refund_status"] != 1 or order["risk_control_status"]:
            raise refused(BUSINESS, "订单状态不允许发货")
        parcel = {"logistics_id": asked["logistics_id"], "tracking_number": asked["tracking_number"]}
        now = write_time(self.clock())
        order.update(parcel, order_status=SHIPPED, shipping_time=order["shipping_time"] or now, updated_at=now)
        self.parcels.append({"order_sn": order["order_sn"], **parcel})
        return {"is_success": True}

    def _set_stock(self, asked: dict[str, Any]) -> dict[str, Any]:
        by_code = {code: number for number, code in self.listed.items()}
        number = str(asked.get("sku_id") or by_code.get(asked.get("outer_id", "")) or "")
        if not number or (self.listed and number not in self.listed):
            raise refused(BUSINESS, "商品规格不存在")
        before = self.stock.get(number, 0) if asked.get("update_type", 1) == 2 else 0
        if before + asked["quantity"] < 0:
            raise refused(PARAMETER, "quantity")
        self.stock[number] = before + asked["quantity"]
        return {"is_success": True}

    def _tokens(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "refresh_token" in asked and asked["refresh_token"] != self.credentials["refresh_token"]:
            raise refused(gate.TOKEN, "refresh_token")
        owner = {"owner_id": "123", "owner_name": "演示店"}
        return {**self.fresh_tokens(), "expires_in": self.token_seconds or 31_536_000, **owner}

    def _order(self, number: str) -> dict[str, Any]:
        if number not in self.orders:
            raise refused(BUSINESS, "订单不存在")
        return self.orders[number]


_CALLS: dict[str, tuple[str, Callable[[Platform, dict[str, Any]], dict[str, Any]]]] = {
    "pdd.order.number.list.increment.get": ("order_sn_increment_get_response", Platform._list),
    "pdd.order.information.get": ("order_info_get_response", Platform._information),
    "pdd.logistics.online.send": ("logistics_online_send_response", Platform._ship),
    "pdd.goods.quantity.update": ("goods_quantity_update_response", Platform._set_stock),
    "pdd.pop.auth.token.create": ("pop_auth_token_create_response", Platform._tokens),
    "pdd.pop.auth.token.refresh": ("pop_auth_token_refresh_response", Platform._tokens),
}


def _is_asked_for(order: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    lucky = {0: (1, 2), 1: (1,), 2: (2,)}.get(asked["is_lucky_flag"], ())
    wanted = [asked[name] in (ALL, order[name]) for name in ("order_status", "refund_status")]
    return all(wanted) and order.get("is_lucky_flag", 1) in lucky
