"""Douyin orders made from plain values, and how an order moves when parcels and stock figures come."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from channels.simulators.douyin_gate import invalid, refused
from channels.simulators.signed import RECEIVER, Line, item_number

UNPAID, TO_SHIP, SHIPPED, CANCELLED, DONE, PART_SHIPPED, PROCESSING = 1, 2, 3, 4, 5, 101, 105
SHIPPABLE = (TO_SHIP, PART_SHIPPED)
CARRIERS = {"shunfeng", "zhongtong", "yuantong", "yunda", "shentong", "ems", "jd"}


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
    """Make an order as the platform lists it, from plain values. ``receiver`` uses the house's names."""
    if status is None:
        status = CANCELLED if cancelled_at else TO_SHIP if paid_at else UNPAID
    rows = [_line(f"{number}{place:02d}", str(number), line, status) for place, line in enumerate(lines, 1)]
    total = sum(row["pay_amount"] for row in rows)
    return {
        "order_id": str(number),
        "order_status": status,
        "create_time": _seconds(placed_at),
        "update_time": _seconds(cancelled_at or paid_at or placed_at),
        "pay_time": _seconds(paid_at),
        "finish_time": _seconds(cancelled_at),
        "ship_time": 0,
        "exp_ship_time": _seconds(paid_at) + 172_800 if paid_at else 0,
        "order_amount": total,
        "pay_amount": total,
        "post_amount": 0,
        "promotion_pay_amount": 0,
        "cancel_reason": "",
        "buyer_words": "",
        "seller_words": "",
        "doudian_open_id": f"1@#{number}",
        **_receiver({**RECEIVER, **(receiver or {})}),
        "sku_order_list": rows,
        "logistics_info": [],
    }


def make_refund(refund_id: int | str, order: Mapping[str, Any], *, at: datetime, status: int, of: int = 0) -> Any:
    """Make an after-sale of one line (by place) of an order: all its units, for what was paid for it."""
    row = order["sku_order_list"][of]
    about = {
        "aftersale_id": str(refund_id),
        "aftersale_status": status,
        "aftersale_type": 2,
        "refund_status": 3 if status == 12 else 1,
        "refund_amount": row["pay_amount"],
        "apply_time": _seconds(at),
        "update_time": _seconds(at),
        "remark": "不想要了",
    }
    line = {"sku_order_id": row["order_id"], "aftersale_item_num": row["item_num"], "item_num": row["item_num"]}
    return {
        "aftersale_info": about,
        "order_info": {"shop_order_id": order["order_id"], "related_order_info": [line]},
    }


def ship(order: dict[str, Any], asked: Mapping[str, Any], *, pack_id: str, at: int) -> None:
    """Put units of an order's lines into a parcel and move its status; raises ``Refused``."""
    if asked["company_code"] not in CARRIERS:
        raise invalid("company_code")
    if order["order_status"] not in SHIPPABLE:
        raise refused(50002, "isv.business-failed:10001", "订单状态不允许发货")
    rows = {row["order_id"]: row for row in order["sku_order_list"]}
    packed = [_packed(rows, told) for told in asked["shipped_order_info"]]
    for row, units in packed:
        row["shipped_num"] = row.get("shipped_num", 0) + units
        row["order_status"] = SHIPPED if row["shipped_num"] == row["item_num"] else PART_SHIPPED
    left = any(row["order_status"] in SHIPPABLE for row in rows.values())
    order.update(order_status=PART_SHIPPED if left else SHIPPED, update_time=at, ship_time=order["ship_time"] or at)
    order["logistics_info"].append(
        {
            "tracking_no": asked["logistics_code"],
            "company": asked["company_code"],
            "ship_time": at,
            "delivery_id": pack_id,
            "product_info": [{"sku_order_id": row["order_id"], "product_count": units} for row, units in packed],
        }
    )


def _packed(rows: Mapping[str, dict[str, Any]], told: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    row, units = rows.get(str(told.get("shipped_order_id"))), told.get("shipped_num")
    if row is None or row["order_status"] not in SHIPPABLE:
        raise refused(50002, "isv.business-failed:10002", "子订单不存在或不允许发货")
    if type(units) is not int or not 0 < units <= row["item_num"] - row.get("shipped_num", 0):
        raise invalid("shipped_num")
    return row, units


def _line(number: str, parent: str, line: Line, status: int) -> dict[str, Any]:
    sku_code, title, quantity, unit_price = line
    price = int(unit_price * 100)
    return {
        "order_id": number,
        "parent_order_id": parent,
        "order_status": status,
        "product_id": item_number(sku_code.split("-")[0]),
        "product_name": title,
        "sku_id": item_number(sku_code),
        "code": sku_code,
        "out_sku_id": "",
        "item_num": quantity,
        "origin_amount": price,
        "sum_amount": price * quantity,
        "order_amount": price * quantity,
        "pay_amount": price * quantity,
        "post_amount": 0,
        "after_sale_info": {"after_sale_status": 0, "after_sale_type": 0, "refund_status": 0},
    }


def _receiver(receiver: Mapping[str, str]) -> dict[str, Any]:
    levels = {"province": "province", "city": "city", "town": "district"}
    place: dict[str, Any] = {theirs: {"name": receiver[ours], "id": ""} for theirs, ours in levels.items()}
    place["street"] = {"name": "", "id": ""}
    return {
        "post_addr": {**place, "detail": "", "encrypt_detail": "##ghi##"},
        "mask_post_addr": {**place, "detail": receiver["line"]},
        "encrypt_post_receiver": "##abc##",
        "encrypt_post_tel": "$$def$$",
        "mask_post_receiver": receiver["name"],
        "mask_post_tel": receiver["phone"],
    }


def _seconds(at: datetime | None) -> int:
    return int(at.timestamp()) if at else 0
