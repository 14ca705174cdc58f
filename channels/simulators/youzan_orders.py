"""Orders in Youzan's shape, made from plain values: for tests, the demo and benchmarks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

from channels.simulators.signed import RECEIVER, Line, item_number, write_time


def make_order(  # noqa: PLR0913 one signature for all platforms
    number: int | str,
    lines: Sequence[Line],
    *,
    placed_at: datetime,
    paid_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    status: str | None = None,
    receiver: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make an order as the platform shows it, from plain values. ``receiver`` uses the house's names."""
    usual = "TRADE_CLOSED" if cancelled_at else "WAIT_SELLER_SEND_GOODS" if paid_at else "WAIT_BUYER_PAY"
    total = sum(quantity * unit_price for _, _, quantity, unit_price in lines)
    updated = max(moment for moment in (placed_at, paid_at, cancelled_at) if moment)
    return {
        "order_info": {
            "tid": str(number),
            "status": status or usual,
            "type": 0,
            "express_type": 0,
            "close_type": 1 if cancelled_at else 0,
            "refund_state": 0,
            "created": write_time(placed_at),
            "update_time": write_time(updated),
            "pay_time": write_time(paid_at) if paid_at else "",
            "order_tags": {"is_payed": paid_at is not None},
        },
        "pay_info": {"total_fee": f"{total:.2f}", "post_fee": "0.00", "payment": f"{total:.2f}", "transaction": []},
        "remark_info": {"buyer_message": "", "star": 0, "trade_memo": ""},
        "buyer_info": {"yz_open_id": f"yz{crc32(str(number).encode()):08x}", "fans_nickname": "小**"},
        "address_info": _receiver({**RECEIVER, **(receiver or {})}),
        "orders": [_line(str(number), place, line) for place, line in enumerate(lines)],
        "source_info": {"source": {"platform": "wx", "wx_entrance": "wx_gzh"}},
        "child_info": {},
    }


def make_refund(
    number: int | str, order: Mapping[str, Any], *, asked_at: datetime, quantity: int, status: str = "WAIT_SELLER_AGREE"
) -> dict[str, Any]:
    """Make a refund of so many units of an order's first line."""
    line = order["orders"][0]
    return {
        "refund_id": str(number),
        "tid": order["order_info"]["tid"],
        "status": status,
        "created": write_time(asked_at),
        "modified": write_time(asked_at),
        "refund_fee": line["price"],
        "desc": "拍错了",
        "return_goods": False,
        "refund_order_item": [{"oid": line["oid"], "item_num": quantity}],
    }


def _line(number: str, place: int, line: Line) -> dict[str, Any]:
    sku_code, title, quantity, unit_price = line
    return {
        "oid": str(29 * 10**14 + crc32(f"{number}/{place}".encode())),
        "item_id": item_number(sku_code.split("-")[0]),
        "sku_id": item_number(sku_code),
        "outer_item_id": sku_code.split("-")[0],
        "outer_sku_id": sku_code,
        "sku_no": sku_code,
        "title": title,
        "num": quantity,
        "price": f"{unit_price:.2f}",
        "total_fee": f"{unit_price * quantity:.2f}",
        "payment": f"{unit_price * quantity:.2f}",
        "discount_price": f"{unit_price:.2f}",
        "is_present": False,
    }


def _receiver(told: Mapping[str, str]) -> dict[str, str]:
    seal = f"${crc32(repr(sorted(told.items())).encode()):08x}$"
    return {
        "receiver_name": seal if "*" in told["name"] else told["name"],
        "receiver_tel": seal if "*" in told["phone"] else told["phone"],
        "delivery_province": told["province"],
        "delivery_city": told["city"],
        "delivery_district": told["district"],
        "delivery_address": seal if "*" in told["line"] else told["line"],
        "address_extra": '{"areaCode":"330110"}',
    }
