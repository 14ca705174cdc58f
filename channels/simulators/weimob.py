"""Weimob's open cloud on loopback: one shop's orders, after-sales, parcels and stock, kept in memory.

Plays the token and the calls of ``weimob_fields.json``. Not verified against the live platform: that a list is sorted
by its last change, newest first, that both ends of a window belong to it, ``LONGEST_WINDOW``, ``LARGEST_PAGE`` and the
numbers of ``queryTime.type``.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from channels.simulators import weimob_gate as gate
from channels.simulators.server import Request
from channels.simulators.signed import RECEIVER, Line, SignedPlatform, item_number
from channels.simulators.webhooks import Event, Webhooks
from channels.simulators.weimob_gate import refused

LARGEST_PAGE = 100
LONGEST_WINDOW = timedelta(days=1)
TIMES = {1: "createTime", 2: "updateTime", 3: "payTime"}
TO_SHIP = {3, 4}
OVERWRITE, INCREMENT = 0, 1
TOKEN = "/fuwu/b/oauth2/token"
Row = dict[str, Any]


class Platform(SignedPlatform):
    """One shop on the platform. An order is what a list shows: ``orderInfo`` with all its parts."""

    usual = {"client_id": "wmclient", "client_secret": "wmsecret", "shop_id": "600001", "access_token": "access-0"}
    needed = ("orderInfo",)

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.options = {"vid": 6000000001}
        self.webhooks = Webhooks(self.faults, lambda url, event: {})

    # -- what a test, the demo or a benchmark does with the shop ---------------------------------

    def add_order(self, order: Mapping[str, Any]) -> str:
        """Take an order in Weimob's shape (the same number again replaces it); raises ``ValueError``."""
        try:
            base = order["orderInfo"]["orderBaseInfo"]
            number, _ = int(base["orderNo"]), (base["orderStatus"], base["createTime"], base["updateTime"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"an order needs {error}") from error
        with self.lock:
            is_new = str(number) not in self.orders
            self.orders[str(number)] = {"fulfillOrderList": [], "rightsInfos": [], **deepcopy(dict(order))}
            self._tell(str(number), "create" if is_new else "update")
        return str(number)

    def change_order(self, number: int | str, **fields: Any) -> None:
        """Change fields of an order's ``orderBaseInfo`` as the platform would; raises ``KeyError``."""
        with self.lock:
            _base(self.orders[str(number)]).update(fields)
            self.touch(self.orders[str(number)])
            self._tell(str(number), "statusUpdate")

    def close_order(self, number: int | str) -> None:
        """Cancel an order; raises ``KeyError``."""
        self.orders[str(number)]["orderInfo"]["cancelInfo"] = {"cancelType": 1, "reason": "不想要了"}
        self.change_order(number, orderStatus=9)

    def add_refund(self, number: int | str, lines: Mapping[int, int], amount: str, **head: Any) -> int:
        """Let the buyer ask for money back for units of lines (by ``itemId``); returns the after-sale's number."""
        with self.lock:
            rights_id, at = 500_000 + next(self.numbers), self._now()
            told = {"rightsId": rights_id, "createTime": at, "updateTime": at, "rightsStatus": 1, "rightsType": 2}
            self.refunds[str(rights_id)] = {
                "rightsOrder": {**told, "refundType": 1, "currency": "CNY", **head},
                "originOrder": {"orderNo": int(number)},
                "rightsItems": [{"orderItemId": line, "applyNum": str(units)} for line, units in lines.items()],
                "rightsReason": {"rightsReason": "尺码不合适"},
                "refundDetail": {"applyAmount": amount, "refundAmount": "0.00"},
            }
            shown = {"orderNo": int(number), "rightsId": rights_id, "rightsStatus": 1}
            self.orders[str(number)]["rightsInfos"].append(shown)
            self._tell_rights(rights_id, "create")
        return rights_id

    def change_refund(self, rights_id: int, **fields: Any) -> None:
        """Change an after-sale as the platform would; done (6) means that what was asked for is paid back."""
        with self.lock:
            rights = self.refunds[str(rights_id)]
            rights["rightsOrder"].update(fields, updateTime=self._now())
            if rights["rightsOrder"]["rightsStatus"] == 6:
                rights["refundDetail"]["refundAmount"] = rights["refundDetail"]["applyAmount"]
            self._tell_rights(rights_id, "statusUpdate")

    def push_to(self, url: str) -> list[int]:
        """Post the pushes that wait and return the HTTP statuses; those without 2xx wait for the next time."""
        return self.webhooks.post_to(url)

    def _tell(self, number: str, event: str) -> None:
        base = _base(self.orders[number])
        names = ("orderNo", "orderStatus", "deliveryType", "orderType", "createTime", "updateTime")
        self._push("weimob_shop.order", event, {name: base[name] for name in names if name in base})

    def _tell_rights(self, rights_id: int, event: str) -> None:
        rights = self.refunds[str(rights_id)]
        told = {"rightsId": rights_id, "orderNo": rights["originOrder"]["orderNo"]}
        self._push("weimob_shop.rights", event, told | {"status": rights["rightsOrder"]["rightsStatus"]})

    def _push(self, topic: str, event: str, message: Row) -> None:
        body = gate.push(900_000 + next(self.numbers), topic, event, message, self.credentials)
        self.webhooks.add(Event(body))

    def _now(self) -> int:
        return milliseconds(self.clock())

    # -- the wire --------------------------------------------------------------------------------

    def call(self, request: Request) -> Row | None:
        """Answer a call; raises ``Refused``."""
        given = request.parameters()
        if request.path == TOKEN:
            return self._grant(given)
        path = request.path.removeprefix(gate.PREFIX)
        if path == request.path or path not in _CALLS:
            raise refused(gate.NO_SUCH_CALL, path)
        if not self.token_is_known(given.get("accesstoken", "")):
            raise refused(gate.NO_TOKEN, "no such accesstoken")
        if not self.token_is_alive():
            raise refused(gate.EXPIRED, "accesstoken has expired")
        if self.is_too_fast():
            raise refused(gate.TOO_MANY, "too many calls")
        asked = gate.read(path, request.body)
        self.calls[path] += 1
        data = _CALLS[path](self, asked)
        return {"code": {"errcode": "0", "errmsg": "success"}, "globalTicket": "g-1", "data": data}

    def _grant(self, given: Mapping[str, str]) -> Row:
        ours = {name: self.credentials[name] for name in ("client_id", "client_secret", "shop_id")}
        wanted = {"grant_type": "client_credentials", "shop_type": "business_operation_system_id", **ours}
        if any(given.get(name) != value for name, value in wanted.items()):
            return {"error": "invalid_client", "error_description": "client authentication failed"}
        return {**self.fresh_tokens(), "token_type": "bearer", "expires_in": 7200, "business_id": ours["shop_id"]}

    def touch(self, order: Row) -> None:
        """Let an order, or an after-sale, be modified now."""
        (order["rightsOrder"] if "rightsOrder" in order else _base(order))["updateTime"] = self._now()

    def status_of(self, order: Mapping[str, Any]) -> Any:
        """Return the order's status."""
        return _base(order)["orderStatus"]

    # -- the calls -------------------------------------------------------------------------------

    def _orders(self, asked: Row) -> Row:
        return self._listed(asked, list(self.orders.values()), _base)

    def _rights(self, asked: Row) -> Row:
        return self._listed(asked, list(self.refunds.values()), lambda row: row["rightsOrder"])

    def _listed(self, asked: Row, rows: list[Row], times: Callable[[Row], Row]) -> Row:
        size, number = asked["pageSize"], asked["pageNum"]
        if not 1 <= size <= LARGEST_PAGE or number < 1:
            raise refused(gate.BAD_ARGUMENT, "pageSize or pageNum")
        span = (asked.get("queryParameter") or {}).get("queryTime") or {}
        name = TIMES.get(span.get("type", 1))
        start, end = span.get("startTime", 0), span.get("endTime", 0)
        if name is None or not 0 <= end - start <= LONGEST_WINDOW / timedelta(milliseconds=1):
            raise refused(gate.BAD_ARGUMENT, "queryTime")
        wanted = [row for row in rows if start <= times(row).get(name, -1) <= end]
        wanted.sort(key=lambda row: times(row)[name], reverse=True)
        page = self.page(wanted, number=number, size=size)
        return {"pageList": page, "pageNum": number, "pageSize": size, "totalCount": len(wanted)}

    def _detail(self, asked: Row) -> Row:
        order = deepcopy(self._one(asked["orderNo"]))
        return {
            "orderInfo": order["orderInfo"],
            "rightsInfos": order["rightsInfos"],
            "fulfillInfoList": order["fulfillOrderList"],
        }

    def _rights_detail(self, asked: Row) -> Row:
        if str(asked["rightsId"]) not in self.refunds:
            raise refused(gate.BUSINESS, "维权单不存在")
        return {"rightsInfo": deepcopy(self.refunds[str(asked["rightsId"])])}

    def _ship(self, asked: Row) -> Row:
        order, logistics = self._one(asked["orderNo"]), asked["logistics"]
        if _base(order)["orderStatus"] not in TO_SHIP:
            raise refused(gate.BUSINESS, "订单状态不允许发货")
        if not logistics.get("deliveryNo") or not logistics.get("deliveryCompanyCode"):
            raise refused(gate.BAD_ARGUMENT, "logistics")
        left = self._left(order)
        items = {row["orderItemId"]: row["skuNum"] for row in asked.get("fulfillItems") or []} or dict(left)
        if any(not 0 < units <= left.get(line, 0) for line, units in items.items()):
            raise refused(gate.BUSINESS, "商品已发货或不存在")
        if items != {line: units for line, units in left.items() if units} and not asked.get("isSplitPackage"):
            raise refused(gate.BUSINESS, "请选择拆单发货")
        parcel = {
            "fulfillNo": next(self.numbers),
            "orderNo": asked["orderNo"],
            "deliveryInfo": {"number": logistics["deliveryNo"], "companyCode": logistics["deliveryCompanyCode"]},
            "fulfillItemList": [{"orderItemId": line, "deliveryNum": str(units)} for line, units in items.items()],
            "deliveryTime": self._now(),
        }
        order["fulfillOrderList"].append(parcel)
        self.parcels.append(deepcopy(parcel))
        order["orderInfo"].setdefault("orderFulfill", {}).setdefault("deliveryTime", self._now())
        self.change_order(asked["orderNo"], orderStatus=4 if any(self._left(order).values()) else 5)
        return {"success": True}

    def _left(self, order: Row) -> dict[int, int]:
        left = {row["itemId"]: int(row["skuNum"]) for row in order["orderInfo"]["items"]}
        for parcel in order["fulfillOrderList"]:
            for row in parcel["fulfillItemList"]:
                left[row["orderItemId"]] -= int(row["deliveryNum"])
        return left

    def _stock(self, asked: Row) -> Row:
        failed = []
        for goods in asked["goodsList"]:
            for sku in goods["skuList"]:
                number, units = str(sku["skuId"]), sku["stockNum"]
                if (self.listed and number not in self.listed) or units < 0:
                    row = {"goodsId": goods["goodsId"], "skuIdSet": [sku["skuId"]], "message": "商品不存在或库存有误"}
                    failed.append(row)
                else:
                    before = self.stock.get(number, 0) if asked["quantityEditType"] == INCREMENT else 0
                    self.stock[number] = before + units
        return {"failList": failed}

    def _one(self, number: int) -> Row:
        if str(number) not in self.orders:
            raise refused(gate.BUSINESS, "订单不存在")
        return self.orders[str(number)]


_CALLS: dict[str, Callable[[Platform, Row], Row]] = {
    "order/list/search": Platform._orders,
    "order/detail/get": Platform._detail,
    "rights/list/search": Platform._rights,
    "rights/detail/get": Platform._rights_detail,
    "fulfill/logistics/update": Platform._ship,
    "stock/update": Platform._stock,
}


def _base(order: Mapping[str, Any]) -> Row:
    base: Row = order["orderInfo"]["orderBaseInfo"]
    return base


def milliseconds(at: datetime) -> int:
    """Return a time as epoch milliseconds."""
    return round(at.timestamp() * 1000)


def make_order(  # noqa: PLR0913 - one signature for every platform
    number: int,
    lines: Sequence[Line],
    *,
    placed_at: datetime,
    paid_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    status: int | None = None,
    receiver: Mapping[str, str] | None = None,
) -> Row:
    """Make an order as the list shows it; ``status`` is its ``orderStatus``."""
    to = {**RECEIVER, **(receiver or {})}
    total = sum((price * quantity for _, _, quantity, price in lines), Decimal(0))
    base: Row = {
        "orderNo": number,
        "parentOrderNo": 0,
        "orderStatus": status if status is not None else 9 if cancelled_at else 3 if paid_at else 0,
        "payStatus": 2 if paid_at else 0,
        "payType": 1,
        "createTime": milliseconds(placed_at),
        "updateTime": milliseconds(max(filter(None, (placed_at, paid_at, cancelled_at)))),
        "deliveryType": 1,
        "orderType": 1,
    }
    if paid_at:
        base["payTime"] = milliseconds(paid_at)
    place = {"province": to["province"], "city": to["city"], "county": to["district"], "area": "", "zip": ""}
    who = {"name": to["name"], "phone": to["phone"], "address": to["line"]}
    items = [_item(number * 100 + place, *line) for place, line in enumerate(lines, start=1)]
    return {
        "orderInfo": {
            "orderBaseInfo": base,
            "items": items,
            "payInfo": _amounts(total, total if paid_at else Decimal(0)),
            "orderFulfill": {"receiverInfo": place | who, "fulfillStatus": 0},
            "buyerInfo": {"wid": 70_000_000 + number, "userNickName": "微**", "buyerRemark": ""},
            "flagInfo": {"flagRank": 0, "flagContent": ""},
        },
        "fulfillOrderList": [],
        "rightsInfos": [],
    }


def _item(number: int, sku_code: str, title: str, quantity: int, price: Decimal) -> Row:
    return {
        "itemId": number,
        "goodsId": item_number(sku_code) + 10**10,
        "goodsTitle": title,
        "skuId": item_number(sku_code),
        "skuCode": sku_code,
        "skuNum": str(quantity),
        "salePrice": f"{price:.2f}",
        "payInfo": _amounts(price * quantity, price * quantity),
    }


def _amounts(total: Decimal, paid: Decimal) -> Row:
    told = {"totalAmount": total, "totalDiscountAmount": Decimal(0), "shouldPayAmount": total, "payAmount": paid}
    return {name: f"{amount:.2f}" for name, amount in told.items()}
