"""Orders and refunds of Youzan into the house language. Pure: bytes in, facts out.

Not verified against the live platform (documented guesses): all names and words of a refund (``REFUND``, ``STATES``,
``REFUND_LINES``); how an encrypted text looks (``ENCRYPTED``); that a line's ``payment`` is what the buyer pays for
the whole line; that an order of ``NOT_BY_PARCEL`` is never sent; that ``real_payment``, where it is told, is what was
really paid (``payment`` is said to differ between the list and the single call).
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, renaming
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.renaming import Column, code, count, gmt8, plain
from channels.messages import (
    Incoming,
    IncomingOrder,
    IncomingRefund,
    RawMessage,
    RefundState,
    Untranslatable,
)

PLATFORM: Final = "Youzan"
UNPAID: Final = "WAIT_BUYER_PAY"
SHIPPED: Final = frozenset({"WAIT_BUYER_CONFIRM_GOODS", "TRADE_SUCCESS"})
CLOSED: Final = frozenset({"TRADE_CLOSED", "TRADE_CLOSE"})
HELD: Final = {
    "TRADE_PAID": say("Youzan is still processing this paid order (group buy, risk check): it may not ship yet."),
    "WAIT_CONFIRM": say("The order waits to be accepted on Youzan."),
}
NOT_BY_PARCEL: Final = {
    1: say("The buyer picks this order up: it is not sent by parcel."),
    9: say("Nothing of this order is sent by parcel."),
}
RANKS: Final = {  # which of two changes in one second came later
    "WAIT_BUYER_PAY": 1,
    "TRADE_PAID": 2,
    "WAIT_CONFIRM": 3,
    "WAIT_SELLER_SEND_GOODS": 4,
    "WAIT_BUYER_CONFIRM_GOODS": 5,
    "TRADE_SUCCESS": 6,
    "TRADE_CLOSED": 7,
    "TRADE_CLOSE": 7,
}
ENCRYPTED: Final = re.compile(r"\$.+\$", re.DOTALL)
ORDER: Final = {
    "external_id": Column("tid", code),
    "changed_at": Column("update_time", gmt8),
    "placed_at": Column("created", gmt8),
    "paid_at": Column("pay_time", gmt8),
    "shipped_at": Column("consign_time", gmt8),
    "shipping_amount": Column("post_fee", plain),
    "paid_amount": Column("real_payment|payment", plain),
    "buyer_key": Column("yz_open_id", renaming.buyer_key),
    "buyer_name": Column("fans_nickname", plain),
    "buyer_note": Column("buyer_message", plain),
    "seller_note": Column("trade_memo", plain),
}
LINE: Final = {
    "external_id": Column("oid", code),
    "sku_code": Column("outer_sku_id|sku_no|outer_item_id|item_no|sku_id", code),
    "title": Column("title", plain),
    "quantity": Column("num", count),
    "unit_price": Column("price", plain),
    "net": Column("payment", plain),
}
ADDRESS: Final = {
    "province": Column("delivery_province", plain),
    "city": Column("delivery_city", plain),
    "district": Column("delivery_district", plain),
    "line": Column("delivery_address", plain),
    "name": Column("receiver_name", plain),
    "phone": Column("receiver_tel", plain),
}
REFUND: Final = {
    "external_id": Column("tid", code),
    "refund_id": Column("refund_id", code),
    "changed_at": Column("modified", gmt8),
    "asked_at": Column("created", gmt8),
    "amount": Column("refund_fee", plain),
    "reason": Column("desc", plain),
}
REFUND_LINES: Final = "refund_order_item"
REFUND_LINE: Final = {"external_id": Column("oid", code), "quantity": Column("item_num", count)}
GOODS_COME_BACK: Final = "return_goods"
STATES: Final = {
    "WAIT_SELLER_AGREE": RefundState.ASKED,
    "CUSTOMER_SERVICE_IN": RefundState.ASKED,
    "SELLER_REFUSE_BUYER": RefundState.CLOSED,
    "SELLER_REFUSE_BUYER_RETURN_GOODS": RefundState.CLOSED,
    "WAIT_BUYER_RETURN_GOODS": RefundState.AGREED,
    "WAIT_SELLER_CONFIRM_GOODS": RefundState.AGREED,
    "SELLER_RETURN_GOODS": RefundState.AGREED,
    "SUCCESS": RefundState.REFUNDED,
    "CLOSED": RefundState.CLOSED,
}


def translate(raw: RawMessage, connection: Connection) -> Incoming:
    """Return the order or the refund in a message; raises ``Untranslatable`` naming the field and the value."""
    answer = renaming.opened(raw, connection.currency, platform=PLATFORM, refused_by="error_response")
    if answer.get("success") is False:
        renaming.check_handed_out(answer, raw, platform=PLATFORM, refused_by="success")
    data = answer.get("data", answer.get("response", answer))
    return _refund(data, raw) if raw.kind == "refund" else _order(data, raw)


def revision_of(data: Mapping[str, Any]) -> int:
    """Return an order's revision, 0 when it has none that can be read."""
    info = renaming.part_or_none(data, "full_order_info", "order_info")
    try:
        changed_at = renaming.renamed(info, ORDER, []).time("changed_at")
        return renaming.revision(changed_at, RANKS.get(str(info.get("status")), 0))
    except Untranslatable:
        return 0


def refund_revision_of(refund: Mapping[str, Any]) -> int:
    """Return a refund's revision, 0 when it has none that can be read.

    Refunds lie under their order's number; their own number's last digits keep those of one second apart.
    """
    try:
        reader = renaming.renamed(refund, REFUND, [])
        return renaming.revision(reader.time("changed_at"), renaming.tail(reader.code("refund_id")))
    except Untranslatable:
        return 0


# -- orders ---------------------------------------------------------------------------------------


def _order(data: Any, raw: RawMessage) -> IncomingOrder:
    remarks: list[Sentence] = []
    whole = renaming.part(data, "full_order_info")
    info = renaming.part(whole, "order_info")
    status = info.get("status")
    if not isinstance(status, str) or status not in RANKS:
        renaming.unknown("status", status)
    flat = dict(info)
    for name in ("pay_info", "buyer_info", "remark_info"):
        inner = Fields(whole, remarks).inner(name)
        flat.update(inner.values if inner else {})
    reader = renaming.renamed(flat, ORDER, remarks)
    renaming.check_same(reader.code("external_id"), raw, field="tid")
    reader.values = _settled(reader, status, info.get("close_type"))
    lines = renaming.lines(whole, "orders", LINE, remarks)
    for line in lines:
        line.values = {**line.values, **renaming.as_paid(line, line.money_or_none("net"))}
    to = None if _has_no_place(whole, status, info) else _receiver(whole, remarks)
    held = None if status in CLOSED else HELD.get(status) or _not_by_parcel(info)
    return facts.order(reader, to=to, lines=lines, currency="CNY", held=held)


def _settled(reader: Fields, status: str, close_type: Any) -> dict[str, Any]:
    """Return the values as far as the status lets them count."""
    values, changed_at = dict(reader.values), reader.time("changed_at")
    if status == UNPAID:
        values["paid_at"] = None
    elif status not in CLOSED:
        reader.time("paid_at")
    if not values["paid_at"]:
        values["paid_amount"] = None
    is_closed = status in CLOSED
    values["cancelled_at"] = changed_at.isoformat() if is_closed else None
    values["cancel_reason"] = f"Closed on Youzan ({close_type})" if is_closed else ""
    values["shipped_at"] = (values["shipped_at"] or changed_at.isoformat()) if status in SHIPPED else None
    values["revision"] = renaming.revision(changed_at, RANKS[status])
    values["currency"] = "CNY"
    return values


def _has_no_place(whole: dict[str, Any], status: str, info: dict[str, Any]) -> bool:
    told = Fields(whole, []).inner("address_info")
    may_have_none = status in CLOSED or status == UNPAID or _not_by_parcel(info)
    return bool(may_have_none) and not (told and told.values.get("delivery_province"))


def _not_by_parcel(info: dict[str, Any]) -> Sentence | None:
    way = count(info.get("express_type"))
    return NOT_BY_PARCEL.get(way) if isinstance(way, int) else None


def _receiver(whole: dict[str, Any], remarks: list[Sentence]) -> Fields:
    """Return where and to whom; what is encrypted stands as one token instead."""
    told = renaming.part(whole, "address_info")
    secret = [column.name for column in ADDRESS.values() if ENCRYPTED.fullmatch(str(told.get(column.name) or ""))]
    token = renaming.token(told, secret, remarks)
    reader = renaming.renamed({**told, **dict.fromkeys(secret, "")}, ADDRESS, remarks, "address_info.")
    fits = len(token) <= facts.LONGEST_TOKEN
    reader.values = {**reader.values, "token": token if fits else str(whole["order_info"]["tid"])}
    return reader


# -- refunds --------------------------------------------------------------------------------------


def _refund(data: Any, raw: RawMessage) -> IncomingRefund:
    remarks: list[Sentence] = []
    reader = renaming.renamed(data, REFUND, remarks)
    state = Fields(data, remarks).meaning("status", STATES)
    renaming.check_same(reader.code("external_id"), raw, field="tid")
    revision = renaming.revision(reader.time("changed_at"), renaming.tail(reader.code("refund_id")))
    reader.values = {**reader.values, "revision": revision}
    lines = renaming.lines(data, REFUND_LINES, REFUND_LINE, remarks)
    goods_come_back = data.get(GOODS_COME_BACK) is True
    return facts.refund(reader, lines, state=state, currency="CNY", goods_come_back=goods_come_back)
