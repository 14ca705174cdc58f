"""A Douyin order or after-sale into the house language. Pure: bytes in, facts out.

Amounts are whole fen, times epoch seconds; a word that is not in a table is refused, never guessed. Not verified
against the live platform (documented guesses): a line's ``pay_amount`` holds its share of the postage
(``PAY_HOLDS_POSTAGE``); which after-sale types bring goods back (``COME_BACK``), besides the statuses that say so.
"""

from dataclasses import replace
from enum import IntEnum
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields, renaming
from channels.adapters.douyin.client import PLATFORM
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.renaming import Column, count, fen, plain, seconds
from channels.messages import (
    IncomingOrder,
    IncomingRefund,
    RawMessage,
    RefundState,
    Untranslatable,
)

PAY_HOLDS_POSTAGE: Final = True
COME_BACK: Final = (0,)  # after-sale types: goods and money back


class Status(IntEnum):
    """An order's status, as numbered by the platform."""

    UNPAID = 1
    TO_SHIP = 2
    SHIPPED = 3
    CANCELLED = 4
    DONE = 5
    PART_SHIPPED = 101
    PROCESSING = 105


RANKS: Final = {1: 1, 105: 2, 2: 3, 101: 4, 3: 5, 5: 6, 4: 7}  # which of two changes in one second came later
HELD: Final = say("Douyin is still processing this paid order (risk check or presale): it may not ship yet.")
CANCEL_REASON: Final = "Closed on Douyin"
ORDER: Final = {
    "external_id": Column("order_id", renaming.code),
    "changed_at": Column("update_time", seconds),
    "placed_at": Column("create_time", seconds),
    "paid_at": Column("pay_time", seconds),
    "shipped_at": Column("ship_time", seconds),
    "closed_at": Column("finish_time", seconds),
    "ship_by": Column("exp_ship_time", seconds),
    "shipping_amount": Column("post_amount", fen),
    "paid_amount": Column("pay_amount", fen),
    "paid_for_buyer": Column("promotion_pay_amount", fen),
    "cancel_reason": Column("cancel_reason", plain),
    "buyer_key": Column("doudian_open_id", renaming.buyer_key),
    "buyer_note": Column("buyer_words", plain),
    "seller_note": Column("seller_words", plain),
}
LINE: Final = {
    "external_id": Column("order_id", renaming.code),
    "sku_code": Column("code|out_sku_id|sku_id", renaming.code),
    "title": Column("product_name", plain),
    "quantity": Column("item_num", count),
    "unit_price": Column("origin_amount", fen),
    "pay_amount": Column("pay_amount", fen),
    "post_amount": Column("post_amount", fen),
}
STATES: Final = {
    0: RefundState.ASKED,
    6: RefundState.ASKED,
    7: RefundState.AGREED,  # the buyer is sending the goods back
    11: RefundState.AGREED,
    12: RefundState.REFUNDED,
    13: RefundState.CLOSED,  # an exchange was shipped: no money goes back
    14: RefundState.CLOSED,
    27: RefundState.CLOSED,
    28: RefundState.CLOSED,
    29: RefundState.CLOSED,
    51: RefundState.CLOSED,
}
GOODS_UNDERWAY: Final = frozenset({7, 11, 29})
MONEY_PENDING: Final = 1  # refund_status of an after-sale that succeeded, before the money is back
REFUND: Final = {
    "refund_id": Column("aftersale_id", renaming.code),
    "status": Column("aftersale_status", count),
    "type": Column("aftersale_type", count),
    "money": Column("refund_status", count),
    "changed_at": Column("update_time", seconds),
    "asked_at": Column("apply_time", seconds),
    "amount": Column("refund_amount", fen),
    "reason": Column("remark", plain),
}
REFUND_LINE: Final = {
    "external_id": Column("sku_order_id", renaming.code),
    "quantity": Column("aftersale_item_num", count),
}


def translate(raw: RawMessage, connection: Connection) -> IncomingOrder | IncomingRefund:
    """Return the order or refund that a message is; raises ``Untranslatable`` naming the field and the value."""
    source = renaming.opened(raw, connection.currency, platform=PLATFORM, refused_by="sub_code")
    return _refund(source, raw) if raw.kind == "refund" else _order(source, raw)


def head(kind: str, payload: bytes) -> tuple[str, int]:
    """Return the order's number and the revision of a message, 0 when it cannot be read."""
    source: Any = fields.decode(payload)
    if kind == "order":
        number, read = source.get("order_id"), _order_revision
    else:
        number, read = renaming.part_or_none(source, "order_info").get("shop_order_id"), _refund_revision
    try:
        return str(number), read(source)
    except Untranslatable:
        return str(number), 0


def _order_revision(source: dict[str, Any]) -> int:
    changed_at = renaming.renamed(source, ORDER, []).time("changed_at")
    status = count(source.get("order_status"))
    return renaming.revision(changed_at, RANKS.get(status, 0) if isinstance(status, int) else 0)


def _order(source: dict[str, Any], raw: RawMessage) -> IncomingOrder:
    remarks: list[Sentence] = []
    reader = renaming.renamed(source, ORDER, remarks)
    status = _status(source, "order_status")
    lines = renaming.lines(source, "sku_order_list", LINE, remarks)
    for line, values in zip(lines, source.get("sku_order_list") or [], strict=True):
        line.values = {**line.values, **_line(line), "is_cancelled": _is_cancelled(values, status)}
    reader.values = {**_settled(reader, status), "revision": _order_revision(source), "currency": "CNY"}
    renaming.check_same(reader.code("external_id"), raw, field="order_id")
    to = _receiver(source, remarks)
    has_place = to.values["province"] or status is not Status.CANCELLED
    held = HELD if status is Status.PROCESSING else None
    order = facts.order(reader, to=to if has_place else None, lines=lines, currency="CNY", held=held)
    token = renaming.token(_encrypted(source), ("encrypt_post_receiver", "encrypt_post_tel", "encrypt_detail"), remarks)
    return replace(order, address=replace(order.address, token=token), remarks=tuple(remarks))


def _status(source: dict[str, Any], name: str) -> Status:
    value = count(source.get(name))
    if value is None or value == "":
        Fields(source, []).missing(name)
    if type(value) is not int or value not in RANKS:
        renaming.unknown(name, value)
    return Status(value)


def _is_cancelled(line: dict[str, Any], order: Status) -> bool:
    return (_status(line, "order_status") if line.get("order_status") else order) is Status.CANCELLED


def _settled(reader: Fields, status: Status) -> dict[str, Any]:
    """Return the values as far as the status lets them count: times of what has not happened may stand there too."""
    values, is_cancelled = dict(reader.values), status is Status.CANCELLED
    if status is Status.UNPAID:
        values["paid_at"] = None
    elif not is_cancelled:
        reader.time("paid_at")
    paid_amount = reader.money_or_zero("paid_amount") - reader.money_or_zero("paid_for_buyer")
    values["paid_amount"] = paid_amount if values["paid_at"] else None
    values["cancelled_at"] = (values["closed_at"] or values["changed_at"]) if is_cancelled else None
    values["cancel_reason"] = (values["cancel_reason"] or CANCEL_REASON) if is_cancelled else ""
    went_out = status in (Status.PART_SHIPPED, Status.SHIPPED, Status.DONE)
    values["shipped_at"] = (values["shipped_at"] or values["changed_at"]) if went_out else None
    return values


def _line(reader: Fields) -> dict[str, Any]:
    net = reader.money("pay_amount")
    if PAY_HOLDS_POSTAGE:
        net -= min(reader.money_or_zero("post_amount"), net)
    return renaming.as_paid(reader, net)


def _receiver(source: dict[str, Any], remarks: list[Sentence]) -> Fields:
    post, masked = renaming.part_or_none(source, "post_addr"), renaming.part_or_none(source, "mask_post_addr")

    def named(level: str) -> Any:
        return renaming.part_or_none(post, level).get("name") or renaming.part_or_none(masked, level).get("name")

    values = {
        "province": named("province"),
        "city": named("city"),
        "district": named("town"),
        "line": f"{named('street') or ''}{post.get('detail') or masked.get('detail') or ''}",
        "name": source.get("mask_post_receiver"),
        "phone": source.get("mask_post_tel"),
    }
    return Fields(values, remarks, "post_addr.", {"district": "town", "line": "detail"})


def _encrypted(source: dict[str, Any]) -> dict[str, Any]:
    return {**source, "encrypt_detail": renaming.part_or_none(source, "post_addr").get("encrypt_detail")}


# -- refunds --------------------------------------------------------------------------------------


def _refund_revision(source: dict[str, Any]) -> int:
    """Return the revision; the after-sale's last digits keep two after-sales of one order in one second apart."""
    reader = renaming.renamed(source.get("aftersale_info"), REFUND, [], "aftersale_info.")
    return renaming.revision(reader.time("changed_at"), renaming.tail(reader.code("refund_id")))


def _refund(source: dict[str, Any], raw: RawMessage) -> IncomingRefund:
    remarks: list[Sentence] = []
    of_order = renaming.part_or_none(source, "order_info")
    reader = renaming.renamed(source.get("aftersale_info"), REFUND, remarks, "aftersale_info.")
    number = Fields({"shop_order_id": renaming.code(of_order.get("shop_order_id"))}, remarks).code("shop_order_id")
    renaming.check_same(number, raw, field="shop_order_id")
    state = reader.meaning("status", STATES)
    if state is RefundState.REFUNDED and reader.values["money"] == MONEY_PENDING:
        state = RefundState.AGREED
    lines = renaming.lines(of_order, "related_order_info", REFUND_LINE, remarks)
    goods_come_back = reader.values["status"] in GOODS_UNDERWAY or reader.values["type"] in COME_BACK
    reader.values = {**reader.values, "external_id": number, "revision": _refund_revision(source)}
    return facts.refund(reader, lines, state=state, currency="CNY", goods_come_back=goods_come_back)
