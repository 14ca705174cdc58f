"""A basket as the rules look at it: lines in cents, who buys where, and what each lane has left of the prices."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from inventory.rules.geography import REGIONS
from promotions.rules.baskets import Basket, BasketLine, Circumstances
from promotions.rules.goods import Goods
from promotions.rules.money import to_cents

SHOP_TIME = ZoneInfo("Asia/Shanghai")
Belongs = Callable[[str, str, str], bool]


@cache
def belonging(goods: Goods) -> Belongs:
    """Return a quick test whether a line's codes belong to ``goods``."""
    if goods.is_everything:
        return lambda _sku, _category, _brand: True
    skus, categories, brands = frozenset(goods.skus), frozenset(goods.categories), frozenset(goods.brands) - {""}
    left_out = frozenset(goods.except_skus)
    if not (skus or categories or brands):
        return lambda sku, _category, _brand: sku not in left_out
    return lambda sku, category, brand: (
        sku not in left_out and (sku in skus or category in categories or brand in brands)
    )


class Line:
    """One line on the counter: what it costs, and what is left of that after the lanes so far (cents)."""

    __slots__ = ("brand", "category", "discount", "gross", "net", "number", "quantity", "sku")

    def __init__(self, line: BasketLine) -> None:
        self.number, self.quantity = line.line_number, line.quantity
        self.sku, self.category, self.brand = line.sku, line.category, line.brand
        self.gross = to_cents(line.unit_price * line.quantity)
        self.discount = min(to_cents(line.discount), self.gross)
        self.net = self.gross - self.discount

    def units(self) -> list[tuple[int, int]]:
        """Return (price of one unit, how many cost that), the dearer ones first; their sum is what the line costs."""
        price, dearer = divmod(self.net, self.quantity)
        groups = [(price + 1, dearer), (price, self.quantity - dearer)]
        return [group for group in groups if group[1]]


class Counter:
    """The basket while it is worked on. Lines stand in the order of their numbers, whatever the basket's order."""

    def __init__(self, basket: Basket, circumstances: Circumstances, at: datetime) -> None:
        self.basket, self.circumstances, self.at = basket, circumstances, at
        self.lines = sorted(map(Line, basket.lines), key=lambda line: line.number)
        self.placed_at = basket.placed_at or at
        self.shop_time = self.placed_at.astimezone(SHOP_TIME)
        region = REGIONS.get(basket.region)
        self.places = (basket.region, region.area) if region else (basket.region,)
        self.shipping = to_cents(basket.shipping)
        self.coupons = {
            circumstances.coupon_of[code]: code for code in basket.coupons if code in circumstances.coupon_of
        }

    def lines_of(self, goods: Goods) -> list[Line]:
        """Return the lines whose SKU belongs to ``goods``; an unknown SKU belongs only to everything."""
        if goods.is_everything:
            return self.lines
        belongs = belonging(goods)
        return [line for line in self.lines if line.sku and belongs(line.sku, line.category, line.brand)]

    def amount_of(self, goods: Goods) -> int:
        """Return what these goods cost now, in cents."""
        return sum(line.net for line in self.lines_of(goods))

    def units_of(self, goods: Goods) -> int:
        """Return how many units of these goods there are."""
        return sum(line.quantity for line in self.lines_of(goods))
