"""A Square order or return into the house language. Pure: bytes in, facts out.

Money is whole smallest units. A line without ``catalog_object_id`` (a custom amount) goes by its own ``uid``. What was
sold at the till, or is taken at the store, has the place of its location as its address. Not verified against the live
platform (documented guesses): an open order with nothing left to pay was paid with its last tender; the goods of a
return come back; ``NO_DECIMALS``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from channels.adapters import facts, fields
from channels.adapters.fields import Fields
from channels.adapters.protocol import Connection
from channels.adapters.square import statuses
from channels.adapters.square.statuses import Meaning, Way
from channels.messages import IncomingOrder, IncomingRefund, RawMessage, Untranslatable

NOT_FETCHED: Final = b'{"errors": [{"code": "NOT_FOUND"}]}'
NO_DECIMALS: Final = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
LARGEST: Final = 10**12
NAMES: Final = {
    "external_id": "id",
    "placed_at": "created_at",
    "currency": "total_money.currency",
    "buyer_key": "customer_id",
    "paid_at": "tenders",
    "paid_amount": "total_money",
    "shipping_amount": "total_service_charge_money",
}
LINE_NAMES: Final = {
    "external_id": "uid",
    "sku_code": "catalog_object_id",
    "title": "name",
    "unit_price": "gross_sales_money",
    "discount": "total_discount_money",
}
ADDRESS_NAMES: Final = {
    "province": "address.administrative_district_level_1",
    "city": "address.locality",
    "line": "address.address_line_1",
    "country": "address.country",
    "name": "display_name",
    "phone": "phone_number",
}


def translate(raw: RawMessage, connection: Connection) -> IncomingOrder | IncomingRefund:
    """Return the order or return in a message; raises ``Untranslatable`` naming the field and the value."""
    order = Fields(fields.decode(raw.payload), [])
    if "errors" in order.values:
        raise Untranslatable("not_fetched", say("Square did not hand out this order."))
    if raw.kind == "refund":
        return _refund(order, raw, connection.currency)
    return _order(order, connection)


def revision_of(order: Mapping[str, Any]) -> int:
    """Return when an order was changed as epoch milliseconds, 0 when it cannot be read; not all have a version."""
    try:
        return fields.milliseconds(Fields(order, []).time("updated_at"))
    except Untranslatable:
        return 0


def sold_in(order: Mapping[str, Any]) -> str:
    """Return the order in which the goods of a return were sold, empty when nobody linked it."""
    returns = order.get("returns")
    first = returns[0] if isinstance(returns, list) and returns else None
    told = first.get("source_order_id") if isinstance(first, dict) else None
    return told if isinstance(told, str) else ""


def decimals_of(currency: object) -> int:
    """Return how many decimals a currency's amounts have."""
    return 0 if currency in NO_DECIMALS else 2


# -- orders ---------------------------------------------------------------------------------------


def _order(order: Fields, connection: Connection) -> IncomingOrder:
    currency, told = connection.currency, order.values
    meaning = order.meaning("state", statuses.ORDER)
    total = _money(order, "total_money", currency)
    has_due = bool(told.get("net_amount_due_money")) or meaning is Meaning.DONE
    due = _money(order, "net_amount_due_money", currency) if has_due else total
    is_paid = meaning is Meaning.DONE or (due == 0 and (total == 0 or bool(order.objects("tenders"))))
    is_cancelled = meaning is Meaning.CANCELLED
    lines = [_line(line, currency) for line in order.objects("line_items")]
    charges = _money(order, "total_service_charge_money", currency)
    _remark_tax(order, lines, total - charges - _money(order, "total_tip_money", currency))
    updated_at = order.time("updated_at")
    sent = [each for each in order.objects("fulfillments") if _way(each) is Way.SENT]
    values = {
        "external_id": told.get("id"),
        "revision": fields.milliseconds(updated_at),
        "placed_at": told.get("created_at"),
        "currency": (order.inner("total_money") or order).values.get("currency"),
        "paid_at": _paid_at(order, meaning).isoformat() if is_paid else None,
        "paid_amount": total - due if is_paid else None,
        "cancelled_at": (order.time_or_none("closed_at") or updated_at).isoformat() if is_cancelled else None,
        "shipping_amount": charges,
        "shipped_at": _shipped_at(order, sent, meaning),
        "buyer_key": told.get("customer_id"),
    }
    reader = Fields(values, order.remarks, names=NAMES)
    held = _hold(order, sent) if meaning is Meaning.OPEN else None
    return facts.order(reader, to=_receiver(order, sent, connection), lines=lines, currency=currency, held=held)


def _money(reader: Fields, name: str, currency: str) -> Decimal:
    """Return an amount of whole smallest units as the house writes it, 0 when absent."""
    money = reader.inner(name)
    if money is None:
        return Decimal(0)
    amount = money.values.get("amount")
    if type(amount) is not int or not 0 <= amount <= LARGEST:
        money.bad_value("amount", "bad_price")
    told = money.values.get("currency")
    if amount and told != currency:
        what = {"field": money.label("currency"), "value": str(told)[:60], "currency": currency}
        sentence = say("%(field)s is %(value)s, but this channel sells in %(currency)s.", **what)
        raise Untranslatable("wrong_currency", sentence)
    return Decimal(amount).scaleb(-decimals_of(currency))


def _paid_at(order: Fields, meaning: Meaning) -> datetime:
    times = [tender.time("created_at") for tender in order.objects("tenders") if tender.values.get("created_at")]
    closed_at = order.time_or_none("closed_at") if meaning is Meaning.DONE else None
    return max(times, default=closed_at or order.time("created_at"))


def _line(line: Fields, currency: str) -> Fields:
    """Return a line under the house's names; modifiers are in its gross, which may not divide by its quantity."""
    quantity = _quantity(line)
    gross, discount = _money(line, "gross_sales_money", currency), _money(line, "total_discount_money", currency)
    if "gross_sales_money" not in line.values:
        gross = quantity * _money(line, "base_price_money", currency)
    unit_price = (gross / quantity).quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_CEILING)
    names = [line.text(name, facts.LONGEST_TITLE) for name in ("name", "variation_name")]
    values = {
        "external_id": line.values.get("uid"),
        "sku_code": line.values.get("catalog_object_id") or line.values.get("uid"),
        "title": " ".join(filter(None, names)),
        "quantity": quantity,
        "unit_price": unit_price,
        "discount": quantity * unit_price - gross + discount,
    }
    return Fields(values, line.remarks, line.where, LINE_NAMES)


def _quantity(line: Fields) -> int:
    """Return a quantity, which comes as a decimal text; what is sold by weight has no whole units and is refused."""
    text = line.values.get("quantity")
    whole, _, rest = text.partition(".") if isinstance(text, str) else ("", "", "")
    if not (whole.isascii() and whole.isdigit() and len(whole) < 10) or rest.strip("0"):
        line.bad_value("quantity", "bad_quantity")
    return Fields({"quantity": int(whole)}, [], line.where).quantity("quantity")


def _remark_tax(order: Fields, lines: Sequence[Fields], collected: Decimal) -> None:
    told = [line.values for line in lines]
    tax = collected - sum((each["quantity"] * each["unit_price"] - each["discount"] for each in told), Decimal(0))
    if tax > 0:
        order.remarks.append(say("Tax of %(amount)s comes on top of the lines.", amount=str(tax)))


# -- where it goes --------------------------------------------------------------------------------


def _way(fulfillment: Fields) -> Way:
    return fulfillment.meaning("type", statuses.WAYS)


def _hold(order: Fields, sent: Sequence[Fields]) -> Sentence | None:
    states = [each.meaning("state", statuses.FULFILLMENT) for each in sent]
    if sent:
        return statuses.STOPPED if all(state is Meaning.CANCELLED for state in states) else None
    return statuses.PICKUP if order.objects("fulfillments") else None


def _shipped_at(order: Fields, sent: Sequence[Fields], meaning: Meaning) -> str | None:
    """Return when goods left: a parcel by its fulfillment, a sale at the till when it was closed."""
    done = [each for each in sent if each.meaning("state", statuses.FULFILLMENT) is Meaning.DONE]
    if not done and (sent or meaning is not Meaning.DONE):
        return None
    details = [each.inner(statuses.DETAILS[each.values["type"]]) for each in done]
    times = [each.time("shipped_at") for each in details if each and each.values.get("shipped_at")]
    closed_at = order.time_or_none("closed_at") or order.time("updated_at")
    return min(times, default=closed_at).isoformat()


def _receiver(order: Fields, sent: Sequence[Fields], connection: Connection) -> Fields | None:
    for each in sent:
        details = each.inner(statuses.DETAILS[each.values["type"]])
        recipient = details.inner("recipient") if details else None
        if recipient:
            return _address(recipient)
    place = (connection.options.get("locations") or {}).get(str(order.values.get("location_id")))
    return Fields(place, order.remarks, "locations.") if isinstance(place, dict) and place.get("province") else None


def _address(recipient: Fields) -> Fields | None:
    to = recipient.inner("address")
    if to is None:
        return None
    told = to.values
    parts = [to.text(name, facts.LONGEST_ADDRESS) for name in ("address_line_1", "address_line_2")]
    values = {
        "province": told.get("administrative_district_level_1") or told.get("locality") or told.get("country"),
        "city": told.get("locality"),
        "line": " ".join(filter(None, parts)),
        "country": told.get("country"),
        "name": recipient.values.get("display_name"),
        "phone": recipient.values.get("phone_number"),
    }
    return Fields(values, recipient.remarks, recipient.where, ADDRESS_NAMES)


# -- returns --------------------------------------------------------------------------------------


def _refund(order: Fields, raw: RawMessage, currency: str) -> IncomingRefund:
    returns, refunds = order.objects("returns"), order.objects("refunds")
    for each in returns:
        if each.code("source_order_id") != raw.external_id:
            each.bad_value("source_order_id", "bad_value")
    states = {refund.meaning("status", statuses.REFUND) for refund in refunds}
    state = facts.slowest(states) or order.meaning("state", statuses.RETURN)
    lines = [line for each in returns for line in each.objects("return_line_items")]
    amounts = order.inner("return_amounts")
    amount = _money(amounts, "total_money", currency) if amounts else Decimal(0)
    if not lines:  # without lines it would be about the whole order
        what = {"platform": "Square", "amount": str(amount)}
        raise Untranslatable("no_goods", say("%(platform)s paid %(amount)s back without naming goods.", **what))
    reasons = [refund.text("reason", facts.LONGEST_REASON) for refund in refunds]
    values = {
        "external_id": raw.external_id,
        "refund_id": order.code("id"),
        "revision": revision_of(order.values),
        "amount": amount,
        "reason": "; ".join(filter(None, reasons))[: facts.LONGEST_REASON],
        "asked_at": order.values.get("created_at"),
    }
    reader, back = Fields(values, order.remarks, names=NAMES), [_given_back(line) for line in lines]
    return facts.refund(reader, back, state=state, currency=currency, goods_come_back=True)


def _given_back(line: Fields) -> Fields:
    values = {"external_id": line.code("source_line_item_uid"), "quantity": _quantity(line)}
    return Fields(values, line.remarks, line.where)
