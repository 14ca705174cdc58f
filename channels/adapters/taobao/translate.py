"""A TOP trade into the house language. Pure: bytes in, facts out.

Not verified against the live platform (documented guesses): trades are in ``CURRENCY``; a cash-on-delivery trade
(type ``cod``) to be shipped has no ``pay_time`` and counts as released by the platform when it was placed;
``COUNTRIES`` lists the ways to write China.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields, renaming
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.renaming import Column, code, count, gmt8, plain
from channels.adapters.taobao import statuses
from channels.adapters.taobao.client import PLATFORM
from channels.adapters.taobao.statuses import Meaning
from channels.messages import IncomingOrder, RawMessage, Untranslatable

CURRENCY: Final = "CNY"
COUNTRIES: Final = frozenset({None, "", "CN", "中国", "中国大陆"})
MASK: Final = "*"
ORDER: Final = {
    "external_id": Column("tid_str|tid", code),
    "status": Column("status", plain),
    "changed_at": Column("modified", gmt8),
    "placed_at": Column("created", gmt8),
    "paid_at": Column("pay_time", gmt8),
    "shipped_at": Column("consign_time|modified", gmt8),
    "cancelled_at": Column("end_time|modified", gmt8),
    "shipping_amount": Column("post_fee", plain),
    "paid_amount": Column("payment", plain),
    "deposit": Column("step_paid_fee", plain),
    "buyer_key": Column("buyer_open_uid", plain),
    "buyer_name": Column("buyer_nick", plain),
    "buyer_note": Column("buyer_message", plain),
    "seller_note": Column("seller_memo", plain),
}
LINE: Final = {
    "external_id": Column("oid_str|oid", code),
    "sku_code": Column("outer_sku_id|outer_iid|sku_id", code),
    "status": Column("status", plain),
    "title": Column("title", plain),
    "quantity": Column("num", count),
    "unit_price": Column("price", plain),
}
NETS: Final = ("divide_order_fee", "payment", "total_fee")  # what the buyer pays for a line: the first that is told
RECEIVER: Final = {
    "province": Column("receiver_state", plain),
    "city": Column("receiver_city", plain),
    "district": Column("receiver_district", plain),
    "line": Column("receiver_address", plain),
    "name": Column("receiver_name", plain),
    "phone": Column("receiver_mobile|receiver_phone", plain),
}


def translate(raw: RawMessage, connection: Connection) -> IncomingOrder:
    """Return the order that a trade is; raises ``Untranslatable`` naming the field and the value."""
    source = renaming.opened(raw, connection.currency, platform=PLATFORM, refused_by="error_response")
    trade = renaming.renamed(source, ORDER, [])
    renaming.check_same(trade.code("external_id"), raw, field="tid")
    if not trade.values["status"]:
        trade.missing("status")
    meaning = trade.meaning("status", statuses.TRADE)
    held = _held(source, meaning)
    lines = _lines(source, trade)
    trade.values = {**trade.values, **_settled(source, trade, meaning)}
    has_place = source.get("receiver_state") or meaning is not Meaning.CANCELLED
    to = _receiver(source, trade.remarks) if has_place else None
    order = facts.order(trade, to=to, lines=lines, currency=CURRENCY, held=held)
    token = renaming.token(source, ("oaid",), trade.remarks)
    return replace(order, address=replace(order.address, token=token), remarks=tuple(trade.remarks))


def revision_of(trade: Mapping[str, Any], *, otherwise: str = "") -> int:
    """Return a modification time as epoch milliseconds, 0 when it cannot be read."""
    told = gmt8(trade.get("modified") or otherwise)
    try:
        return fields.milliseconds(Fields({"modified": told}, []).time("modified"))
    except Untranslatable:
        return 0


def _held(source: Mapping[str, Any], meaning: Meaning) -> Sentence | None:
    step = Fields(source, []).meaning("step_trade_status", statuses.STEPS)
    if meaning is Meaning.CANCELLED:
        return None
    if meaning is Meaning.HOLD:
        return statuses.FORBIDDEN
    is_flagged = any(source.get(name) in (1, "1") for name in statuses.HOLD_FLAGS)
    return step or (statuses.FLAGGED if is_flagged else None)


def _settled(source: Mapping[str, Any], trade: Fields, meaning: Meaning) -> dict[str, Any]:
    """Return the values as far as the status lets them count."""
    told, is_over = trade.values, meaning is Meaning.CANCELLED
    paid_at, paid_amount = told["paid_at"] or None, None
    if meaning is Meaning.UNPAID:
        paid_at = None
    elif not paid_at and not is_over:
        if source.get("type") != statuses.CASH_ON_DELIVERY:
            trade.missing("paid_at")
        trade.remarks.append(say("Cash on delivery: ready to ship although nothing is paid yet."))
        paid_at = told["placed_at"]
    if source.get("step_trade_status") == statuses.DEPOSIT_PAID:
        paid_amount = told["deposit"]
    elif paid_at and told["paid_at"]:
        paid_amount = trade.money("paid_amount")
    return {
        "revision": fields.milliseconds(trade.time("changed_at")),
        "currency": CURRENCY,
        "paid_at": paid_at,
        "paid_amount": paid_amount,
        "cancelled_at": told["cancelled_at"] if is_over else None,
        "cancel_reason": statuses.CANCEL_REASONS.get(told["status"], ""),
        "shipped_at": told["shipped_at"] if meaning in statuses.WENT_OUT else None,
        "buyer_key": told["buyer_key"] or _unmasked(trade),
    }


def _unmasked(trade: Fields) -> str:
    """Return the nick where it tells one buyer from another; a masked one is shared by many and tells nobody."""
    nick = trade.text("buyer_name", facts.LONGEST_NAME)
    return "" if MASK in nick else nick


def _lines(source: Mapping[str, Any], trade: Fields) -> list[Fields]:
    """Return the lines, each with the price and discount that come to what the buyer pays for it."""
    told = source.get("orders")
    rows = told.get("order") if isinstance(told, dict) else told
    lines = renaming.lines({"orders": rows}, "orders", LINE, trade.remarks)
    for line, row in zip(lines, rows or [], strict=True):
        paid = Fields(row, trade.remarks, line.where)
        net = next((name for name in NETS if paid.money_or_none(name) is not None), NETS[0])
        line.values = {**line.values, "status": line.values["status"] or trade.values["status"]}
        is_cancelled = line.meaning("status", statuses.TRADE) is Meaning.CANCELLED
        line.values = {**line.values, **renaming.as_paid(line, paid.money(net)), "is_cancelled": is_cancelled}
    return lines


def _receiver(source: dict[str, Any], remarks: list[Sentence]) -> Fields:
    if source.get("receiver_country") not in COUNTRIES:
        Fields(source, remarks).bad_value("receiver_country", "unknown_country")
    to = renaming.renamed(source, RECEIVER, remarks)
    town, line = (
        Fields(source, remarks).text(name, facts.LONGEST_ADDRESS) for name in ("receiver_town", "receiver_address")
    )
    return Fields({**to.values, "line": line if line.startswith(town) else town + line}, remarks, "", to.names)
