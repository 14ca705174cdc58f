"""Readers of whole facts, shared by the adapters that write them under the house's field names."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Final

from audit.rules.sentences import Sentence, say
from channels.adapters.fields import Fields
from channels.messages import (
    Address,
    DeliveryMethod,
    IncomingLine,
    IncomingOrder,
    IncomingRefund,
    RefundedLine,
    RefundState,
    Untranslatable,
)
from channels.rules import texts

LONGEST_TITLE: Final = 200
LONGEST_NAME: Final = 80
LONGEST_PLACE: Final = 60
LONGEST_ADDRESS: Final = 300
LONGEST_PHONE: Final = 40
LONGEST_TOKEN: Final = 200
LONGEST_NOTE: Final = 500
LONGEST_REASON: Final = 200
LONGEST_COUPON: Final = 40
LONGEST_STORE: Final = 40
LONGEST_TIER: Final = 20
MOST_COUPONS: Final = 20
LARGEST_ORDER: Final = Decimal(100_000_000_000)
_METHODS: Final = tuple(DeliveryMethod)


def order(
    reader: Fields, *, to: Fields | None, lines: Sequence[Fields], currency: str, held: Sentence | None = None
) -> IncomingOrder:
    """Return the order in ``reader`` with its receiver and lines; raises ``Untranslatable`` naming field and value.

    An order without a receiver (``to`` is None: sold at a till, not sent by parcel, closed before it had one) has an
    empty province. ``held`` is the platform's reason to wait, where the adapter has words of its own for it.
    """
    _check_currency(reader, currency)
    return IncomingOrder(
        external_id=reader.code("external_id"),
        revision=reader.whole("revision"),
        placed_at=reader.time("placed_at"),
        currency=currency,
        lines=_lines(lines),
        address=address(to) if to else Address(province=""),
        paid_at=reader.time_or_none("paid_at"),
        cancelled_at=reader.time_or_none("cancelled_at"),
        cancel_reason=reader.text("cancel_reason", LONGEST_REASON),
        shipping_amount=reader.money_or_zero("shipping_amount"),
        paid_amount=reader.money_or_none("paid_amount"),
        buyer_key=reader.code("buyer_key") if reader.values.get("buyer_key") else "",
        buyer_name=reader.text("buyer_name", LONGEST_NAME),
        buyer_note=reader.text("buyer_note", LONGEST_NOTE),
        seller_note=reader.text("seller_note", LONGEST_NOTE),
        ship_by=reader.time_or_none("ship_by"),
        shipped_at=reader.time_or_none("shipped_at"),
        must_not_ship=held or _must_not_ship(reader),
        coupon_codes=_coupon_codes(reader),
        store=_short_code(reader, "store", LONGEST_STORE),
        member_tier=_short_code(reader, "member_tier", LONGEST_TIER),
        delivery_method=_delivery_method(reader),
        deliver_by=reader.time_or_none("deliver_by"),
        remarks=tuple(reader.remarks),
    )


def refund(
    reader: Fields, lines: Sequence[Fields], *, state: RefundState, currency: str, goods_come_back: bool
) -> IncomingRefund:
    """Return the refund in ``reader``, whose ``external_id`` is its order's, with the lines that it names.

    A line without a quantity is named as a whole.
    """
    return IncomingRefund(
        external_id=reader.code("external_id"),
        refund_id=reader.code("refund_id"),
        revision=reader.whole("revision"),
        state=state,
        amount=reader.money("amount"),
        currency=currency,
        lines=tuple(
            RefundedLine(line.code("external_id"), line.quantity("quantity") if line.values.get("quantity") else None)
            for line in lines
        ),
        reason=reader.text("reason", LONGEST_REASON),
        goods_come_back=goods_come_back,
        asked_at=reader.time_or_none("asked_at"),
        remarks=tuple(reader.remarks),
    )


def slowest(states: Collection[RefundState]) -> RefundState | None:
    """Return how far a refund in several parts is: as far as its slowest part; None without a part."""
    found = [one for one in (RefundState.AGREED, RefundState.REFUNDED, RefundState.CLOSED) if one in states]
    return found[0] if found else None


def address(reader: Fields) -> Address:
    """Return where and to whom; the province is what routing cannot do without."""
    if not reader.values.get("province"):
        reader.missing("province")
    return Address(
        reader.text("province", LONGEST_PLACE),
        reader.text("city", LONGEST_PLACE),
        reader.text("district", LONGEST_PLACE),
        reader.text("line", LONGEST_ADDRESS),
        _country(reader),
        reader.text("name", LONGEST_NAME),
        reader.text("phone", LONGEST_PHONE),
        _token(reader),
    )


def _coupon_codes(reader: Fields) -> tuple[str, ...]:
    """Return the coupons the buyer gave; a code is never mended, because a mended code is another code."""
    values = reader.values.get("coupon_codes")
    if values is None:
        return ()
    if not isinstance(values, list) or len(values) > MOST_COUPONS:
        reader.bad_value("coupon_codes", "bad_value")
    codes = [Fields({"coupon": value}, reader.remarks, reader.label("coupon_codes") + ".") for value in values]
    return tuple(_short_code(code, "coupon", LONGEST_COUPON) for code in codes)


def _delivery_method(reader: Fields) -> DeliveryMethod:
    """Return how the buyer wants the goods; a word that nobody knows is refused, never taken for the usual way."""
    told = reader.values.get("delivery_method")
    if told in (None, ""):
        return DeliveryMethod.STANDARD
    if told not in _METHODS:
        reader.bad_value("delivery_method", "bad_value")
    return DeliveryMethod(told)


def _short_code(reader: Fields, name: str, longest: int) -> str:
    if reader.values.get(name) in (None, ""):
        return ""
    code = reader.code(name)
    if len(code) > longest:
        reader.bad_value(name, "bad_value")
    return code


def _check_currency(reader: Fields, currency: str) -> None:
    told = reader.code("currency")
    if told != currency:
        raise Untranslatable(
            "wrong_currency",
            say(
                "%(field)s is %(value)s, but this channel sells in %(currency)s.",
                field=reader.label("currency"),
                value=texts.shown(told),
                currency=currency,
            ),
        )


def _lines(readers: Sequence[Fields]) -> tuple[IncomingLine, ...]:
    if not readers:
        raise Untranslatable("no_lines", say("The order has no lines."))
    lines = tuple([_line(reader) for reader in readers])
    seen: set[str] = set()
    total = Decimal(0)
    for line, reader in zip(lines, readers, strict=True):
        if line.external_id in seen:
            _refuse_double(reader, line)
        seen.add(line.external_id)
        total += line.quantity * line.unit_price
    if total > LARGEST_ORDER:
        raise Untranslatable(
            "bad_price",
            say("The lines add up to %(total)s; at most %(most)s.", total=texts.shown(total), most=str(LARGEST_ORDER)),
        )
    return lines


def _line(reader: Fields) -> IncomingLine:
    quantity, unit_price = reader.quantity("quantity"), reader.money("unit_price")
    discount = reader.money_or_zero("discount")
    if discount > quantity * unit_price:
        _refuse_discount(reader, quantity * unit_price)
    return IncomingLine(
        reader.code("external_id"),
        reader.code("sku_code"),
        reader.text("title", LONGEST_TITLE),
        quantity,
        unit_price,
        discount,
        reader.flag("is_cancelled"),
    )


def _refuse_double(reader: Fields, line: IncomingLine) -> None:
    raise Untranslatable(
        "duplicate_line",
        say(
            "%(field)s is %(value)s, which another line has already.",
            field=reader.label("external_id"),
            value=texts.shown(line.external_id),
        ),
    )


def _refuse_discount(reader: Fields, total: Decimal) -> None:
    raise Untranslatable(
        "bad_price",
        say(
            "%(field)s is %(value)s, more than the line's %(total)s.",
            field=reader.label("discount"),
            value=texts.shown(reader.values["discount"]),
            total=texts.shown(total),
        ),
    )


def _token(reader: Fields) -> str:
    token = reader.text("token", LONGEST_TOKEN + 1)
    if len(token) > LONGEST_TOKEN:  # half a token stands for nobody
        reader.bad_value("token", "bad_value")
    return token


def _country(reader: Fields) -> str:
    country = reader.text("country", LONGEST_NAME) or "CN"
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        reader.bad_value("country", "bad_value")
    return country


def _must_not_ship(reader: Fields) -> Sentence | None:
    told = reader.text("must_not_ship", LONGEST_REASON)
    return say("The channel says: %(told)s", told=told) if told else None
