"""Trades in the shape of TOP, made from plain values: for tests, the demo and benchmarks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from channels.simulators.signed import RECEIVER, Line, item_number
from channels.simulators.taobao_gate import write_date

BETWEEN_LINES = 10**12  # so that the lines of trades with neighbouring numbers never share a number


class SoldLine(NamedTuple):
    """One line as sold; ``line_net`` is what the buyer pays for the whole line after every discount."""

    outer_sku_id: str
    num_iid: int
    sku_id: int
    title: str
    num: int
    price: str
    line_net: str


@dataclass(frozen=True)
class Receiver:
    """Where a trade goes, as much as the platform shows of it."""

    state: str = "浙江省"
    city: str = "杭州市"
    district: str = "余杭区"
    town: str = "五常街道"
    name: str = "韩*"
    address: str = "***"
    mobile: str = "*******0000"


@dataclass(frozen=True)
class Sale:
    """What happened, in plain values."""

    tid: int
    lines: Sequence[SoldLine]
    created_at: datetime
    paid_at: datetime | None = None
    modified_at: datetime | None = None
    status: str = "WAIT_SELLER_SEND_GOODS"
    receiver: Receiver = field(default_factory=Receiver)
    post_fee: str = "0.00"
    buyer_message: str = ""


def make_trade(sale: Sale) -> dict[str, Any]:
    """Make the trade as ``taobao.trade.fullinfo.get`` shows it with every field that orders need."""
    orders = [_order(sale, number, SoldLine(*line)) for number, line in enumerate(sale.lines)]
    total = sum((Decimal(order["price"]) * order["num"] for order in orders), Decimal(0))
    net = sum((Decimal(order["divide_order_fee"]) for order in orders), Decimal(0))
    trade: dict[str, Any] = {
        "tid": sale.tid,
        "tid_str": str(sale.tid),
        "type": "fixed",
        "status": sale.status,
        "created": write_date(sale.created_at),
        "modified": write_date(sale.modified_at or sale.paid_at or sale.created_at),
        "total_fee": _yuan(total),
        "discount_fee": _yuan(total - net),
        "post_fee": _yuan(Decimal(sale.post_fee)),
        "adjust_fee": "0.00",
        "payment": _yuan(net + Decimal(sale.post_fee)),
        "buyer_nick": f"t**{sale.tid % 10}",
        "buyer_open_uid": f"AAE{sale.tid}",
        "buyer_message": sale.buyer_message,
        "seller_flag": 0,
        "seller_memo": "",
        "shipping_type": "express",
        **_receiver(sale.receiver),
        "oaid": f"1a{sale.tid:x}",
        "orders": {"order": orders},
    }
    if sale.paid_at:
        trade["pay_time"] = write_date(sale.paid_at)
    return trade


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
    """Make a trade from plain values. ``receiver`` uses the house's names."""
    closed = "TRADE_CLOSED" if paid_at else "TRADE_CLOSED_BY_TAOBAO"
    usual = closed if cancelled_at else "WAIT_SELLER_SEND_GOODS" if paid_at else "WAIT_BUYER_PAY"
    to = {**RECEIVER, **(receiver or {})}
    place = Receiver(to["province"], to["city"], to["district"], "", to["name"], to["line"], to["phone"])
    sold = [
        SoldLine(code, item_number(code.split("-")[0]), item_number(code), title, count, str(price), str(count * price))
        for code, title, count, price in lines
    ]
    modified_at = cancelled_at or paid_at or placed_at
    trade = make_trade(Sale(int(number), sold, placed_at, paid_at, modified_at, status or usual, place))
    return trade | ({"end_time": write_date(cancelled_at)} if cancelled_at else {})


def _order(sale: Sale, number: int, line: SoldLine) -> dict[str, Any]:
    total = Decimal(line.price) * line.num
    net = Decimal(line.line_net)
    oid = sale.tid + number * BETWEEN_LINES
    return {
        "oid": oid,
        "oid_str": str(oid),
        "num_iid": line.num_iid,
        "sku_id": str(line.sku_id),
        "outer_iid": line.outer_sku_id.split("-")[0],
        "outer_sku_id": line.outer_sku_id,
        "title": line.title,
        "num": line.num,
        "price": _yuan(Decimal(line.price)),
        "total_fee": _yuan(total),
        "discount_fee": "0.00",
        "adjust_fee": "0.00",
        "payment": _yuan(total),
        "part_mjz_discount": _yuan(total - net),
        "divide_order_fee": _yuan(net),
        "refund_status": "NO_REFUND",
        "status": sale.status,
    }


def _receiver(receiver: Receiver) -> dict[str, str]:
    return {
        "receiver_name": receiver.name,
        "receiver_state": receiver.state,
        "receiver_city": receiver.city,
        "receiver_district": receiver.district,
        "receiver_town": receiver.town,
        "receiver_address": receiver.address,
        "receiver_mobile": receiver.mobile,
    }


def _yuan(amount: Decimal) -> str:
    return f"{amount:.2f}"
