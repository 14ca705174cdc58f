"""A JD order into the house language. Pure: bytes in, facts out.

All values are texts: amounts in yuan, times of China. A word that is not in the table is refused, never guessed. Not
verified against the live platform (documented guesses): ``CASH_ON_DELIVERY`` (such an order counts as released when it
was placed); that what ``SHOWN`` does not match is an encrypted phone, beside an encrypted name and address.
"""

import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields, renaming
from channels.adapters.fields import Fields
from channels.adapters.jd.client import PLATFORM
from channels.adapters.protocol import Connection
from channels.adapters.renaming import Column, code, count, gmt8, plain
from channels.messages import IncomingOrder, RawMessage, Untranslatable

CASH_ON_DELIVERY: Final = "1"  # what payType begins with
SHOWN: Final = re.compile(r"[0-9*+ -]*")
CANCEL_REASON: Final = "Closed on JD"


class Meaning(Enum):
    """What a state says about money and goods; the value ranks two changes in one second."""

    UNPAID = 1
    TO_SHIP = 2
    PAUSED = 3
    LOCKED = 4
    SHIPPED = 5
    CAME_BACK = 6
    DONE = 7
    CANCELLED = 8


STATES: Final = {
    "NOT_PAY": Meaning.UNPAID,
    "WAIT_SELLER_STOCK_OUT": Meaning.TO_SHIP,
    "DengDaiChuKu": Meaning.TO_SHIP,
    "WAIT_SELLER_DELIVERY": Meaning.TO_SHIP,
    "DengDaiFaHuo": Meaning.TO_SHIP,
    "WAIT_GOODS_RECEIVE_CONFIRM": Meaning.SHIPPED,
    "DengDaiQueRenShouHuo": Meaning.SHIPPED,
    "FINISHED_L": Meaning.DONE,
    "WanCheng": Meaning.DONE,
    "TRADE_CANCELED": Meaning.CANCELLED,
    "LOCKED": Meaning.LOCKED,
    "POP_ORDER_PAUSE": Meaning.PAUSED,
    "PAUSE": Meaning.PAUSED,
    "ZanTing": Meaning.PAUSED,
    "DELIVERY_RETURN": Meaning.CAME_BACK,
    "PeiSongTuiHuo": Meaning.CAME_BACK,
}
HELD: Final = {
    Meaning.LOCKED: say("The buyer has asked JD to cancel this order: it must not ship until that is decided."),
    Meaning.PAUSED: say("JD has paused this order."),
    Meaning.CAME_BACK: say("JD says that this order came back undelivered."),
}
MAY_BE_UNPAID: Final = frozenset({Meaning.UNPAID, Meaning.LOCKED, Meaning.PAUSED, Meaning.CANCELLED})
WENT_OUT: Final = frozenset({Meaning.SHIPPED, Meaning.CAME_BACK, Meaning.DONE})
ORDER: Final = {
    "external_id": Column("orderId", code),
    "state": Column("orderState", plain),
    "changed_at": Column("modified", gmt8),
    "placed_at": Column("orderStartTime", gmt8),
    "paid_at": Column("paymentConfirmTime", gmt8),
    "ended_at": Column("orderEndTime", gmt8),
    "shipping_amount": Column("freightPrice", plain),
    "paid_amount": Column("orderPayment", plain),
    "discount": Column("sellerDiscount", plain),
    "buyer_note": Column("orderRemark", plain),
    "seller_note": Column("venderRemark", plain),
}
LINE: Final = {
    "external_id": Column("skuId", code),
    "sku_code": Column("outerSkuId|skuId", code),
    "title": Column("skuName", plain),
    "quantity": Column("itemTotal", count),
    "unit_price": Column("jdPrice", plain),
}
COUPON: Final = {"sku": Column("skuId", code), "price": Column("couponPrice", plain)}
RECEIVER: Final = {
    "province": Column("province", plain),
    "city": Column("city", plain),
    "district": Column("county", plain),
    "line": Column("fullAddress", plain),
    "name": Column("fullname", plain),
    "phone": Column("mobile|telephone", code),
}


def translate(raw: RawMessage, connection: Connection) -> IncomingOrder:
    """Return the order that a message is; raises ``Untranslatable`` naming the field and the value."""
    source = renaming.opened(raw, connection.currency, platform=PLATFORM, refused_by="error_response")
    remarks: list[Sentence] = []
    reader = renaming.renamed(source, ORDER, remarks)
    meaning = reader.meaning("state", STATES)
    renaming.check_same(reader.code("external_id"), raw, field="orderId")
    lines = renaming.lines(source, "itemInfoList", LINE, remarks)
    renaming.tell_apart(lines)
    for line, discount in zip(lines, _discounts(source, reader, lines), strict=True):
        line.values = {**line.values, "discount": discount, "is_cancelled": meaning is Meaning.CANCELLED}
    revision = renaming.revision(reader.time("changed_at"), meaning.value)
    settled = {**_settled(source, reader, meaning), "revision": revision, "currency": "CNY"}
    reader.values = {**reader.values, **settled}
    to, token = _receiver(source, remarks)
    has_place = to.values["province"] or meaning is not Meaning.CANCELLED
    order = facts.order(reader, to=to if has_place else None, lines=lines, currency="CNY")
    address = replace(order.address, token=token)
    return replace(order, address=address, must_not_ship=HELD.get(meaning), remarks=tuple(remarks))


def head(payload: bytes) -> tuple[str, int]:
    """Return the order's number and the revision of a message, 0 when it cannot be read."""
    source = fields.decode(payload)
    reader = renaming.renamed(source, ORDER, [])
    meaning = STATES.get(str(reader.values["state"]))
    try:
        return str(source.get("orderId")), renaming.revision(reader.time("changed_at"), meaning.value if meaning else 0)
    except Untranslatable:
        return str(source.get("orderId")), 0


def _settled(source: dict[str, Any], reader: Fields, meaning: Meaning) -> dict[str, Any]:
    """Return the values as far as the state lets them count."""
    values: dict[str, Any] = {"paid_at": reader.values["paid_at"], "cancelled_at": None, "shipped_at": None}
    if meaning is Meaning.UNPAID:
        values["paid_at"] = None
    elif not values["paid_at"] and meaning not in MAY_BE_UNPAID:
        if not str(source.get("payType") or "").startswith(CASH_ON_DELIVERY):
            reader.missing("paid_at")
        reader.remarks.append(say("Cash on delivery: ready to ship although nothing is paid yet."))
        values["paid_at"] = reader.values["placed_at"]
    values["paid_amount"] = reader.values["paid_amount"] if values["paid_at"] and reader.values["paid_at"] else None
    if meaning is Meaning.CANCELLED:
        values["cancelled_at"] = reader.values["ended_at"] or reader.values["changed_at"]
        values["cancel_reason"] = CANCEL_REASON
    if meaning in WENT_OUT:
        values["shipped_at"] = reader.values["changed_at"]
    return values


def _discounts(source: dict[str, Any], reader: Fields, lines: list[Fields]) -> list[Decimal]:
    """Return each line's discount: as the coupons say when they add up to the seller's, else shared out by amount."""
    total = reader.money_or_zero("discount")
    amounts = [line.quantity("quantity") * line.money("unit_price") for line in lines]
    by_sku: defaultdict[str, Decimal] = defaultdict(Decimal)
    for coupon in renaming.lines(source, "couponDetailList", COUPON, reader.remarks):
        by_sku[str(coupon.values["sku"])] += coupon.money_or_zero("price")
    told = [by_sku.get(str(line.values["external_id"]), Decimal(0)) for line in lines]
    fits = sum(told, Decimal(0)) == total and all(one <= most for one, most in zip(told, amounts, strict=True))
    return told if fits else renaming.shared(total, amounts)


def _receiver(source: dict[str, Any], remarks: list[Sentence]) -> tuple[Fields, str]:
    """Return readers of the receiver as shown, and the token of an encrypted one."""
    about = source.get("consigneeInfo") or {}
    reader = renaming.renamed(about, RECEIVER, remarks, "consigneeInfo.")
    if not SHOWN.fullmatch(str(reader.values["phone"] or "")):
        reader.values = {**reader.values, "name": "", "phone": "", "line": ""}
        return reader, renaming.token(about, ("fullname", "mobile", "fullAddress"), remarks)
    place = "".join(str(reader.values[name] or "") for name in ("province", "city", "district"))
    line = reader.values["line"]
    reader.values = {**reader.values, "line": line.removeprefix(place) if isinstance(line, str) else line}
    return reader, ""
