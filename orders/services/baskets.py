"""What promotions must know of the orders of a batch: who bought what, where, and what the buyer did before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from inventory.models import Sku
from orders.models import Customer, Order, OrderLine
from orders.queries import buyers
from orders.queries.buyers import Bought
from orders.services import batch as batches
from orders.services.batch import Batch, Work
from promotions.rules.baskets import Basket, BasketLine
from promotions.services.quotes import Book, Request

FRESH: Final = 2**62  # orders that are not saved yet come after all that are stored, in the order of the batch
Place = tuple[datetime, int]  # when an order was placed; of the same moment the one that was stored first comes first


@dataclass(frozen=True)
class BuyerFacts:
    """What an order's first pricing knew of its buyer: pricing it again asks the same of the same buyer."""

    tier: str = ""
    segments: tuple[str, ...] = ()
    orders_before: int | None = None

    def stored(self) -> dict[str, Any]:
        """Return the facts as a pricing keeps them."""
        return {"tier": self.tier, "segments": list(self.segments), "orders_before": self.orders_before}


def facts_of(stored: Mapping[str, Any]) -> BuyerFacts | None:
    """Return what ``stored`` wrote; nothing for a pricing from before it was kept."""
    if not stored:
        return None
    return BuyerFacts(stored["tier"], tuple(stored["segments"]), stored["orders_before"])


def facts_in(basket: Basket) -> BuyerFacts:
    """Return what a basket says of its buyer."""
    return BuyerFacts(basket.tier, tuple(sorted(basket.segments)), basket.orders_before)


def requests(
    batch: Batch, works: Sequence[Work], books: Sequence[Book], then: Mapping[int, BuyerFacts]
) -> list[Request]:
    """Return the orders as promotions ask for them, each with the rules that hold for it.

    ``then`` is what earlier pricings knew of buyers, by order. The number of queries does not depend on how many
    orders there are; without a rule that looks back there are none.
    """
    _meet_buyers(batch, works, books)
    fresh = _fresh(batch)
    before = _orders_before(works, books, fresh)
    bought = _bought(works, books, fresh)
    return [
        Request(
            basket=_as_then(basket(batch, work, before.get(id(work))), then.get(work.order.pk)),
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


def _as_then(basket: Basket, then: BuyerFacts | None) -> Basket:
    if then is None:
        return basket
    return replace(basket, tier=then.tier, segments=frozenset(then.segments), orders_before=then.orders_before)


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


def _meet_buyers(batch: Batch, works: Sequence[Work], books: Sequence[Book]) -> None:
    """Let one buyer's orders be looked at one after the other, or two of them would both be the first.

    Buyers who are known are locked. Those who are new are saved now: another worker with an order of the same buyer
    waits for the row and finds this order when it goes on.
    """
    looking = [work for work, book in zip(works, books, strict=True) if book.needs_orders_before]
    looking += [work for work, book in zip(works, books, strict=True) if book.limits_of_buyers]
    met = {id(customer): customer for work in looking if (customer := work.order.customer)}.values()
    known = sorted({customer.pk for customer in met if customer.pk is not None})
    if known:
        locked = Customer.objects.filter(pk__in=known).order_by("pk").select_for_update(no_key=True)
        list(locked.values_list("pk"))
    batches.save_customers([customer for customer in met if customer.pk is None])
    batch.new_customers = [customer for customer in batch.new_customers if customer.pk is None]


def _fresh(batch: Batch) -> Mapping[int, Sequence[tuple[Place, Work]]]:
    """Return the orders of the batch that are not saved yet, with their places, by buyer."""
    fresh: dict[int, list[tuple[Place, Work]]] = defaultdict(list)
    for number, work in enumerate(batch.works):
        if work.is_new and work.order.customer and work.order.cancelled_at is None:
            fresh[id(work.order.customer)].append(((work.order.placed_at, FRESH + number), work))
    return fresh


def _place(work: Work, fresh: Mapping[int, Sequence[tuple[Place, Work]]]) -> Place:
    beside = fresh.get(id(work.order.customer), ())
    own = next((place for place, other in beside if other is work), None)
    return own or (work.order.placed_at, work.order.pk or FRESH)


def _orders_before(
    works: Sequence[Work], books: Sequence[Book], fresh: Mapping[int, Sequence[tuple[Place, Work]]]
) -> Mapping[int, int]:
    """Return by work how many orders its buyer made before; those of the same batch that are not saved yet count."""
    looking = [
        work for work, book in zip(works, books, strict=True) if book.needs_orders_before and work.order.customer
    ]
    keys = {id(work): (_buyer(work.order), *_place(work, fresh)) for work in looking}
    known = buyers.orders_before(set(keys.values()))
    found = {}
    for work in looking:
        key = keys[id(work)]
        beside = sum(place < key[1:] for place, _other in fresh.get(id(work.order.customer), ()))
        found[id(work)] = known[key] + beside
    return found


def _bought(
    works: Sequence[Work], books: Sequence[Book], fresh: Mapping[int, Sequence[tuple[Place, Work]]]
) -> Mapping[int, Mapping[str, Mapping[str, int]]]:
    """Return by work and promotion how many units of each SKU its buyer took within the limit's days.

    Orders of the same batch that are not saved yet count for those that were placed after them.
    """
    looking = [(work, book) for work, book in zip(works, books, strict=True) if book.limits_of_buyers]
    looking = [(work, book) for work, book in looking if work.order.customer]
    if not looking:
        return {}
    ids = {_buyer(work.order) for work, _book in looking}
    longest = max(limit.days or 0 for _work, book in looking for limit in book.limits_of_buyers.values())
    first = min(work.order.placed_at for work, _book in looking) - timedelta(days=longest)
    last = max(work.order.placed_at for work, _book in looking)
    beside = [pair for work, _book in looking for pair in fresh.get(id(work.order.customer), ())]
    by_buyer: dict[int, list[Bought]] = defaultdict(list)
    for line in [*buyers.bought(ids, since=first, until=last), *_lines_beside(beside)]:
        by_buyer[line.customer_id].append(line)
    return {
        id(work): _within(_place(work, fresh), book, by_buyer.get(_buyer(work.order), ())) for work, book in looking
    }


def _lines_beside(fresh: Iterable[tuple[Place, Work]]) -> list[Bought]:
    """Return what orders that are not saved yet take, as ``buyers.bought`` would once they are; each order once."""
    once = {id(work): (place, work) for place, work in fresh}.values()
    lines = [
        (place, work.order, line, line.sku_id)
        for place, work in once
        for line in work.sold_lines()
        if line.sku_id is not None and not line.is_gift
    ]
    skus = {sku_id for *_rest, sku_id in lines}
    rows = Sku.objects.filter(pk__in=skus).values_list("pk", "code", "category__code", "brand") if skus else ()
    words = {pk: (code, category, brand) for pk, code, category, brand in rows}
    return [
        Bought(key, _buyer(order), placed_at, *words[sku_id], quantity=line.quantity)
        for (placed_at, key), order, line, sku_id in lines
    ]


def _within(place: Place, book: Book, lines: Iterable[Bought]) -> dict[str, dict[str, int]]:
    units: dict[str, dict[str, int]] = {}
    for line in lines:
        if not (line.placed_at, line.order_id) < place:
            continue
        for code, limit in book.limits_of_buyers.items():
            begins = place[0] - timedelta(days=limit.days or 0)
            if begins < line.placed_at and limit.goods.has(line.sku, line.category, line.brand):
                of_rule = units.setdefault(code, {})
                of_rule[line.sku] = of_rule.get(line.sku, 0) + line.quantity
    return units


def _buyer(order: Order) -> int:
    """Return the key of an order's buyer, who was met before."""
    customer = order.customer
    if customer is None or customer.pk is None:
        raise ValueError(f"{order.number} has no buyer that is stored")
    return customer.pk
