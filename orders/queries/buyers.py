"""What promotions ask about buyers: how many orders they made before, and what they bought in the days before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from orders.models import OrderLine

MOST_LOOKED_AT: Final = 20_000  # buyers, the newest
MOST_WORDS: Final = 100
OrderKey = tuple[int, datetime, int]  # customer id, when the order was placed, its key: above all others when it is new


@dataclass(frozen=True)
class Bought:
    """One line that a buyer bought."""

    order_id: int
    customer_id: int
    placed_at: datetime
    sku: str
    category: str
    brand: str
    quantity: int


def orders_before(wanted: Collection[OrderKey]) -> Mapping[OrderKey, int]:
    """Return how many orders, not cancelled, each buyer placed before these orders: one query.

    Of orders of the same moment the one that was stored first comes first.
    """
    if not wanted:
        return {}
    keys = sorted(set(wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.customer_id, wanted.placed_at, wanted.id, count(orders.id)
              FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS wanted (customer_id, placed_at, id)
              LEFT JOIN orders_order AS orders ON orders.customer_id = wanted.customer_id
               AND (orders.placed_at, orders.id) < (wanted.placed_at, wanted.id) AND orders.cancelled_at IS NULL
             GROUP BY wanted.customer_id, wanted.placed_at, wanted.id
            """,
            [list(column) for column in zip(*keys, strict=True)],
        )
        return {(customer, at, key): count for customer, at, key, count in cursor.fetchall()}


def tiers() -> list[str]:
    """Return the tiers of the newest buyers, as the builder of promotions offers them."""
    return _words("SELECT tier AS word FROM newest WHERE tier <> ''")


def segments() -> list[str]:
    """Return the groups that the newest buyers belong to, as the builder of promotions offers them."""
    return _words("SELECT unnest(segments) AS word FROM newest")


def _words(of_newest: str) -> list[str]:
    """Return different words of the newest buyers; all buyers are too many to look at while somebody types."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH newest AS (SELECT tier, segments FROM orders_customer ORDER BY id DESC LIMIT %s)
            SELECT DISTINCT word FROM ({of_newest}) AS words ORDER BY word LIMIT %s
            """,
            [MOST_LOOKED_AT, MOST_WORDS],
        )
        return [word for (word,) in cursor.fetchall()]


def bought(customer_ids: Collection[int], *, since: datetime, until: datetime) -> Sequence[Bought]:
    """Return the lines with a known SKU that these buyers bought in a time, without gifts and what was cancelled."""
    if not customer_ids:
        return []
    lines = OrderLine.objects.filter(
        order__customer__in=customer_ids,
        order__placed_at__gt=since,
        order__placed_at__lte=until,
        order__cancelled_at__isnull=True,
        is_cancelled=False,
        is_gift=False,
        sku__isnull=False,
    )
    return [
        Bought(*values)
        for values in lines.values_list(
            "order_id", "order__customer_id", "order__placed_at", "sku__code", "sku__category__code", "sku__brand",
            "quantity",
        )
    ]  # fmt: skip
