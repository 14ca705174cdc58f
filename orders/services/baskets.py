"""What promotions must know of the orders of a batch: who bought what, where, and what the buyer did before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from orders.models import Customer, Order, OrderLine
from orders.queries import buyers
from orders.queries.buyers import Bought
from orders.services.batch import Batch, Work
from promotions.rules.baskets import Basket, BasketLine
from promotions.services.quotes import Book, Request


def requests(batch: Batch, works: Sequence[Work], books: Sequence[Book]) -> list[Request]:
    """Return the orders as promotions ask for them, each with the rules that hold for it.

    The number of queries does not depend on how many orders there are; without a rule that looks back there are none.
    """
    before = _orders_before(works, books)
    bought = _bought(works, books)
    return [
        Request(
            basket=basket(batch, work, before.get(id(work))),
            book=book,
            bought_before=bought.get(id(work), {}),
            own_gifts={line.external_sku: line.quantity_allocated for line in work.our_gifts()},
        )
        for work, book in zip(works, books, strict=True)
    ]


def basket(batch: Batch, work: Work, orders_before: int | None = None) -> Basket:
    """Return one order as a basket: what the channel sold, with the channel's own part of the discounts."""
    order, channel = work.order, batch.channels[work.order.channel_id]
    customer = order.customer
    return Basket(
        reference=order.number,
        channel_code=channel.code,
        currency=order.currency,
        lines=tuple(
            BasketLine(
                line.line_number,
                line.sku_id,
                line.quantity,
                line.unit_price,
                line.discount_amount - line.promotion_amount,
            )
            for line in work.sold_lines()
        ),
        shipping=order.shipping_amount,
        placed_at=order.placed_at,
        region=order.region,
        store=order.store_code,
        buyer=f"{channel.code}:{customer.external_key}" if customer else "",
        tier=customer.tier if customer else "",
        segments=frozenset(customer.segments) if customer else frozenset(),
        orders_before=orders_before,
        coupons=tuple(order.coupon_codes),
        is_priced_here=channel.is_priced_here,
    )


def as_priced(batch: Batch, work: Work, lines: Iterable[OrderLine]) -> Basket:
    """Return lines of an order as a basket with all that was taken off them, whoever granted it."""
    return Basket(
        reference=work.order.number,
        channel_code=batch.channels[work.order.channel_id].code,
        currency=work.order.currency,
        lines=tuple(
            BasketLine(line.line_number, line.sku_id, line.quantity, line.unit_price, line.discount_amount)
            for line in lines
        ),
        shipping=work.order.shipping_amount,
    )


def _orders_before(works: Sequence[Work], books: Sequence[Book]) -> Mapping[int, int]:
    """Return by work how many orders its buyer made before; those of the same batch that are not saved yet count."""
    looking = [
        work for work, book in zip(works, books, strict=True) if book.needs_orders_before and work.order.customer
    ]
    known = buyers.orders_before(
        [(work.order.customer_id, work.order.placed_at) for work in looking if work.order.customer_id is not None]
    )
    fresh = _fresh(works) if looking else {}
    found = {}
    for work in looking:
        order = work.order
        stored = 0 if order.customer_id is None else known[order.customer_id, order.placed_at]
        beside = fresh.get(id(order.customer), ())
        found[id(work)] = stored + sum(other.order.placed_at < order.placed_at for other in beside)
    return found


def _bought(works: Sequence[Work], books: Sequence[Book]) -> Mapping[int, Mapping[str, Mapping[str, int]]]:
    """Return by work and promotion how many units of each SKU its buyer took within the limit's days."""
    looking = [(work, book) for work, book in zip(works, books, strict=True) if book.limits_of_buyers]
    looking = [(work, book) for work, book in looking if work.order.customer]
    if not looking:
        return {}
    ids = sorted({work.order.customer_id for work, _book in looking if work.order.customer_id is not None})
    _lock(ids)
    longest = max(limit.days or 0 for _work, book in looking for limit in book.limits_of_buyers.values())
    first = min(work.order.placed_at for work, _book in looking) - timedelta(days=longest)
    last = max(work.order.placed_at for work, _book in looking)
    by_buyer: dict[int, list[Bought]] = defaultdict(list)
    for line in buyers.bought(ids, since=first, until=last):
        by_buyer[line.customer_id].append(line)
    return {
        id(work): _within(work.order, book, by_buyer.get(work.order.customer_id or 0, ())) for work, book in looking
    }


def _within(order: Order, book: Book, lines: Iterable[Bought]) -> dict[str, dict[str, int]]:
    units: dict[str, dict[str, int]] = {}
    for line in lines:
        if line.order_id == order.pk:
            continue
        for code, limit in book.limits_of_buyers.items():
            begins = order.placed_at - timedelta(days=limit.days or 0)
            if begins < line.placed_at <= order.placed_at and limit.goods.has(line.sku, line.category, line.brand):
                of_rule = units.setdefault(code, {})
                of_rule[line.sku] = of_rule.get(line.sku, 0) + line.quantity
    return units


def _lock(customer_ids: Sequence[int]) -> None:
    """Let one buyer's orders be looked at one after the other, or two of them would both be the first."""
    list(Customer.objects.filter(pk__in=customer_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _fresh(works: Sequence[Work]) -> Mapping[int, Sequence[Work]]:
    """Return the orders of the batch that are not saved yet, by buyer."""
    fresh: dict[int, list[Work]] = defaultdict(list)
    for work in works:
        if work.is_new and work.order.customer:
            fresh[id(work.order.customer)].append(work)
    return fresh
