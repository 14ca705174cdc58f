"""Orders and after-sales of Weimob into the house language. Pure: bytes in, facts out.

Not verified against the live platform (documented guesses): a line's ``shouldPayAmount`` is what the buyer pays for the
whole line, and what the order's is above the lines' sum is shipping; an offline payment (``OFFLINE``) without a time of
payment releases the order; how ``currency`` of an after-sale is written (``CURRENCIES``).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields, renaming
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.renaming import Column, code, count, plain
from channels.messages import (
    Incoming,
    IncomingOrder,
    IncomingRefund,
    RawMessage,
    RefundState,
    Untranslatable,
)

PLATFORM: Final = "Weimob"
UNPAID: Final = frozenset({0, 1})
HELD: Final = 2
SHIPPED: Final = frozenset({4, 5, 7, 8})
CANCELLED: Final = 9
STATUSES: Final = {status: status for status in (0, 1, 2, 3, 4, 5, 7, 8, 9)}
STILL_PROCESSED: Final = say("Weimob is still processing this paid order: it may not ship yet.")
DELIVERY: Final[dict[int | None, Sentence | None]] = {
    None: None,
    0: None,
    1: None,
    2: None,
    3: say("The buyer takes this order at the store."),
    4: say("The buyer took the goods at the counter."),
    5: say("Nothing of this order is sent by parcel."),
}
OFFLINE: Final = 2
CURRENCIES: Final = ("", "CNY", "RMB", "人民币")
RIGHTS: Final = {
    1: RefundState.ASKED,
    2: RefundState.AGREED,
    3: RefundState.AGREED,
    5: RefundState.AGREED,
    6: RefundState.REFUNDED,
    7: RefundState.CLOSED,
    8: RefundState.CLOSED,
    9: RefundState.AGREED,
    10: RefundState.AGREED,
}
FURTHER: Final = [RefundState.ASKED, RefundState.AGREED, RefundState.REFUNDED, RefundState.CLOSED]
GOODS_COME_BACK: Final = {1: True, 2: False}  # return and refund, refund only
EXCHANGE: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(value: Any) -> Any:
    """Read epoch milliseconds, a number or its digits; 0 means absent."""
    whole = count(value)
    try:
        return (_EPOCH + timedelta(milliseconds=whole)).isoformat() if type(whole) is int and whole else whole or None
    except OverflowError:
        return str(whole)


def units(value: Any) -> Any:
    """Read whole units, which come as ``"2"`` or ``"2.00"``."""
    return (
        count(value.partition(".")[0]) if isinstance(value, str) and not value.partition(".")[2].strip("0") else value
    )


ORDER: Final = {
    "external_id": Column("orderNo", code),
    "changed_at": Column("updateTime|createTime", moment),
    "placed_at": Column("createTime", moment),
    "paid_at": Column("payTime", moment),
    "paid_amount": Column("payAmount", plain),
    "total": Column("shouldPayAmount", plain),
    "buyer_key": Column("wid", code),
    "buyer_name": Column("userNickName", plain),
    "buyer_note": Column("buyerRemark", plain),
    "seller_note": Column("flagContent", plain),
    "cancel_reason": Column("specialReason|reason", plain),
    "sent_at": Column("deliveryTime|finishDeliveryTime", moment),
}
LINE: Final = {
    "external_id": Column("itemId", code),
    "sku_code": Column("skuCode|outerSkuId|skuBarCode|skuId", code),
    "title": Column("goodsTitle", plain),
    "quantity": Column("skuNum", units),
    "unit_price": Column("salePrice", plain),
    "net": Column("shouldPayAmount", plain),
    "discount": Column("totalDiscountAmount", plain),
}
ADDRESS: Final = {name: Column(name, plain) for name in ("province", "city", "name", "phone")} | {
    "district": Column("county", plain),
    "line": Column("address", plain),
}
REFUND: Final = {
    "external_id": Column("orderNo", code),
    "refund_id": Column("rightsId", code),
    "asked_at": Column("createTime", moment),
    "changed_at": Column("updateTime|createTime", moment),
    "asked": Column("applyAmount|refundAmount", plain),
    "refunded": Column("refundAmount|applyAmount", plain),
    "reason": Column("rightsReason|rightsRemark", plain),
}
REFUND_LINE: Final = {"external_id": Column("orderItemId", code), "quantity": Column("applyNum", units)}


def translate(raw: RawMessage, connection: Connection) -> Incoming:
    """Return the order or the after-sale in a message; raises ``Untranslatable`` naming the field and the value."""
    told = renaming.opened(raw, connection.currency, platform=PLATFORM, refused_by="code")
    if raw.kind == "refund":
        return _refund(renaming.part(told, "rightsInfo"), raw)
    return _order(renaming.part(told, "orderInfo"), raw)


def revision_of(told: Mapping[str, Any]) -> int:
    """Return an order's time of change in epoch milliseconds, then its status, 0 when it has none that can be read.

    Whether the milliseconds are counted is not told: of two changes in one moment the higher status came later.
    """
    try:
        base = renaming.part(renaming.part(told, "orderInfo"), "orderBaseInfo")
        changed_at, status = renaming.renamed(base, ORDER, []).time("changed_at"), count(base.get("orderStatus"))
        return fields.milliseconds(changed_at) * 10 + (status if type(status) is int and status in STATUSES else 0)
    except Untranslatable:
        return 0


def refund_revision_of(rights: Mapping[str, Any]) -> int:
    """Return an after-sale's revision, 0 when it has none that can be read.

    After-sales lie under their order's number: behind the time, their own number's last digits keep those of one moment
    apart, and how far one is keeps its own changes of one moment in order.
    """
    try:
        head = renaming.part(rights, "rightsOrder")
        reader = renaming.renamed(head, REFUND, [])
        number = fields.milliseconds(reader.time("changed_at")) * 1000 + renaming.tail(reader.code("refund_id"))
        status = count(head.get("rightsStatus"))
        return number * 10 + (FURTHER.index(RIGHTS[status]) if type(status) is int and status in RIGHTS else 0)
    except Untranslatable:
        return 0


def _meaning(source: Mapping[str, Any], name: str, table: Mapping[Any, Any]) -> Any:
    """Return what a number means by its table; raises ``Untranslatable`` unknown_status."""
    return Fields({name: count(source.get(name))}, []).meaning(name, table)


def _flat(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the fields of these objects inside ``source`` as one; a later one wins."""
    parts = [part.values for name in names if (part := Fields(source, []).inner(name))]
    return {name: value for part in parts for name, value in part.items()}


# -- orders ---------------------------------------------------------------------------------------


def _order(told: Mapping[str, Any], raw: RawMessage) -> IncomingOrder:
    remarks: list[Sentence] = []
    base = renaming.part(told, "orderBaseInfo")
    status, by_other_way = _meaning(base, "orderStatus", STATUSES), _meaning(base, "deliveryType", DELIVERY)
    flat = _flat(told, "cancelInfo", "flagInfo", "buyerInfo", "payInfo", "orderFulfill") | base
    reader = renaming.renamed(flat, ORDER, remarks)
    renaming.check_same(reader.code("external_id"), raw, field="orderNo")
    lines = renaming.lines({"items": _items(told)}, "items", LINE, remarks)
    nets = [line.money_or_none("net") for line in lines]
    for line, net in zip(lines, nets, strict=True):
        line.values = {**line.values, **renaming.as_paid(line, net)}
    reader.values = {**_settled(reader, status, is_offline=count(base.get("payType")) == OFFLINE), "currency": "CNY"}
    total = reader.money_or_none("total")
    if total is not None and None not in nets:
        reader.values["shipping_amount"] = max(total - sum((net for net in nets if net), Decimal(0)), Decimal(0))
    reader.values["revision"] = revision_of({"orderInfo": told})
    needs_none = status in UNPAID or status == CANCELLED or by_other_way is not None
    to = _receiver(told, remarks, needs_none=needs_none)
    held = None if status == CANCELLED else STILL_PROCESSED if status == HELD else by_other_way
    return facts.order(reader, to=to, lines=lines, currency="CNY", held=held)


def _settled(reader: Fields, status: int, *, is_offline: bool) -> dict[str, Any]:
    """Return the values as far as the status lets them count."""
    values, changed_at = dict(reader.values), reader.time("changed_at")
    if status in UNPAID:
        values["paid_at"] = None
    elif not values["paid_at"] and is_offline and status != CANCELLED:
        reader.remarks.append(say("Cash on delivery: ready to ship although nothing is paid yet."))
        values |= {"paid_at": values["placed_at"], "paid_amount": "0"}
    elif status != CANCELLED:
        reader.time("paid_at")
    if not values["paid_at"]:
        values["paid_amount"] = None
    is_cancelled = status == CANCELLED
    values["cancelled_at"] = changed_at.isoformat() if is_cancelled else None
    values["cancel_reason"] = values["cancel_reason"] if is_cancelled else ""
    values["shipped_at"] = (values["sent_at"] or changed_at.isoformat()) if status in SHIPPED else None
    return values


def _items(told: Mapping[str, Any]) -> list[Any]:
    rows = told.get("items") or []
    if not isinstance(rows, list):
        Fields(told, []).bad_value("items", "bad_value")
    return [{**_flat(row, "itemBizExt", "payInfo"), **row} if isinstance(row, dict) else row for row in rows]


def _receiver(told: Mapping[str, Any], remarks: list[Sentence], *, needs_none: bool) -> Fields | None:
    """Return where and to whom, masked as the platform shows it; not every order is sent, and not every one yet."""
    to = _flat(renaming.part_or_none(told, "orderFulfill"), "receiverInfo")
    if needs_none and not to.get("province"):
        return None
    town, line = to.get("area"), to.get("address")
    if isinstance(town, str) and isinstance(line, str) and not line.startswith(town):
        to["address"] = town + line
    return renaming.renamed(to, ADDRESS, remarks, "receiverInfo.")


# -- after-sales ----------------------------------------------------------------------------------


def _refund(told: Mapping[str, Any], raw: RawMessage) -> IncomingRefund:
    remarks: list[Sentence] = []
    head = renaming.part(told, "rightsOrder")
    if count(head.get("rightsType")) == EXCHANGE:
        raise Untranslatable("not_a_refund", say("The buyer asks to exchange goods: handle this at Weimob."))
    goods_come_back, state = _meaning(head, "rightsType", GOODS_COME_BACK), _meaning(head, "rightsStatus", RIGHTS)
    if (head.get("currency") or "") not in CURRENCIES:
        Fields(head, remarks).bad_value("currency", "wrong_currency")
    number = renaming.part(told, "originOrder").get("orderNo")
    flat = _flat(told, "rightsReason", "refundDetail") | head | {"orderNo": number}
    reader = renaming.renamed(flat, REFUND, remarks)
    renaming.check_same(reader.code("external_id"), raw, field="orderNo")
    lines = renaming.lines(told, "rightsItems", REFUND_LINE, remarks)
    for line in lines:
        line.quantity("quantity")
    name = "refunded" if state is RefundState.REFUNDED else "asked"
    reader.names = {**reader.names, "amount": reader.names[name]}
    reader.values = {**reader.values, "amount": reader.values[name], "revision": refund_revision_of(told)}
    return facts.refund(reader, lines, state=state, currency="CNY", goods_come_back=goods_come_back)
