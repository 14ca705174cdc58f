"""A basket as the rules look at it: lines in cents, who buys where, and what each lane has left of the prices."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from inventory.rules.geography import REGIONS
from promotions.rules.baskets import Basket, BasketLine, Circumstances
from promotions.rules.goods import Goods
from promotions.rules.money import to_cents

SHOP_TIME = ZoneInfo("Asia/Shanghai")
SHIPPING: Final = -1  # where shipping stands among the numbers of lines
Belongs = Callable[[str, str, str], bool]


class Selection:
    """Goods as a quick test of a line's codes. The same goods are the same selection, so each is looked up once."""

    __slots__ = ("belongs", "is_everything")

    def __init__(self, goods: Goods) -> None:
        self.is_everything = goods.is_everything
        self.belongs = _belonging(goods)


@lru_cache(maxsize=20_000)
def select(goods: Goods) -> Selection:
    """Return the selection of these goods."""
    return Selection(goods)


def _belonging(goods: Goods) -> Belongs:
    skus, categories, brands = frozenset(goods.skus), frozenset(goods.categories), frozenset(goods.brands) - {""}
    left_out = frozenset(goods.except_skus)
    if not (goods.skus or goods.categories or goods.brands):
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
        self.discount = min(to_cents(line.discount), self.gross) if line.discount else 0
        self.net = self.gross - self.discount


class Counter:
    """The basket while it is worked on. Lines stand in the order of their numbers, whatever the basket's order.

    Gifts that are in the parcel already (``BasketLine.gift_of``) are no goods: they stand apart in ``held``.
    """

    __slots__ = (
        "_lines_of", "_units_of", "at", "basket", "circumstances", "coupons", "gift_lines", "gift_units", "held",
        "lines", "places", "placed_at", "shipping", "shop_time",
    )  # fmt: skip

    def __init__(self, basket: Basket, circumstances: Circumstances, at: datetime) -> None:
        self.basket, self.circumstances, self.at = basket, circumstances, at
        lines = sorted(basket.lines, key=_number)
        self.lines = [Line(line) for line in lines if not line.gift_of]
        self.gift_lines = [line for line in lines if line.gift_of]
        self.held = _held(self.gift_lines)
        self.gift_units = None if circumstances.gift_units is None else dict(circumstances.gift_units)
        self.placed_at = basket.placed_at or at
        self.shop_time = self.placed_at.astimezone(SHOP_TIME)
        self.places = _places(basket.region)
        self.shipping = to_cents(basket.shipping)
        coupon_of = circumstances.coupon_of
        self.coupons = {coupon_of[code]: code for code in basket.coupons if code in coupon_of}
        self._lines_of: dict[Selection, list[Line]] = {}
        self._units_of: dict[Selection, int] = {}

    def lines_of(self, goods: Selection) -> list[Line]:
        """Return the lines whose SKU belongs to ``goods``; an unknown SKU belongs only to everything."""
        if goods.is_everything:
            return self.lines
        found = self._lines_of.get(goods)
        if found is None:
            belongs = goods.belongs
            found = [line for line in self.lines if line.sku and belongs(line.sku, line.category, line.brand)]
            self._lines_of[goods] = found
        return found

    def amount_of(self, goods: Selection) -> int:
        """Return what these goods cost now, in cents."""
        return sum([line.net for line in self.lines_of(goods)])

    def units_of(self, goods: Selection) -> int:
        """Return how many units of these goods there are."""
        units = self._units_of.get(goods)
        if units is None:
            units = self._units_of[goods] = sum([line.quantity for line in self.lines_of(goods)])
        return units

    def rooms(self) -> dict[int, int]:
        """Return what can still come off each line, and off shipping, in cents."""
        rooms = {line.number: line.net for line in self.lines}
        rooms[SHIPPING] = self.shipping
        return rooms


@lru_cache(maxsize=1_000)
def _places(region: str) -> tuple[str, ...]:
    """Return a region and the area that it belongs to."""
    known = REGIONS.get(region)
    return (region, known.area) if known else (region,)


def _number(line: BasketLine) -> int:
    return line.line_number


def _held(lines: Iterable[BasketLine]) -> dict[tuple[str, str], int]:
    """Return the units of gifts by promotion and SKU."""
    held: dict[tuple[str, str], int] = {}
    for line in lines:
        held[line.gift_of, line.sku] = held.get((line.gift_of, line.sku), 0) + line.quantity
    return held
