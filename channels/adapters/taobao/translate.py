"""A TOP trade into the house language. Pure: bytes in, facts out.

Not verified against the live platform (documented guesses): trades are in ``CURRENCY``; a cash-on-delivery trade
(type ``cod``) to be shipped has no ``pay_time`` and counts as released by the platform when it was placed;
``COUNTRIES`` lists the ways to write China.
"""

from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final, NoReturn

from audit.rules.sentences import Sentence, say
from channels.adapters import fields
from channels.adapters.facts import LONGEST_ADDRESS, LONGEST_NAME, LONGEST_NOTE, LONGEST_PHONE, LONGEST_TITLE
from channels.adapters.renaming import LONGEST_TOKEN
from channels.adapters.taobao import statuses
from channels.adapters.taobao.fields import TopFields, read_time
from channels.adapters.taobao.statuses import Meaning
from channels.messages import Address, IncomingLine, IncomingOrder, RawMessage, Untranslatable
from channels.rules import texts

CURRENCY: Final = "CNY"
COUNTRIES: Final = frozenset({"", "CN", "中国", "中国大陆"})
MASK: Final = "*"
_CENT: Final = Decimal("0.01")


def translate(raw: RawMessage, currency: str) -> IncomingOrder:
    """Return the order that a trade is; raises ``Untranslatable`` naming the field and the value."""
    remarks: list[Sentence] = []
    trade = TopFields(fields.decode(raw.payload), remarks)
    _check_fetched(trade, raw)
    if currency != CURRENCY:
        raise Untranslatable(
            "wrong_currency",
            say(
                "Taobao sells in %(sold)s, but this channel in %(currency)s.",
                sold=CURRENCY,
                currency=texts.shown(currency),
            ),
        )
    meaning = _meaning(trade)
    lines = _lines(trade)
    is_cancelled = meaning is Meaning.CANCELLED
    return IncomingOrder(
        external_id=raw.external_id,
        revision=fields.milliseconds(trade.time("modified")),
        placed_at=trade.time("created"),
        currency=CURRENCY,
        lines=lines,
        address=_address(trade, is_required=not is_cancelled),
        paid_at=_paid_at(trade, meaning),
        cancelled_at=(trade.time_or_none("end_time") or trade.time("modified")) if is_cancelled else None,
        cancel_reason=statuses.CANCEL_REASONS.get(trade.values["status"], ""),
        shipping_amount=trade.money_or_zero("post_fee"),
        paid_amount=_paid_amount(trade, meaning),
        buyer_key=_buyer_key(trade),
        buyer_name=trade.text("buyer_nick", LONGEST_NAME),
        buyer_note=trade.text("buyer_message", LONGEST_NOTE),
        seller_note=trade.text("seller_memo", LONGEST_NOTE),
        must_not_ship=_must_not_ship(trade, meaning),
        shipped_at=_shipped_at(trade, meaning),
        remarks=tuple(remarks),
    )


def revision_of(modified: object) -> int:
    """Return a modification time as epoch milliseconds, 0 when it cannot be read."""
    moment = read_time(modified)
    return fields.milliseconds(moment) if moment else 0


def _check_fetched(trade: TopFields, raw: RawMessage) -> None:
    refused = trade.values.get("error_response")
    if refused is not None:
        raise Untranslatable(
            "not_fetched", say("Taobao did not hand out this trade: %(answer)s", answer=texts.shown(refused, limit=200))
        )
    tid = trade.number_text("tid_str", "tid")
    if tid != raw.external_id:
        raise Untranslatable(
            "bad_value",
            say("tid is %(value)s, but the message is about %(tid)s.", value=tid, tid=texts.shown(raw.external_id)),
        )


# -- status ---------------------------------------------------------------------------------------


def _meaning(reader: TopFields, *, unless: str = "") -> Meaning:
    word = reader.values.get("status") or unless
    if not word:
        reader.missing("status")
    meaning = statuses.TRADE.get(word) if isinstance(word, str) else None
    if meaning is None:
        _unknown(reader, "status")
    return meaning


def _unknown(reader: TopFields, name: str) -> NoReturn:
    value = texts.shown(reader.values[name])
    raise Untranslatable(
        "unknown_status",
        say("%(field)s is %(value)s, a word that is not known.", field=reader.where + name, value=value),
    )


def _must_not_ship(trade: TopFields, meaning: Meaning) -> Sentence | None:
    step = trade.values.get("step_trade_status")
    if step and (not isinstance(step, str) or step not in statuses.STEPS):
        _unknown(trade, "step_trade_status")
    if meaning is Meaning.CANCELLED:
        return None
    if meaning is Meaning.HOLD:
        return statuses.FORBIDDEN
    if step and statuses.STEPS[step]:
        return statuses.STEPS[step]
    flagged = any(trade.values.get(name) in (1, "1") for name in statuses.HOLD_FLAGS)
    return statuses.FLAGGED if flagged else None


def _paid_at(trade: TopFields, meaning: Meaning) -> datetime | None:
    if meaning is Meaning.UNPAID:
        return None
    paid_at = trade.time_or_none("pay_time")
    if paid_at or meaning is Meaning.CANCELLED:
        return paid_at
    if trade.values.get("type") == statuses.CASH_ON_DELIVERY:
        trade.remarks.append(say("Cash on delivery: ready to ship although nothing is paid yet."))
        return trade.time("created")
    return trade.missing("pay_time")


def _paid_amount(trade: TopFields, meaning: Meaning) -> Decimal | None:
    if trade.values.get("step_trade_status") == statuses.DEPOSIT_PAID:
        return trade.money_or_none("step_paid_fee")
    if meaning is Meaning.UNPAID or not trade.values.get("pay_time"):
        return None
    return trade.money("payment")


def _shipped_at(trade: TopFields, meaning: Meaning) -> datetime | None:
    if meaning in (Meaning.PART_SHIPPED, Meaning.SHIPPED, Meaning.DONE):
        return trade.time_or_none("consign_time") or trade.time("modified")
    return None


# -- lines ----------------------------------------------------------------------------------------


def _lines(trade: TopFields) -> tuple[IncomingLine, ...]:
    orders = trade.rows("orders", "order")
    if not orders:
        raise Untranslatable("no_lines", say("The order has no lines."))
    lines = tuple([_line(trade, order, place) for place, order in enumerate(orders)])
    seen: set[str] = set()
    for line in lines:
        if line.external_id in seen:
            raise Untranslatable("duplicate_line", say("Two lines have the oid %(value)s.", value=line.external_id))
        seen.add(line.external_id)
    return lines


def _line(trade: TopFields, order: Any, place: int) -> IncomingLine:
    where = f"orders[{place}]"
    if not isinstance(order, dict):
        TopFields({where: order}, trade.remarks).bad_value(where, "bad_value")
    reader = TopFields(order, trade.remarks, where + ".")
    quantity, unit_price = reader.quantity("num"), reader.money("price")
    unit_price, discount = _shared_out(reader, quantity, unit_price)
    return IncomingLine(
        external_id=reader.number_text("oid_str", "oid"),
        sku_code=reader.first_code("outer_sku_id", "outer_iid", "sku_id"),
        title=reader.text("title", LONGEST_TITLE),
        quantity=quantity,
        unit_price=unit_price,
        discount=discount,
        is_cancelled=_meaning(reader, unless=trade.values["status"]) is Meaning.CANCELLED,
    )


def _shared_out(reader: TopFields, quantity: int, unit_price: Decimal) -> tuple[Decimal, Decimal]:
    """Return unit price and line discount so that the line comes to what the buyer pays for it.

    A seller may have raised the price of a line (a positive ``adjust_fee``): then the unit price is raised, to whole
    cents, because a discount is never negative.
    """
    net = _line_net(reader)
    if net > quantity * unit_price:
        unit_price = (net / quantity).quantize(_CENT, ROUND_CEILING)
        reader.remarks.append(
            say("The price of %(field)s was raised to what the buyer pays for it.", field=reader.where.rstrip("."))
        )
    return unit_price, quantity * unit_price - net


def _line_net(reader: TopFields) -> Decimal:
    for name in ("divide_order_fee", "payment", "total_fee"):
        amount = reader.money_or_none(name)
        if amount is not None:
            return amount
    return reader.missing("divide_order_fee")


# -- people ---------------------------------------------------------------------------------------


def _address(trade: TopFields, *, is_required: bool) -> Address:
    province = trade.text("receiver_state", LONGEST_NAME)
    if is_required and not province:
        trade.missing("receiver_state")
    if (trade.values.get("receiver_country") or "") not in COUNTRIES:
        trade.bad_value("receiver_country", "unknown_country")
    town, line = trade.text("receiver_town", LONGEST_NAME), trade.text("receiver_address", LONGEST_ADDRESS)
    return Address(
        province=province,
        city=trade.text("receiver_city", LONGEST_NAME),
        district=trade.text("receiver_district", LONGEST_NAME),
        line=(line if line.startswith(town) else town + line)[:LONGEST_ADDRESS],
        country="CN",
        name=trade.text("receiver_name", LONGEST_NAME),
        phone=trade.text("receiver_mobile", LONGEST_PHONE) or trade.text("receiver_phone", LONGEST_PHONE),
        token=trade.text("oaid", LONGEST_TOKEN),
    )


def _buyer_key(trade: TopFields) -> str:
    """Return what tells one buyer from another; a masked nick is shared by many and tells nobody."""
    if trade.values.get("buyer_open_uid"):
        return trade.code("buyer_open_uid")
    nick = trade.text("buyer_nick", LONGEST_NAME)
    return "" if MASK in nick else nick
