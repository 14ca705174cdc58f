"""Orders and after-sales of the shop into the house language. Pure: bytes in, facts out.

Not verified against the live platform (documented guesses): the statuses of ``HELD``; ``PAID_AT_ONCE``, the payment
method whose ``order_price`` is really paid (the others are paid later); the meaning of ``REFUNDS`` but the withdrawn,
the done and MERCHANT_FAIL; ``GOODS_COME_BACK``, the type of an after-sale with a return; that ``real_price`` is what
the buyer pays for the whole line.
"""

from collections.abc import Mapping
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields, renaming
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.renaming import Column
from channels.messages import Incoming, IncomingOrder, IncomingRefund, RawMessage, RefundState

PLATFORM: Final = "WeChat Shop"
UNPAID, TO_SHIP, PART_SHIPPED, SHIPPED, DONE = 10, 20, 21, 30, 100
CANCELLED: Final = {
    190: "Cancelled by the shop: sold out",
    200: "Cancelled after all items were refunded",
    250: "Cancelled",
}
HELD: Final = {
    12: say("A gift that nobody has accepted yet."),
    13: say("A group buy that is still forming."),
}
STATUSES: Final = frozenset({UNPAID, *HELD, TO_SHIP, PART_SHIPPED, SHIPPED, DONE, *CANCELLED})
PAID_AT_ONCE: Final = 1
REFUNDS: Final = {
    "MERCHANT_PROCESSING": RefundState.ASKED,
    "USER_WAIT_CONFIRM": RefundState.ASKED,
    "USER_WAIT_CONFIRM_UPDATE": RefundState.ASKED,
    "USER_WAIT_HANDLE_MERCHANT_AFTER_SALE": RefundState.ASKED,
    "USER_WAIT_RETURN": RefundState.AGREED,
    "MERCHANT_WAIT_RECEIPT": RefundState.AGREED,
    "MERCHANT_OVERDUE_REFUND": RefundState.AGREED,
    "PLATFORM_REFUNDING": RefundState.AGREED,
    "PLATFORM_REFUND_FAIL": RefundState.AGREED,
    "MERCHANT_REFUND_RETRY_FAIL": RefundState.AGREED,
    "MERCHANT_REFUND_SUCCESS": RefundState.REFUNDED,
    "MERCHANT_RETURN_SUCCESS": RefundState.REFUNDED,
    "USER_CANCELD": RefundState.CLOSED,
    "MERCHANT_REJECT_REFUND": RefundState.CLOSED,
    "MERCHANT_REJECT_RETURN": RefundState.CLOSED,
    "RETURN_CLOSED": RefundState.CLOSED,
    "MERCHANT_FAIL": RefundState.CLOSED,
}
GOODS_COME_BACK: Final = "RETURN"
GIFT_LINE: Final = ":gift"
# The house's name: the platform's.
ORDER: Final = {
    "external_id": "order_id",
    "placed_at": "create_time",
    "revision": "update_time",
    "paid_at": "pay_time",
    "shipped_at": "ship_done_time",
    "shipping_amount": "freight",
    "paid_amount": "order_price",
    "buyer_key": "openid",
    "buyer_note": "customer_notes",
    "seller_note": "merchant_notes",
}
ADDRESS: Final = {"province": "province_name", "city": "city_name", "district": "county_name", "name": "user_name"}
LINE: Final = {"external_id": "product_id", "quantity": "sku_cnt", "unit_price": "sale_price", "net": "real_price"}
REFUND: Final = {
    "external_id": Column("order_id", renaming.code),
    "refund_id": Column("after_sale_order_id", renaming.code),
    "amount": Column("amount", renaming.fen),
    "asked_at": Column("create_time", renaming.seconds),
    "reason": Column("reason_text", renaming.plain),
}


def translate(raw: RawMessage, connection: Connection) -> Incoming:
    """Return the order or the after-sale in a message; raises ``Untranslatable`` naming the field and the value."""
    answer = fields.decode(raw.payload)
    if answer.get("errcode"):
        renaming.check_handed_out(answer, raw, platform=PLATFORM, refused_by="errcode")
    renaming.check_currency(connection.currency, platform=PLATFORM)
    if raw.kind == "refund":
        return _refund(_inside(Fields(answer, []), "after_sale_order"))
    return _order(_inside(Fields(answer, []), "order"), raw)


def revision_of(order: object) -> int:
    """Return an order's time of modification in milliseconds, 0 when it has none that can be read.

    Its status, which only grows, decides the milliseconds: two changes in one second stay apart.
    """
    told, status = (order.get("update_time"), order.get("status")) if isinstance(order, Mapping) else (None, None)
    if type(told) is not int or not 0 <= told < 2**50:
        return 0
    return told * 1000 + (status if type(status) is int and 0 <= status < 1000 else 0)


def refund_revision_of(refund: object) -> int:
    """Return an after-sale's time of modification; its number decides the milliseconds.

    Several after-sales of one order lie under that order's number: asked for in the same second, they stay apart.
    """
    told = str(refund.get("after_sale_order_id")) if isinstance(refund, Mapping) else ""
    return revision_of(refund) + renaming.tail(told)


# -- orders ---------------------------------------------------------------------------------------


def _order(order: Fields, raw: RawMessage) -> IncomingOrder:
    status = order.values.get("status")
    if type(status) is not int or status not in STATUSES:
        renaming.unknown("status", status)
    detail = _inside(order, "order_detail")
    delivery = detail.inner("delivery_info") or Fields({}, [])
    reader = Fields(_order_values(order, detail, delivery, status), order.remarks, "", ORDER)
    renaming.check_same(reader.code("external_id"), raw, field="order_id")
    must_ship = status in (TO_SHIP, PART_SHIPPED)
    if status not in (UNPAID, *HELD, *CANCELLED) and not reader.values["paid_at"]:
        reader.missing("paid_at")
    to = _address(delivery, is_required=must_ship, remarks=order.remarks)
    return facts.order(reader, to=to, lines=_lines(detail, status), currency="CNY", held=HELD.get(status))


def _order_values(order: Fields, detail: Fields, delivery: Fields, status: int) -> dict[str, Any]:
    price, pay, notes = (detail.inner(name) or Fields({}, []) for name in ("price_info", "pay_info", "ext_info"))
    updated, method = order.values.get("update_time"), pay.values.get("payment_method", PAID_AT_ONCE)
    is_paid = bool(pay.values.get("pay_time")) and status != UNPAID
    if is_paid and method != PAID_AT_ONCE:
        order.remarks.append(say("The buyer pays later: ready to ship although nothing is paid yet."))
    parcels = [row for row in _rows(delivery, "delivery_product_info") if isinstance(row, dict)]
    left = delivery.values.get("ship_done_time") or next((row.get("delivery_time") for row in parcels), None)
    deadlines = [row.get("delivery_deadline") for row in _rows(detail, "product_infos") if isinstance(row, dict)]
    due = min((told for told in deadlines if type(told) is int and told > 0), default=None)
    return {
        "external_id": renaming.code(order.values.get("order_id")),
        "revision": revision_of(order.values) if updated is not None else None,
        "placed_at": renaming.seconds(order.values.get("create_time")),
        "currency": "CNY",
        "paid_at": renaming.seconds(pay.values.get("pay_time")) if status != UNPAID else None,
        "cancelled_at": renaming.seconds(updated) if status in CANCELLED else None,
        "cancel_reason": CANCELLED.get(status, ""),
        "shipping_amount": renaming.fen(price.values.get("freight")),
        "paid_amount": renaming.fen(price.values.get("order_price")) if is_paid and method == PAID_AT_ONCE else None,
        "buyer_key": renaming.buyer_key(order.values.get("openid")),
        "buyer_note": notes.values.get("customer_notes"),
        "seller_note": notes.values.get("merchant_notes"),
        "ship_by": renaming.seconds(due) if status in (TO_SHIP, PART_SHIPPED) else None,
        "shipped_at": renaming.seconds(left or updated) if status in (PART_SHIPPED, SHIPPED, DONE) else None,
    }


def _address(delivery: Fields, *, is_required: bool, remarks: list[Sentence]) -> Fields | None:
    told = delivery.values.get("address_info")
    values: Mapping[str, Any] = told if isinstance(told, dict) else {}
    if not is_required and not values.get("province_name"):
        return None
    line = f"{values.get('detail_info') or ''}{values.get('house_number') or ''}"
    phone = values.get("tel_number") or values.get("virtual_order_tel_number")
    is_masked = any("*" in str(part) for part in (values.get("user_name"), phone, line))
    house = {name: values.get(theirs) for name, theirs in ADDRESS.items()}
    token = (values.get("hash_code") or "") if is_masked else ""
    return Fields({**house, "line": line, "phone": phone, "token": token}, remarks, "address_info.", ADDRESS)


def _lines(detail: Fields, status: int) -> list[Fields]:
    return [_line(row, place, detail.remarks, status) for place, row in enumerate(_rows(detail, "product_infos"))]


def _line(row: Any, place: int, remarks: list[Sentence], status: int) -> Fields:
    where = f"product_infos[{place}]"
    if not isinstance(row, dict):
        Fields({where: row}, remarks).bad_value(where, "bad_value")
    values = {"quantity": row.get("sku_cnt"), "title": row.get("title")}
    values |= {"unit_price": renaming.fen(row.get("sale_price")), "net": renaming.fen(row.get("real_price"))}
    values["external_id"] = _line_id(Fields(row, remarks, f"{where}."))
    codes = (row.get(name) for name in ("sku_code", "out_sku_id", "sku_id"))
    values["sku_code"] = renaming.code(next((code for code in codes if code), None))
    line = Fields(values, remarks, f"{where}.", LINE)
    values |= renaming.as_paid(line, line.money_or_none("net"))
    back = row.get("finish_aftersale_sku_cnt")
    values["is_cancelled"] = status in (TO_SHIP, *CANCELLED) and type(back) is int and back >= line.quantity("quantity")
    return line


def _line_id(line: Fields) -> str:
    """Return what names a line: the platform has no number for it. A gift of the same SKU is a line of its own."""
    gift = GIFT_LINE if line.values.get("is_free_gift") is True else ""
    ids = {name: renaming.code(line.values.get(name)) for name in ("product_id", "sku_id")}
    reader = Fields(ids, line.remarks, line.where)
    return f"{reader.code('product_id')}:{reader.code('sku_id')}{gift}"


# -- after-sales ----------------------------------------------------------------------------------


def _refund(refund: Fields) -> IncomingRefund:
    state = refund.meaning("status", REFUNDS)
    product, money = _inside(refund, "product_info"), _inside(refund, "refund_info")
    reader = renaming.renamed({**refund.values, "amount": money.values.get("amount")}, REFUND, refund.remarks)
    reader.time("asked_at")
    if refund.values.get("update_time") is None:
        refund.missing("update_time")
    reader.values = {**reader.values, "revision": refund_revision_of(refund.values)}
    line = Fields({"external_id": _line_id(product), "quantity": product.quantity("count")}, refund.remarks)
    goods_come_back = refund.values.get("type") == GOODS_COME_BACK
    return facts.refund(reader, [line], state=state, currency="CNY", goods_come_back=goods_come_back)


# -- values ---------------------------------------------------------------------------------------


def _inside(reader: Fields, name: str) -> Fields:
    return reader.inner(name) or reader.missing(name)


def _rows(reader: Fields, name: str) -> list[Any]:
    rows = reader.values.get(name) or []
    return rows if isinstance(rows, list) else reader.bad_value(name, "bad_value")
