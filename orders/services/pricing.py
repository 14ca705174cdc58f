"""Step two: what an order costs and why, asked of promotions; what it uses of them is taken in the same transaction.

An order is priced under the rules that are live when it comes, and pinned to their versions and to what was known of
its buyer then (tier, segments, orders before): when its channel changes it later, it is priced again under the same.
A promotion of which somebody else took the last is left out and the order is priced again without it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from audit.models import rows
from audit.rules.sentences import say
from orders.models import OrderPricing
from orders.services import baskets, gifts, refunds
from orders.services.baskets import BuyerFacts
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, HoldKind, MoneyState
from promotions.rules import engine
from promotions.rules.baskets import Outcome, Quote, Verdict
from promotions.services import limits, quotes
from promotions.services.quotes import Book, Pins, Priced, Request

MAX_ROUNDS: Final = 4  # so often an order may lose a promotion to others before all scarce ones are left out
MOST_VERDICTS: Final = 60
LIMIT_WAY_OUT = say("Cancel the order, or lift the hold to let it go.")


def price(batch: Batch, works: Sequence[Work]) -> None:
    """Quote the orders, take what they use of promotions, and keep amounts, gifts, holds and reasons."""
    pinned = _pinned(works)
    books = _books(works, pinned)
    then = {key: facts for key, (_pins, facts) in pinned.items() if facts is not None}
    requests = baskets.requests(batch, works, books, then)
    again = [work.order.number for work, book in zip(works, books, strict=True) if not work.is_new and book.published]
    limits.undo(again, at=batch.at)
    is_paid = {work.order.number for work in works if work.order.money_state == MoneyState.PAID}
    for work, request, priced in zip(works, requests, _taken(batch, requests, is_paid), strict=True):
        _keep(batch, work, priced.quote)
        gifts.bring(batch, work, priced.quote, request.book.gift_ids)
        _hold_above_limits(batch, work, priced.quote)
        if request.book.published:
            batch.pricings.append(_pricing(batch, work, request, priced.quote))
    if any(book.gift_ids for book in books):
        batch.learn_parts()


def _pinned(works: Sequence[Work]) -> dict[int, tuple[Pins, BuyerFacts | None]]:
    """Return by order with which versions it was priced before, and what was known of its buyer then."""
    known = [work.order.pk for work in works if not work.is_new]
    if not known:
        return {}
    newest = OrderPricing.objects.filter(order__in=known).order_by("order_id", "-pk").distinct("order_id")
    return {
        order_id: (tuple((code, number) for code, number in versions), baskets.facts_of(facts))
        for order_id, versions, facts in newest.values_list("order_id", "versions", "buyer_facts")
    }


def _books(works: Sequence[Work], pinned: Mapping[int, tuple[Pins, BuyerFacts | None]]) -> list[Book]:
    """Return the rules that hold for each order: for a new one those that are live, else those it was priced with."""
    no_pins: Pins = ()
    pins = {order_id: versions for order_id, (versions, _facts) in pinned.items()}
    books = quotes.pinned({*pins.values(), no_pins})
    live = quotes.live() if any(work.is_new for work in works) else books[no_pins]
    return [live if work.is_new else books[pins.get(work.order.pk, no_pins)] for work in works]


def _taken(batch: Batch, requests: Sequence[Request], is_paid: set[str]) -> list[Priced]:
    """Quote and take, until nothing that a quote uses was refused."""
    results: dict[int, Priced] = {}
    open_requests = dict(enumerate(requests))
    for round_number in range(1, MAX_ROUNDS + 2):
        priced = dict(zip(open_requests, quotes.quote_all(list(open_requests.values()), at=batch.at), strict=True))
        results.update(priced)
        takings = [taking for result in priced.values() for taking in result.takings]
        refused: dict[str, set[int]] = {}
        for taking in limits.take(takings, at=batch.at, paid=is_paid):
            refused.setdefault(taking.reference, set()).add(taking.promotion_id)
        if not refused:
            break
        limits.undo(refused, at=batch.at)
        open_requests = {
            place: _without(request, refused[request.basket.reference], is_last=round_number >= MAX_ROUNDS)
            for place, request in open_requests.items()
            if request.basket.reference in refused
        }
    return [results[place] for place in range(len(requests))]


def _without(request: Request, promotion_ids: set[int], *, is_last: bool) -> Request:
    """Return a request without the promotions that were refused; at last without everything that is scarce."""
    book = request.book
    lost = {code for code, promotion_id in book.promotion_ids.items() if promotion_id in promotion_ids}
    scarce = {code for code, entry in book.published.items() if code in book.limited or entry.rule.needs_coupon}
    return Request(
        request.basket,
        book,
        request.bought_before,
        request.own_gifts,
        request.without | lost | (scarce if is_last else set()),
    )


def _keep(batch: Batch, work: Work, quote: Quote) -> None:
    """Keep the quoted amounts on order and lines."""
    order = work.order
    order.goods_amount, order.discount_amount = quote.goods, quote.discount + quote.shipping_off
    order.total_amount = quote.total
    quoted = {line.line_number: line for line in quote.lines}
    for line in work.sold_lines():
        found = quoted[line.line_number]
        line.discount_amount, line.net_amount, line.promotion_amount = found.discount, found.net, found.granted
        batch.line_changed(line)
    work.is_priced = True
    if work.is_paid_in_full:
        order.paid_amount = with_refunded(batch, work)
    _tell(batch, work, quote)


def with_refunded(batch: Batch, work: Work) -> Decimal:
    """Return what an order cost its buyer as it is priced: its total, and the lines that were paid back since."""
    gone, order = refunds.paid_back_lines(work), work.order
    sold = work.sold_lines()
    off_shipping = order.discount_amount - sum((line.discount_amount for line in sold), Decimal(0))
    as_priced = engine.quote(baskets.as_priced(batch, work, [*sold, *gone]), at=batch.at)
    return as_priced.total - (max(off_shipping, Decimal(0)) if work.is_priced else Decimal(0))


def _tell(batch: Batch, work: Work, quote: Quote) -> None:
    applied = sorted(verdict.code for verdict in quote.verdicts if verdict.outcome is Outcome.APPLIED)
    told = {"total": str(quote.total), "currency": work.order.currency}
    if applied:
        codes = ", ".join(applied)[:200]
        batch.tell(
            work, EventKind.PRICED, say("Total %(total)s %(currency)s; promotions: %(codes)s", codes=codes, **told)
        )
    elif not work.is_new:
        batch.tell(work, EventKind.PRICED, say("Total %(total)s %(currency)s", **told))


def _hold_above_limits(batch: Batch, work: Work, quote: Quote) -> None:
    """Hold an order that breaks a purchase limit; a cancelled one needs nobody."""
    exceeded = quote.exceeded
    if not exceeded:
        batch.lift(work, HoldKind.PURCHASE_LIMIT)
    elif work.order.cancelled_at is None:
        batch.hold(work, HoldKind.PURCHASE_LIMIT, exceeded[0].why, LIMIT_WAY_OUT)


def _pricing(batch: Batch, work: Work, request: Request, quote: Quote) -> OrderPricing:
    granted = sum((line.granted for line in quote.lines), quote.shipping_off)
    return rows.new(
        OrderPricing,
        order=work.order,
        versions=[list(pin) for pin in request.book.pins],
        verdicts=verdicts_shown(request.book, quote),
        amount=granted,
        is_exact=quote.is_exact,
        buyer_facts=baskets.facts_in(request.basket).stored(),
        priced_at=batch.at,
    )


def verdicts_shown(book: Book, quote: Quote) -> list[dict[str, Any]]:
    """Return what the rules said, as it is stored: those that could have mattered, the applied ones first, so many."""
    beside = {id(verdict) for verdict in book.rules.unfit}
    near = [verdict for verdict in quote.verdicts if id(verdict) not in beside]
    near.sort(key=lambda verdict: verdict.outcome is not Outcome.APPLIED)
    return [_stored(verdict) for verdict in near[:MOST_VERDICTS]]


def _stored(verdict: Verdict) -> dict[str, Any]:
    return {
        "code": verdict.code,
        "number": verdict.number,
        "outcome": verdict.outcome.value,
        "why": verdict.why.stored(),
        "amount": str(verdict.amount),
    }
