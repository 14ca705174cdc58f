"""What the simulated WeChat Shop holds: orders, after-sales, parcels, stock, and the rules by which they change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zlib import crc32

from channels.simulators.wechat_shop_gate import BAD_PARAMETER, ShopError

COURIERS = {
    "SF": "顺丰速运",
    "ZTO": "中通快递",
    "YTO": "圆通速递",
    "YUNDA": "韵达速递",
    "STO": "申通快递",
    "EMS": "EMS",
    "JD": "京东物流",
}
TO_SHIP = {20, 21}
ADD, TAKE, SET = 1, 2, 3
Line = tuple[str, str, int, Decimal]  # SKU code, title, quantity, unit price


@dataclass
class Shop:
    """The rows behind one shop. Not locked: the platform does that."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    stock: dict[tuple[str, str], int] = field(default_factory=dict)

    def order(self, order_id: str) -> dict[str, Any]:
        """Return an order; raises ``ShopError``."""
        if order_id not in self.orders:
            raise ShopError(100002, "订单不存在")
        return self.orders[order_id]

    def close(self, order_id: str, *, status: int, at: int) -> None:
        """Cancel an order; raises ``ShopError``."""
        self.order(order_id).update(status=status, update_time=at)

    def add_refund(self, order_id: str, refund: Mapping[str, Any]) -> None:
        """Take an after-sale of an order, as new or in a newer state; raises ``ShopError``."""
        detail = self.order(order_id)["aftersale_detail"]
        number = str(refund["after_sale_order_id"])
        self.refunds[number] = deepcopy(dict(refund))
        if all(row["aftersale_order_id"] != number for row in detail["aftersale_order_list"]):
            detail["aftersale_order_list"].append({"aftersale_order_id": number})
        detail["on_aftersale_order_cnt"] = len(detail["aftersale_order_list"])

    def ship(self, asked: Mapping[str, Any], *, at: int) -> None:
        """Put products of an order into parcels and move its status; raises ``ShopError`` and then changes nothing."""
        order = self.order(asked["order_id"])
        if order["status"] in (30, 100):
            raise ShopError(109001, "当前订单已经发货完成，不能重复发货")
        if order["status"] not in TO_SHIP:
            raise ShopError(109000, f"订单状态不允许发货: {order['status']}")
        delivery = order["order_detail"]["delivery_info"]
        parcels = [*delivery["delivery_product_info"]]
        for parcel in asked["delivery_list"]:
            if parcel.get("delivery_id") not in COURIERS or not parcel.get("waybill_id"):
                raise ShopError(109002, "delivery_list 不合法")
            parcels.append({**deepcopy(parcel), "delivery_time": at})
        left = _left_to_ship(order, parcels)
        delivery["delivery_product_info"] = parcels
        if not left:
            delivery["ship_done_time"] = at
        order.update(status=21 if left else 30, update_time=at)

    def set_stock(self, asked: Mapping[str, Any]) -> None:
        """Set or change a figure; raises ``ShopError``."""
        key, number = (asked["product_id"], asked["sku_id"]), asked["num"]
        if asked["diff_type"] not in (ADD, TAKE, SET) or number < 0:
            raise ShopError(BAD_PARAMETER, "diff_type or num")
        before = self.stock.get(key, 0)
        after = {ADD: before + number, TAKE: before - number, SET: number}[asked["diff_type"]]
        if after < 0:
            raise ShopError(BAD_PARAMETER, "库存不足")
        self.stock[key] = after

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures as plain values."""
        parcels = [
            {"order_id": order["order_id"], **parcel}
            for order in self.orders.values()
            for parcel in order["order_detail"]["delivery_info"]["delivery_product_info"]
        ]
        return {
            "orders": len(self.orders),
            "by_status": dict(Counter(str(order["status"]) for order in self.orders.values())),
            "refunds": {number: refund["status"] for number, refund in self.refunds.items()},
            "parcels": deepcopy(parcels),
            "stock": [
                {"product_id": product_id, "sku_id": sku_id, "quantity": quantity}
                for (product_id, sku_id), quantity in sorted(self.stock.items())
            ],
        }


def _left_to_ship(order: Mapping[str, Any], parcels: Sequence[Mapping[str, Any]]) -> int:
    left: Counter[tuple[str, str]] = Counter()
    for row in order["order_detail"]["product_infos"]:
        left[row["product_id"], row["sku_id"]] += row["sku_cnt"]
    for parcel in parcels:
        for row in parcel["product_infos"]:
            left[row["product_id"], row["sku_id"]] -= row["product_cnt"]
    if any(count < 0 for count in left.values()):
        raise ShopError(109000, "发货数量超过可发货数量")
    return left.total()


def make_order(  # noqa: PLR0913 one signature for all platforms
    number: int | str,
    lines: Sequence[Line],
    *,
    placed_at: datetime,
    paid_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    status: int | None = None,
    receiver: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make an order as the platform shows it, from plain values. ``receiver`` uses the house's names."""
    products = [_product(*line) for line in lines]
    total = sum(row["real_price"] for row in products)
    updated = max(moment for moment in (placed_at, paid_at, cancelled_at) if moment)
    usual = 250 if cancelled_at else 20 if paid_at else 10
    return {
        "order_id": str(number),
        "openid": f"o{crc32(str(number).encode()):08x}",
        "status": usual if status is None else status,
        "create_time": int(placed_at.timestamp()),
        "update_time": int(updated.timestamp()),
        "order_detail": {
            "product_infos": products,
            "price_info": {"product_price": total, "order_price": total, "freight": 0, "is_discounted": False},
            "pay_info": {"pay_time": int(paid_at.timestamp())} if paid_at else {},
            "delivery_info": {
                "address_info": _receiver(receiver or {}),
                "delivery_product_info": [],
                "deliver_method": 0,
            },
            "ext_info": {"customer_notes": "", "merchant_notes": ""},
        },
        "aftersale_detail": {"on_aftersale_order_cnt": 0, "aftersale_order_list": []},
    }


def ids_of(sku_code: str) -> tuple[str, str]:
    """Return the product and SKU ids under which ``make_order`` sells a SKU."""
    return str(10_000_000_000 + crc32(sku_code.split("-")[0].encode())), str(20_000_000_000 + crc32(sku_code.encode()))


def _product(sku_code: str, title: str, quantity: int, unit_price: Decimal) -> dict[str, Any]:
    product_id, sku_id = ids_of(sku_code)
    fen = int(unit_price * 100)
    return {
        "product_id": product_id,
        "sku_id": sku_id,
        "sku_cnt": quantity,
        "title": title,
        "sku_code": sku_code,
        "out_product_id": "",
        "out_sku_id": "",
        "sale_price": fen,
        "market_price": fen,
        "real_price": fen * quantity,
        "is_discounted": False,
        "on_aftersale_sku_cnt": 0,
        "finish_aftersale_sku_cnt": 0,
    }


def _receiver(told: Mapping[str, str]) -> dict[str, str]:
    return {
        "user_name": told.get("name", "韩*"),
        "province_name": told.get("province", "浙江省"),
        "city_name": told.get("city", "杭州市"),
        "county_name": told.get("district", "余杭区"),
        "detail_info": told.get("line", "***"),
        "house_number": "",
        "tel_number": told.get("phone", "138****0000"),
        "hash_code": f"h{crc32(repr(sorted(told.items())).encode()):08x}",
    }
