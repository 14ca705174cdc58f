"""A Shopify order or refund into the house language. Pure: bytes in, facts out.

Not verified against the live platform (documented guesses): a paid order was paid when it was ``processed_at``;
``discount_allocations`` hold all of a line's share of discounts, and ``total_discount`` does where they are absent;
``current_quantity`` is what is left of a line that nobody has shipped yet.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.shopify import statuses
from channels.adapters.shopify.statuses import Money
from channels.messages import IncomingOrder, IncomingRefund, RawMessage, RefundState, Untranslatable

NOT_FETCHED: Final = b'{"errors": "Not Found"}'
NAMES: Final = {
    "external_id": "id",
    "revision": "updated_at",
    "placed_at": "created_at",
    "paid_at": "processed_at",
    "shipping_amount": "shipping_lines",
    "paid_amount": "total_price",
    "buyer_key": "customer.id",
    "buyer_note": "note",
}
LINE_NAMES: Final = {"external_id": "id", "sku_code": "sku", "unit_price": "price", "discount": "discount_allocations"}
REFUND_NAMES: Final = {"reason": "note", "asked_at": "created_at"}
ADDRESS_NAMES: Final = {"country": "country_code", "line": "address1"}


def translate(raw: RawMessage, connection: Connection) -> IncomingOrder | IncomingRefund:
    """Return the order or refund in a message; raises ``Untranslatable`` naming the field and the value."""
    remarks: list[Sentence] = []
    told = fields.decode(raw.payload)
    if "errors" in told:
        raise Untranslatable("not_fetched", say("Shopify did not hand out this order."))
    reader = Fields(told, remarks).inner(raw.kind)
    if reader is None:
        Fields(told, remarks).missing(raw.kind)
    if raw.kind == "refund":
        return _refund(Fields(reader.values, remarks), raw.external_id, connection.currency)
    return _order(Fields(reader.values, remarks), told, connection.currency)


# -- what a list needs before anything is translated ----------------------------------------------


def ident(value: object) -> str:
    """Return a number as text; empty for anything that is none."""
    return str(value) if type(value) is int or isinstance(value, str) else ""


def revision_of(order: Mapping[str, Any], display_status: object) -> int:
    """Return an order's time of change in epoch milliseconds with how far it is as the milliseconds, 0 without a time.

    The platform writes whole seconds. Of two changes in one second the one that is further came later: more paid, more
    shipped, cancelled, no longer on hold.
    """
    moment = _moment(order.get("updated_at"))
    money, shipped = order.get("financial_status"), order.get("fulfillment_status")
    rank = 100 * statuses.FURTHER.index(money) if money in statuses.FURTHER else 0
    rank += {"partial": 10, "fulfilled": 20}.get(str(shipped), 0) + (4 if order.get("cancelled_at") else 0)
    return moment // 1000 * 1000 + rank + (0 if display_status in statuses.ON_HOLD else 2) if moment else 0


def _moment(value: object) -> int:
    try:
        moment = Fields({"at": value}, []).time_or_none("at")
    except Untranslatable:
        return 0
    return fields.milliseconds(moment) if moment else 0


def refund_revision(refund: Mapping[str, Any]) -> int:
    """Return when a refund was made, in seconds, then the last three digits of its number, then 1 once it is settled.

    The refunds of an order lie under its number: the digits keep those of one second apart. A refund tells no time of
    its last change, and all that changes is that its money goes from pending to settled.
    """
    number, moment = refund.get("id"), max(map(_moment, (refund.get("created_at"), refund.get("processed_at"))))
    rows = refund.get("transactions")
    words = [row.get("status") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    is_settled = not statuses.UNSETTLED.intersection(word for word in words if isinstance(word, str))
    return moment // 1000 * 10_000 + (number % 1000 * 10 if type(number) is int else 0) + is_settled


def may_ship(order: Mapping[str, Any]) -> bool:
    """Return whether an order's goods may still have to be sent."""
    return not order.get("cancelled_at") and order.get("fulfillment_status") != "fulfilled"


def refunds_of_goods(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the refunds that name goods; money back without goods is a remark on the order."""
    refunds = order.get("refunds")
    rows = refunds if isinstance(refunds, list) else []
    return [refund for refund in rows if isinstance(refund, dict) and refund.get("refund_line_items")]


# -- orders ---------------------------------------------------------------------------------------


def _order(order: Fields, told: Mapping[str, Any], currency: str) -> IncomingOrder:
    money = order.meaning("financial_status", statuses.FINANCIAL)
    has_shipped = order.meaning("fulfillment_status", statuses.SHIPPED)
    hold = Fields(told, []).meaning("display_fulfillment_status", statuses.HOLDS) if may_ship(order.values) else None
    updated_at = order.time("updated_at")
    cancelled_at = _cancelled_at(order, money, updated_at, has_shipped=has_shipped)
    is_paid = money in (Money.PAID, Money.REFUNDED)
    customer = order.inner("customer")
    values = {
        "external_id": order.ident("id"),
        "revision": revision_of(order.values, told.get("display_fulfillment_status")),
        "placed_at": order.values.get("created_at"),
        "currency": order.values.get("currency"),
        "paid_at": (order.values.get("processed_at") or order.values.get("created_at")) if is_paid else None,
        "paid_amount": order.values.get("total_price") if is_paid else None,
        "cancelled_at": cancelled_at.isoformat() if cancelled_at else None,
        "cancel_reason": _cancel_reason(order) if cancelled_at else None,
        "shipping_amount": _sum(order.objects("shipping_lines"), "discounted_price", "price"),
        "shipped_at": _shipped_at(order, updated_at).isoformat() if has_shipped else None,
        "buyer_key": ident(customer.values.get("id")) if customer else None,
        "buyer_name": _name(customer) if customer else None,
        "buyer_note": order.values.get("note"),
    }
    _remark(order)
    lines = [_line(line, has_shipped=has_shipped) for line in order.objects("line_items")]
    reader = Fields(values, order.remarks, names=NAMES)
    held = None if cancelled_at else statuses.TEST if order.flag("test") else hold
    return facts.order(reader, to=_address(order), lines=lines, currency=currency, held=held)


def _cancelled_at(order: Fields, money: Money, updated_at: datetime, *, has_shipped: bool) -> datetime | None:
    told = order.time_or_none("cancelled_at")
    if told or money is Money.GONE or (money is Money.REFUNDED and not has_shipped):
        return told or updated_at
    return None


def _cancel_reason(order: Fields) -> str:
    told = order.text("cancel_reason", facts.LONGEST_REASON)
    return told or statuses.CANCEL_REASONS.get(order.values["financial_status"], "")


def _shipped_at(order: Fields, updated_at: datetime) -> datetime:
    sent = [row for row in order.objects("fulfillments") if row.values.get("status", "success") == "success"]
    return min([row.time("created_at") for row in sent if row.values.get("created_at")], default=updated_at)


def _name(reader: Fields) -> str:
    parts = [reader.text(name, facts.LONGEST_NAME) for name in ("first_name", "last_name")]
    return (reader.text("name", facts.LONGEST_NAME) or " ".join(filter(None, parts)))[: facts.LONGEST_NAME]


def _address(order: Fields) -> Fields | None:
    """Return the receiver; a country without provinces is told by its city. Not every order is sent somewhere."""
    to = order.inner("shipping_address")
    if to is None:
        return None
    told = to.values
    parts = [to.text(name, facts.LONGEST_ADDRESS) for name in ("address1", "address2")]
    values = {
        "province": told.get("province") or told.get("province_code") or told.get("city") or told.get("country_code"),
        "city": told.get("city"),
        "line": " ".join(filter(None, parts)),
        "country": told.get("country_code"),
        "name": _name(to),
        "phone": told.get("phone"),
    }
    return Fields(values, order.remarks, to.where, ADDRESS_NAMES)


def _remark(order: Fields) -> None:
    tax = order.money_or_zero("total_tax")
    if tax and not order.flag("taxes_included"):
        order.remarks.append(say("Tax of %(amount)s comes on top of the lines.", amount=str(tax)))
    for refund in order.objects("refunds"):
        back = _sum(_refunding(refund), "amount")
        if back and not refund.values.get("refund_line_items"):
            order.remarks.append(
                say("%(platform)s paid %(amount)s back without naming goods.", platform="Shopify", amount=str(back))
            )


def _line(line: Fields, *, has_shipped: bool) -> Fields:
    """Return a line under the house's names; what was taken off an order before it was sent is not on it any more."""
    told, sold = line.values, line.quantity("quantity")
    left = told.get("current_quantity", sold)
    is_edited = not has_shipped and type(left) is int and left < sold
    allocations = line.objects("discount_allocations")
    values = {
        "external_id": line.ident("id"),
        "sku_code": told.get("sku") or ident(told.get("variant_id")) or line.ident("id"),
        "title": " / ".join(filter(None, (line.text("title", 200), line.text("variant_title", 200)))),
        "quantity": left if is_edited and left > 0 else sold,
        "unit_price": told.get("price"),
        "discount": _sum(allocations, "amount") if allocations else told.get("total_discount"),
        "is_cancelled": is_edited and left <= 0,
    }
    return Fields(values, line.remarks, line.where, LINE_NAMES)


# -- refunds --------------------------------------------------------------------------------------


def _refund(refund: Fields, order_id: str, currency: str) -> IncomingRefund:
    transactions = refund.objects("transactions")
    for transaction in transactions:
        if transaction.values.get("currency", currency) != currency:
            transaction.bad_value("currency", "wrong_currency")
    lines = refund.objects("refund_line_items")
    values = {
        "external_id": order_id,
        "refund_id": refund.ident("id"),
        "revision": refund_revision(refund.values),
        "amount": _sum(_refunding(refund), "amount"),
        "reason": refund.values.get("note"),
        "asked_at": refund.values.get("created_at"),
    }
    states = {row.meaning("status", statuses.TRANSACTIONS) for row in _of_refunds(transactions)}
    return facts.refund(
        Fields(values, refund.remarks, names=REFUND_NAMES),
        [_refunded(line) for line in lines],
        state=facts.slowest(states) or RefundState.REFUNDED,  # one without any money is done
        currency=currency,
        goods_come_back=any(line.values.get("restock_type") == "return" for line in lines),
    )


def _refunded(line: Fields) -> Fields:
    values = {"external_id": line.ident("line_item_id"), "quantity": line.quantity("quantity")}
    return Fields(values, line.remarks, line.where)


def _of_refunds(transactions: list[Fields]) -> list[Fields]:
    return [row for row in transactions if row.values.get("kind", "refund") == "refund"]


def _refunding(refund: Fields) -> list[Fields]:
    rows = _of_refunds(refund.objects("transactions"))
    return [row for row in rows if row.meaning("status", statuses.TRANSACTIONS) is not RefundState.CLOSED]


def _sum(rows: list[Fields], *names: str) -> Decimal:
    """Return the sum of the rows' amounts, each under the first of these names that is there."""
    return sum(
        [row.money(next((name for name in names if row.values.get(name)), names[-1])) for row in rows], Decimal(0)
    )
