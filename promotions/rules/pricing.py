"""What a basket costs. Plain Python: a ``Basket`` in, a ``Quote`` out.

A channel's order brings its own prices and discounts; they are kept as sold. Amounts are rounded half up to the cent,
line by line, and an order's total is the sum of its rounded lines and its shipping.
"""

from decimal import ROUND_HALF_UP, Decimal

from promotions.rules.baskets import Basket, BasketLine, Quote, QuotedLine

CENT = Decimal("0.01")


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
