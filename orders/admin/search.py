"""Finding orders by what people have at hand: our number, the channel's, a tracking number, a phone, or a pasted list.

The order keys are looked up first, each by its own index, and the list is then narrowed to them. One WHERE with four
alternatives would walk the whole table.
"""

import re
from typing import Any

from django.db.models import QuerySet

from orders.models import Fulfillment, Order

SEPARATORS = re.compile(r"[\s,;，；、]+")
MOST_WORDS = 300
MOST_ORDERS = 1000
SHORTEST_PREFIX = 4


def words_of(text: str) -> list[str]:
    """Return what was typed or pasted, cut at commas, spaces and new lines."""
    return list(dict.fromkeys(word for word in SEPARATORS.split(text.strip()) if word))[:MOST_WORDS]


def order_keys(text: str) -> list[int]:
    """Return the keys of orders that one word begins or several words name, at most a thousand."""
    words = words_of(text)
    if not words:
        return []
    branches = _by_prefix(words[0]) if len(words) == 1 else _by_list(words)
    first, *others = branches
    return list(first.union(*others)[:MOST_ORDERS])


def _by_prefix(word: str) -> list[QuerySet[Order, int]]:
    orders = Order.objects.values_list("pk", flat=True)
    if len(word) < SHORTEST_PREFIX:
        return _by_list([word])
    return [
        orders.filter(number__startswith=word)[:MOST_ORDERS],
        orders.filter(external_id__startswith=word)[:MOST_ORDERS],
        *_elsewhere([word]),
    ]


def _by_list(words: list[str]) -> list[QuerySet[Order, int]]:
    orders = Order.objects.values_list("pk", flat=True)
    return [orders.filter(number__in=words), orders.filter(external_id__in=words), *_elsewhere(words)]


def _elsewhere(words: list[str]) -> list[Any]:
    tracked = Fulfillment.objects.filter(tracking_number__in=words).exclude(tracking_number="")
    by_phone = Order.objects.filter(recipient_phone__in=words).exclude(recipient_phone="")
    found: list[Any] = [tracked.values_list("order_id", flat=True)]
    if any(sum(letter.isdigit() for letter in word) >= 4 for word in words):
        found.append(by_phone.values_list("pk", flat=True))
    return found
