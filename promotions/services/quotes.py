"""Quoting baskets: the one door to prices for orders, API and dry runs."""

from collections.abc import Iterable

from promotions.rules.baskets import Basket, Quote
from promotions.rules.pricing import price


def quote(baskets: Iterable[Basket]) -> list[Quote]:
    """Price baskets under the rules that are live; as of now the channel's own prices stand."""
    return [price(basket) for basket in baskets]
