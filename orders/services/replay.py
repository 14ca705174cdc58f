"""What past orders would have cost: the code that prices orders, on stored ones, against two sets of rules.

Nothing is taken and nothing is written. Limits are left out, because what was left of them then is not known: what a
version would have cost stands in the figures. So are the number of earlier orders and stock of gifts; the gifts that
would have been needed are counted.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django.db import connection

from promotions.models import Coupon
from promotions.rules.baskets import NOTHING, Basket, BasketLine, Circumstances, Outcome, Quote
from promotions.rules.engine import quote
from promotions.services.quotes import Book

PAGE: Final = 2_000
MOST_SHOWN: Final = 10  # orders

_ORDERS = """
SELECT orders.id, orders.number, channel.code, orders.currency, orders.shipping_amount, orders.placed_at, orders.region,
       orders.store_code, customer.tier, customer.segments, orders.coupon_codes, channel.is_priced_here,
       array_agg(line.line_number ORDER BY line.line_number), array_agg(line.quantity ORDER BY line.line_number),
       array_agg(line.unit_price ORDER BY line.line_number),
       array_agg(line.discount_amount - line.promotion_amount ORDER BY line.line_number),
       array_agg(line.sku_id ORDER BY line.line_number)
  FROM orders_order AS orders
  JOIN channels_channel AS channel ON channel.id = orders.channel_id
  LEFT JOIN orders_customer AS customer ON customer.id = orders.customer_id
  JOIN orders_orderline AS line ON line.order_id = orders.id AND NOT line.is_cancelled AND line.promotion_code = ''
 WHERE orders.id = ANY(%s)
 GROUP BY orders.id, channel.id, customer.id
 ORDER BY orders.id
"""


@dataclass(frozen=True)
class Goods:
    """What replays must know of a SKU."""

    code: str
    category: str
    brand: str
    unit_cost: Decimal


@dataclass
class Figures:
    """What one set of rules did to a group of orders."""

    orders: int = 0
    hit: int = 0  # orders on which the version was applied
    discount: Decimal = NOTHING  # what our rules took off
    revenue: Decimal = NOTHING
    cost: Decimal = NOTHING  # of the goods and of the gifts
    gifts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def margin(self) -> Decimal:
        """Return what is left of the revenue after what the goods cost."""
        return self.revenue - self.cost

    def stored(self) -> dict[str, Any]:
        """Return the figures as they are kept."""
        return {
            "orders": self.orders,
            "hit": self.hit,
            "discount": str(self.discount),
            "revenue": str(self.revenue),
            "margin": str(self.margin),
            "gifts": dict(sorted(self.gifts.items())),
        }


@dataclass
class Comparison:
    """Figures without and with a version: in all, by channel, by region; and some orders that it changes."""

    keeps_all: bool = False  # examples of orders that the version does not change, too
    without: Figures = field(default_factory=Figures)
    within: Figures = field(default_factory=Figures)
    by_channel: dict[str, tuple[Figures, Figures]] = field(default_factory=dict)
    by_region: dict[str, tuple[Figures, Figures]] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def stored(self) -> dict[str, Any]:
        """Return the comparison as a result keeps it."""
        return {
            "without": self.without.stored(),
            "with": self.within.stored(),
            "channels": {key: [side.stored() for side in pair] for key, pair in sorted(self.by_channel.items())},
            "regions": {key: [side.stored() for side in pair] for key, pair in sorted(self.by_region.items())},
            "examples": self.examples,
        }


def goods() -> dict[int, Goods]:
    """Return what must be known of all SKUs, by id; a bundle costs what its parts cost."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sku.id, sku.code, category.code, sku.brand, coalesce(
                     (SELECT sum(piece.unit_cost * part.quantity) FROM inventory_bundlepart AS part
                        JOIN inventory_sku AS piece ON piece.id = part.part_id WHERE part.bundle_id = sku.id),
                     sku.unit_cost)
              FROM inventory_sku AS sku JOIN inventory_category AS category ON category.id = sku.category_id
            """
        )
        return {pk: Goods(*words) for pk, *words in cursor.fetchall()}


def pages(order_ids: Sequence[int], known: Mapping[int, Goods]) -> Iterator[tuple[list[Basket], Mapping[str, str]]]:
    """Yield stored orders as baskets, as the channel sold them, with which promotion their coupons belong to.

    Two queries per page of orders, whose keys decide the order.
    """
    for start in range(0, len(order_ids), PAGE):
        with connection.cursor() as cursor:
            cursor.execute(_ORDERS, [list(order_ids[start : start + PAGE])])
            baskets = [_basket(row, known) for row in cursor.fetchall()]
        codes = {code for basket in baskets for code in basket.coupons}
        belonging = Coupon.objects.filter(code__in=codes).values_list("code", "promotion__code") if codes else ()
        yield baskets, dict(belonging)


@dataclass(frozen=True)
class Trial:
    """The rules that are live, the same with a version in the place of what is live of its promotion, and its code."""

    code: str
    live: Book
    trial: Book
    known: Mapping[int, Goods]

    @cached_property
    def costs(self) -> Mapping[str, Decimal]:
        """Return what a unit costs us, by SKU code."""
        return {one.code: one.unit_cost for one in self.known.values()}

    def add(self, comparison: Comparison, basket: Basket, coupon_of: Mapping[str, str]) -> None:
        """Price one basket both ways and add it up."""
        at, circumstances = basket.placed_at or datetime.min.replace(tzinfo=UTC), Circumstances(coupon_of=coupon_of)
        after = quote(basket, self.trial.rules, circumstances, at=at)
        cost = sum((self.costs.get(line.sku, NOTHING) * line.quantity for line in basket.lines), NOTHING)
        is_hit = any(one.code == self.code and one.outcome is Outcome.APPLIED for one in after.verdicts)
        is_same = not is_hit and self.code not in self.live.published  # a rule that does not apply changes nothing
        before = after if is_same else quote(basket, self.live.rules, circumstances, at=at)
        for without, within in (
            (comparison.without, comparison.within),
            comparison.by_channel.setdefault(basket.channel_code, (Figures(), Figures())),
            comparison.by_region.setdefault(basket.region or "–", (Figures(), Figures())),
        ):
            _count(without, before, cost, self.costs, is_hit=False)
            _count(within, after, cost, self.costs, is_hit=is_hit)
        if len(comparison.examples) < MOST_SHOWN and (is_hit or comparison.keeps_all):
            comparison.examples.append(_example(basket, before, after, self.code))


def _count(figures: Figures, result: Quote, goods_cost: Decimal, costs: Mapping[str, Decimal], *, is_hit: bool) -> None:
    figures.orders += 1
    figures.hit += is_hit
    figures.revenue += result.total
    figures.discount += sum((line.granted for line in result.lines), result.shipping_off)
    figures.cost += goods_cost
    for gift in result.gifts:
        figures.gifts[gift.sku] += gift.quantity
        figures.cost += costs.get(gift.sku, NOTHING) * gift.quantity


def _example(basket: Basket, before: Quote, after: Quote, code: str) -> dict[str, Any]:
    verdict = next(one for one in after.verdicts if one.code == code)
    return {
        "order": basket.reference,
        "channel": basket.channel_code,
        "before": str(before.total),
        "after": str(after.total),
        "gifts": [[gift.sku, gift.quantity] for gift in after.gifts if gift.code == code],
        "outcome": verdict.outcome.value,
        "why": verdict.why.stored(),
    }


def _basket(row: Sequence[Any], known: Mapping[int, Goods]) -> Basket:
    (_pk, number, channel, currency, shipping, placed_at, region, store, tier, segments, coupons, is_priced_here,
     *columns) = row  # fmt: skip
    return Basket(
        reference=number,
        channel_code=channel,
        currency=currency,
        lines=tuple(_line(values, known) for values in zip(*columns, strict=True)),
        shipping=shipping,
        placed_at=placed_at,
        region=region,
        store=store,
        tier=tier or "",
        segments=frozenset(segments or ()),
        coupons=tuple(coupons),
        is_priced_here=is_priced_here,
    )


def _line(values: Sequence[Any], known: Mapping[int, Goods]) -> BasketLine:
    number, quantity, unit_price, discount, sku_id = values
    one = known.get(sku_id)
    if one is None:
        return BasketLine(number, sku_id, quantity, unit_price, discount)
    return BasketLine(number, sku_id, quantity, unit_price, discount, one.code, one.category, one.brand)
