"""A Pinduoduo order into the house language. Pure: bytes in, facts out.

An order is seen from its payment on; amounts are yuan, times texts of China. A word that is not in a table is refused,
never guessed. Not verified against the live platform (documented guesses): that a failed group (``group_status`` 2) is
only held until the order is cancelled; the meanings in ``STEPS``; that of ``gift_order_status`` only 0 holds.
"""

from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields, renaming
from channels.adapters.fields import Fields
from channels.adapters.pinduoduo.client import PLATFORM
from channels.adapters.protocol import Connection
from channels.adapters.renaming import Column, code, count, gmt8, plain
from channels.messages import IncomingOrder, RawMessage, Untranslatable


class Meaning(Enum):
    """What an order's status says about money and goods; the value ranks two changes in one second."""

    TO_SHIP = 1
    SHIPPED = 2
    DONE = 3
    CANCELLED = 4


STATUSES: Final = {1: Meaning.TO_SHIP, 2: Meaning.SHIPPED, 3: Meaning.DONE}
MADE: Final = 1
CANCELLED: Final = 2  # confirm_status
REFUNDED: Final = 4  # refund_status
FORMING: Final = say("The group buy is still forming.")
REFUND_ASKED: Final = say("The buyer has asked for a refund: it must not ship until that is decided.")
HOLDS: Final[dict[str, dict[int | None, Sentence | None]]] = {
    "confirm": {0: FORMING, 1: None, CANCELLED: None},
    "group": {0: FORMING, 1: None, 2: say("The group buy has failed."), None: None},
    "risk": {0: None, 1: say("Pinduoduo is reviewing this order's risk: it may not ship yet."), None: None},
    "refund": {1: None, 2: REFUND_ASKED, 3: REFUND_ASKED, REFUNDED: None},
}
GIFT: Final = say("Nobody has accepted this gift yet.")
HOLD_TAG: Final = "ship_hold"
TAGGED: Final = say("Pinduoduo has tagged this order to be held.")
PRESALE: Final = 1  # trade_type
STEPS: Final[dict[int | None, Sentence | None]] = {
    0: say("Presale: the deposit is not paid yet."),
    1: say("Presale: only the deposit is paid, the final payment is still to come."),
    2: None,
}
ORDER: Final = {
    "external_id": Column("order_sn", code),
    "status": Column("order_status", count),
    "confirm": Column("confirm_status", count),
    "group": Column("group_status", count),
    "risk": Column("risk_control_status", count),
    "refund": Column("refund_status", count),
    "gift": Column("gift_order_status", count),
    "changed_at": Column("updated_at", gmt8),
    "placed_at": Column("created_time", gmt8),
    "paid_at": Column("pay_time|confirm_time", gmt8),
    "shipped_at": Column("shipping_time|updated_at", gmt8),
    "ship_by": Column("last_ship_time", gmt8),
    "shipping_amount": Column("postage", plain),
    "paid_amount": Column("pay_amount", plain),
    "goods_amount": Column("goods_amount", plain),
    "discount_amount": Column("discount_amount", plain),
    "buyer_note": Column("buyer_memo", plain),
    "seller_note": Column("remark", plain),
}
LINE: Final = {
    "external_id": Column("sku_id", code),
    "sku_code": Column("outer_id|outer_goods_id|sku_id", code),
    "title": Column("goods_name", plain),
    "quantity": Column("goods_count", count),
    "unit_price": Column("goods_price", plain),
}
RECEIVER: Final = {
    "province": Column("province", plain),
    "city": Column("city", plain),
    "district": Column("town", plain),
    "line": Column("receiver_address_mask", plain),
    "name": Column("receiver_name_mask", plain),
    "phone": Column("receiver_phone_mask", plain),
}
TAG: Final = {"name": Column("name", plain), "value": Column("value", count)}
STEP: Final = {"step": Column("step_trade_status", count)}


def translate(raw: RawMessage, connection: Connection) -> IncomingOrder:
    """Return the order that a message is; raises ``Untranslatable`` naming the field and the value."""
    source = renaming.opened(raw, connection.currency, platform=PLATFORM, refused_by="error_response")
    remarks: list[Sentence] = []
    reader = renaming.renamed(source, ORDER, remarks)
    renaming.check_same(reader.code("external_id"), raw, field="order_sn")
    meaning = _meaning(reader)
    held = _held(source, reader) if meaning is Meaning.TO_SHIP else None
    lines = renaming.lines(source, "item_list", LINE, remarks)
    renaming.tell_apart(lines)
    for line, discount in zip(lines, _discounts(reader, lines), strict=True):
        line.values = {**line.values, "discount": discount, "is_cancelled": meaning is Meaning.CANCELLED}
    if meaning is not Meaning.CANCELLED and held is None:
        reader.time("paid_at")
    reader.values = {**reader.values, **_settled(reader, meaning)}
    to = renaming.renamed(source, RECEIVER, remarks)
    is_shown = to.values["province"] or (held is None and meaning is not Meaning.CANCELLED)
    order = facts.order(reader, to=to if is_shown else None, lines=lines, currency="CNY")
    token = renaming.token(source, ("receiver_name", "receiver_phone", "receiver_address"), remarks)
    if source.get("gift_list"):
        remarks.append(say("Pinduoduo sends gifts along that are not among the lines."))
    return replace(order, address=replace(order.address, token=token), must_not_ship=held, remarks=tuple(remarks))


def revision_of(payload: bytes) -> int:
    """Return the revision of an order as it was sent, 0 when it cannot be read."""
    reader = renaming.renamed(fields.decode(payload), ORDER, [])
    try:
        return _revision(reader, _meaning(reader))
    except Untranslatable:
        return 0


def _revision(reader: Fields, meaning: Meaning) -> int:
    refund = reader.values["refund"]
    rank = meaning.value * 10 + (refund if type(refund) is int and 0 <= refund < 10 else 0)
    return renaming.revision(reader.time("changed_at"), rank)


def _meaning(reader: Fields) -> Meaning:
    meaning = reader.meaning("status", STATUSES)
    for name, table in HOLDS.items():
        reader.meaning(name, table)
    is_off = reader.values["confirm"] == CANCELLED or reader.values["refund"] == REFUNDED
    return Meaning.CANCELLED if is_off and meaning is Meaning.TO_SHIP else meaning


def _held(source: dict[str, Any], reader: Fields) -> Sentence | None:
    """Return the first reason for which an order that is to be shipped may not ship."""
    for name, table in HOLDS.items():
        if reason := reader.meaning(name, table):
            return reason
    if reader.values["gift"] == 0:
        return GIFT
    tags = [(tag.values["name"], tag.values["value"]) for tag in renaming.lines(source, "order_tag_list", TAG, [])]
    if (HOLD_TAG, 1) in tags:
        return TAGGED
    if count(source.get("trade_type")) != PRESALE:
        return None
    return renaming.renamed(source.get("step_order_info"), STEP, [], "step_order_info.").meaning("step", STEPS)


def _settled(reader: Fields, meaning: Meaning) -> dict[str, Any]:
    """Return the values as far as the status lets them count."""
    is_off = meaning is Meaning.CANCELLED
    refunded = reader.values["refund"] == REFUNDED
    return {
        "revision": _revision(reader, meaning),
        "currency": "CNY",
        "paid_amount": reader.values["paid_amount"] if reader.values["paid_at"] else None,
        "cancelled_at": reader.values["changed_at"] if is_off else None,
        "cancel_reason": ("Refunded on Pinduoduo" if refunded else "Cancelled on Pinduoduo") if is_off else "",
        "shipped_at": reader.values["shipped_at"] if meaning in (Meaning.SHIPPED, Meaning.DONE) else None,
    }


def _discounts(reader: Fields, lines: list[Fields]) -> list[Decimal]:
    """Share out by amount what the goods cost less than their prices: the discounts, and a price that was changed."""
    amounts = [line.quantity("quantity") * line.money("unit_price") for line in lines]
    total = sum(amounts, Decimal(0)) - reader.money("goods_amount") + reader.money_or_zero("discount_amount")
    return renaming.shared(total, amounts)
