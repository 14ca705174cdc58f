"""What a basket costs. Plain Python: a ``Basket`` in, a ``Quote`` out.

A channel's order brings its own prices and discounts; they are kept as sold. Amounts are rounded half up to the cent,
line by line, and an order's total is the sum of its rounded lines and its shipping.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class BasketLine:
    """One line to be priced. ``discount`` is for the whole line, as the channel granted it."""

    line_number: int
    sku_id: int | None
    quantity: int
    unit_price: Decimal
    discount: Decimal = Decimal(0)


@dataclass(frozen=True)
class Basket:
    """What is bought together."""

    reference: str
    channel_code: str
    currency: str
    lines: tuple[BasketLine, ...]
    shipping: Decimal = Decimal(0)


@dataclass(frozen=True)
class QuotedLine:
    """What one line costs, to the cent."""

    line_number: int
    gross: Decimal
    discount: Decimal
    net: Decimal


@dataclass(frozen=True)
class Quote:
    """What a basket costs: lines, their sums, and shipping."""

    reference: str
    lines: tuple[QuotedLine, ...]
    goods: Decimal
    discount: Decimal
    shipping: Decimal
    total: Decimal


def price(basket: Basket) -> Quote:
    """Price one basket. A discount above the line's price is cut to it: a line is never negative."""
    lines = tuple(_price_line(line) for line in basket.lines)
    goods = sum((line.gross for line in lines), Decimal(0))
    discount = sum((line.discount for line in lines), Decimal(0))
    shipping = basket.shipping.quantize(CENT, ROUND_HALF_UP)
    return Quote(basket.reference, lines, goods, discount, shipping, goods - discount + shipping)


def _price_line(line: BasketLine) -> QuotedLine:
    gross = (line.unit_price * line.quantity).quantize(CENT, ROUND_HALF_UP)
    discount = min(line.discount.quantize(CENT, ROUND_HALF_UP), gross)
    return QuotedLine(line.line_number, gross, discount, gross - discount)
