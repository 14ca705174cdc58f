"""Working out a refund: what the order would have cost without the units that come back, figure by figure.

Nothing is written. The rest of the order is priced under the versions that the order is pinned to, and what went back
before counts. Where a platform makes the prices it decides the amount too: then this is a suggestion.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from inventory.models import Sku
from orders.models import Order, OrderLine, OrderPricing, Refund
from orders.queries import went_back
from orders.queries.went_back import Earlier, Units
from orders.services import baskets
from orders.statuses import GoodsState
from promotions.models import Coupon
from promotions.rules import returning
from promotions.rules.baskets import (
    Basket,
    BasketLine,
    Circumstances,
    GiftLine,
    Left,
    Outcome,
    Quote,
    QuotedLine,
    Verdict,
)
from promotions.rules.returning import Change, TooManyUnits
from promotions.services import quotes
from promotions.services.quotes import Pins

NOTHING: Final = Decimal(0)
MOST_LINES: Final = 500
NO_NUMBER: Final = say("Units are whole numbers.")


class NotWorkedOut(Exception):
    """A refund that cannot be worked out as asked, and what to do; ``line_number`` says of which line."""

    def __init__(self, reason: Sentence, line_number: int | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.line_number = line_number


@dataclass(frozen=True)
class QuotedReturn:
    """One line: how many units came back before, how many come back now, and what these cost in the order."""

    line: OrderLine
    before: int
    now: int
    price: Decimal


@dataclass(frozen=True)
class GiftBack:
    """Units of a gift that the rest of the order has not earned: to be sent back, or else charged."""

    sku: str
    quantity: int
    code: str
    charge: Decimal  # their list price


@dataclass(frozen=True)
class RefundQuote:
    """What to refund and why: ``amount`` = ``paid`` − ``remaining`` − ``earlier``, between nothing and what was paid.

    ``price`` is what the units cost in the order; ``amount_without_gifts`` is for a buyer who keeps the gifts.
    """

    order: Order
    lines: tuple[QuotedReturn, ...]
    paid: Decimal
    remaining: Decimal
    price: Decimal
    earlier: Decimal
    amount: Decimal
    changes: tuple[Change, ...] = ()
    gifts: tuple[GiftBack, ...] = ()
    reasons: tuple[Sentence, ...] = ()
    warnings: tuple[Sentence, ...] = ()

    @property
    def amount_without_gifts(self) -> Decimal:
        """Return what to refund when the gifts are not sent back."""
        return max(NOTHING, self.amount - sum((gift.charge for gift in self.gifts), NOTHING))


@dataclass(frozen=True)
class _Facts:
    """An order as it was priced."""

    order: Order
    lines: Sequence[OrderLine]
    pricing: OrderPricing | None
    earlier: Earlier

    @property
    def sold(self) -> list[OrderLine]:
        """Return what was sold; gifts of ours are not."""
        return [line for line in self.lines if not line.promotion_code]


def work_out(order: Order, returned: Units, *, told_by: Refund | None = None) -> RefundQuote:
    """Return what to refund when so many units of these lines come back. Nothing is written.

    ``told_by`` is a refund of the channel that this is about: it does not count as one before. Raises ``NotWorkedOut``.
    """
    facts = _facts(order, told_by)
    back = {number: units for number, units in returned.items() if units}
    _refuse_bad(facts, back)
    altogether = {
        line.line_number: facts.earlier.units.get(line.line_number, 0) + back.get(line.line_number, 0)
        for line in facts.lines
    }
    basket, paid, circumstances = _basket(facts), _as_paid(facts), _circumstances(facts)
    pins: Pins = tuple((code, number) for code, number in facts.pricing.versions) if facts.pricing else ()
    rules = quotes.pinned([pins])[pins].rules
    at = facts.pricing.priced_at if facts.pricing else order.placed_at
    try:
        found = returning.without(basket, paid, altogether, rules, circumstances, at=at)
        whole = returning.without(basket, paid, {}, rules, circumstances, at=at)
    except TooManyUnits as error:
        raise _too_many(facts, error.line_number) from error
    return _quote(facts, back, found, whole)


def of_refund(refund: Refund) -> RefundQuote | None:
    """Return what we work out for a refund that a channel told of; nothing when it names no units that we know."""
    lines = list(refund.order.lines.filter(is_cancelled=False).order_by("line_number")[:MOST_LINES])
    units = went_back.units_of([refund], lines) if refund.lines else {line.line_number: line.quantity for line in lines}
    try:
        return work_out(refund.order, units, told_by=refund)
    except NotWorkedOut:
        return None


def _facts(order: Order, told_by: Refund | None) -> _Facts:
    lines = list(order.lines.select_related("sku__category").order_by("line_number")[:MOST_LINES])
    live = [line for line in lines if not line.is_cancelled]
    return _Facts(order, live, order.pricings.order_by("-pk").first(), went_back.earlier(order, lines, but=told_by))


def _refuse_bad(facts: _Facts, back: Units) -> None:
    if facts.order.goods_state == GoodsState.RECEIVED:
        raise NotWorkedOut(say("The order is not priced yet. Look at what holds it."))
    if not back:
        raise NotWorkedOut(say("Say how many units come back."))
    known = {line.line_number: line for line in facts.lines}
    for number, units in back.items():
        if number not in known:
            raise NotWorkedOut(say("The order has no line %(line)s that could come back.", line=number), number)
        if not 0 <= units <= known[number].quantity - facts.earlier.units.get(number, 0):
            raise _too_many(facts, number)


def _too_many(facts: _Facts, number: int) -> NotWorkedOut:
    ordered = next(line.quantity for line in facts.lines if line.line_number == number)
    left = ordered - facts.earlier.units.get(number, 0)
    return NotWorkedOut(say("Of line %(line)s %(left)s units can come back.", line=number, left=left), number)


def _basket(facts: _Facts) -> Basket:
    """Return the order as promotions priced it, the gifts that it got among its lines."""
    order, channel, customer = facts.order, facts.order.channel, facts.order.customer
    then = baskets.facts_of(facts.pricing.buyer_facts) if facts.pricing else None
    if then is None:
        then = baskets.BuyerFacts(customer.tier, tuple(customer.segments)) if customer else baskets.BuyerFacts()
    return Basket(
        reference=order.number,
        channel_code=channel.code,
        currency=order.currency,
        lines=tuple(_basket_line(line) for line in facts.lines),
        shipping=order.shipping_amount,
        placed_at=order.placed_at,
        region=order.region,
        store=order.store_code,
        buyer=f"{channel.code}:{customer.external_key}" if customer else "",
        tier=then.tier,
        segments=frozenset(then.segments),
        orders_before=then.orders_before,
        coupons=tuple(order.coupon_codes),
        is_priced_here=channel.is_priced_here,
    )


def _basket_line(line: OrderLine) -> BasketLine:
    sku = line.sku
    return BasketLine(
        line.line_number,
        line.sku_id,
        line.quantity,
        line.unit_price,
        line.discount_amount - line.promotion_amount,
        sku.code if sku else "",
        sku.category.code if sku and sku.category else "",
        sku.brand if sku else "",
        line.promotion_code,
    )


def _as_paid(facts: _Facts) -> Quote:
    """Return the price that the order was sold for, as it is stored."""
    order = facts.order
    lines = tuple(
        QuotedLine(line.line_number, line.net_amount + line.discount_amount, line.discount_amount, line.net_amount)
        for line in facts.sold
    )
    off_lines = sum((line.discount for line in lines), NOTHING)
    shipping_off = max(NOTHING, order.discount_amount - off_lines)
    return Quote(
        reference=order.number,
        lines=lines,
        goods=order.goods_amount,
        discount=off_lines,
        shipping=order.shipping_amount - shipping_off,
        total=order.total_amount,
        shipping_off=shipping_off,
        verdicts=tuple(_verdict(told) for told in facts.pricing.verdicts) if facts.pricing else (),
    )


def _verdict(told: Mapping[str, Any]) -> Verdict:
    why = Sentence(told["why"]["text"])
    return Verdict(told["code"], told["number"], Outcome(told["outcome"]), why, Decimal(told["amount"]))


def _circumstances(facts: _Facts) -> Circumstances:
    """Return what was known besides: what was used up then stays so, and coupons that did not count do not now."""
    said = {told["code"]: told["outcome"] for told in facts.pricing.verdicts} if facts.pricing else {}
    codes = facts.order.coupon_codes
    known = Coupon.objects.filter(code__in=codes).values_list("code", "promotion__code") if codes else ()
    return Circumstances(
        left={code: Left(uses=0) for code, outcome in said.items() if outcome == Outcome.SPENT},
        coupon_of={code: promotion for code, promotion in known if said.get(promotion) != Outcome.NO_COUPON},
    )


def _quote(facts: _Facts, back: Units, found: returning.Refund, whole: returning.Refund) -> RefundQuote:
    earlier = facts.earlier
    most = max(NOTHING, facts.order.paid_amount - earlier.everything)
    wanted = max(NOTHING, found.amount - earlier.amount)
    lines = tuple(
        QuotedReturn(line, earlier.units.get(line.line_number, 0), back[line.line_number], _price(line, back))
        for line in facts.lines
        if line.line_number in back
    )
    return RefundQuote(
        order=facts.order,
        lines=lines,
        paid=found.paid,
        remaining=found.remaining,
        price=sum((line.price for line in lines), NOTHING),
        earlier=earlier.amount,
        amount=min(wanted, most),
        changes=found.changes,
        gifts=_gifts(found.gifts),
        reasons=tuple(_reasons(found, earlier, lines)),
        warnings=tuple(_warnings(facts, whole, wanted, most)),
    )


def _price(line: OrderLine, back: Units) -> Decimal:
    """Return what these units of a line cost in the order, to the cent."""
    return (line.net_amount * back[line.line_number] / line.quantity).quantize(Decimal("0.01"))


def _gifts(gifts: Sequence[GiftLine]) -> tuple[GiftBack, ...]:
    prices = dict(Sku.objects.filter(code__in=[gift.sku for gift in gifts]).values_list("code", "list_price"))
    return tuple(
        GiftBack(gift.sku, gift.quantity, gift.code, gift.quantity * prices.get(gift.sku, NOTHING)) for gift in gifts
    )


def _reasons(found: returning.Refund, earlier: Earlier, lines: Sequence[QuotedReturn]) -> Iterable[Sentence]:
    """Yield where each figure comes from."""
    price = sum((line.price for line in lines), NOTHING)
    yield say("In this order the units cost %(price)s.", price=_shown(price))
    for change in found.changes:
        yield say(
            "%(code)s gave %(before)s; without them it gives %(after)s: %(why)s",
            code=change.code, before=_shown(change.before), after=_shown(change.after), why=change.why,
        )  # fmt: skip
    yield say("The order cost %(paid)s; what stays costs %(remaining)s.",
              paid=_shown(found.paid), remaining=_shown(found.remaining))  # fmt: skip
    if earlier.amount:
        yield say("%(amount)s of this went back before.", amount=_shown(earlier.amount))


def _warnings(facts: _Facts, whole: returning.Refund, wanted: Decimal, most: Decimal) -> Iterable[Sentence]:
    """Yield what a person must know before the money goes."""
    if not facts.order.channel.is_priced_here:
        yield say("The platform decides the amount; this is a suggestion.")
    if wanted > most:
        yield say("No more than %(most)s was paid and is not refunded yet.", most=_shown(most))
    if whole.remaining != whole.paid:
        yield say("Priced again as a whole the order costs %(now)s, not %(then)s: look at it before you refund.",
                  now=_shown(whole.remaining), then=_shown(whole.paid))  # fmt: skip


def _shown(amount: Decimal) -> str:
    return f"{amount:,.2f}"
