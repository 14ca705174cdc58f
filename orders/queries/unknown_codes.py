"""Codes of channels that no order line has a SKU for, and the orders that wait for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Collate

from channels.models import Listing
from inventory.models import Sku
from orders.models import Hold, Order, OrderLine
from orders.statuses import HoldKind


@dataclass(frozen=True)
class UnknownCode:
    """One code of a channel as an order names it, and how many orders wait for it."""

    channel_id: int
    code: str
    title: str
    unit_price: Decimal
    currency: str
    orders: int


def held() -> QuerySet[Hold]:
    """Return the open holds of orders with a code that nobody knows."""
    return Hold.objects.filter(kind=HoldKind.UNKNOWN_SKU, lifted_at__isnull=True)


def waiting(channel_id: int, code: str) -> QuerySet[OrderLine]:
    """Return the lines that wait for a code of a channel."""
    return OrderLine.objects.filter(
        order__in=held().values("order"),
        order__channel=channel_id,
        external_sku=code,
        sku__isnull=True,
        is_cancelled=False,
    )


def order_ids(channel_id: int, code: str, *, most: int, after: int = 0) -> list[int]:
    """Return the first orders that wait for a code, by their keys, behind one of them."""
    keys = waiting(channel_id, code).filter(order__gt=after).order_by("order_id").values_list("order_id", flat=True)
    return list(keys.distinct()[:most])


def of_order(order: Order) -> list[UnknownCode]:
    """Return what nobody knows of an order, each code once: two queries, however many lines it has."""
    lines = OrderLine.objects.filter(order=order, sku__isnull=True, is_cancelled=False).order_by("line_number")
    first = {line.external_sku: line for line in reversed(lines)}
    counts = _counts(order.channel_id, first)
    return [
        UnknownCode(order.channel_id, code, line.title, line.unit_price, order.currency, counts.get(code, 0))
        for code, line in sorted(first.items())
    ]


def _counts(channel_id: int, codes: Iterable[str]) -> dict[str, int]:
    lines = OrderLine.objects.filter(
        order__in=held().values("order"),
        order__channel=channel_id,
        external_sku__in=list(codes),
        sku__isnull=True,
        is_cancelled=False,
    )
    counted = lines.values("external_sku").annotate(count=Count("order", distinct=True)).order_by()
    return dict(counted.values_list("external_sku", "count"))


def known_by_now(*, most: int) -> list[int]:
    """Return orders that are held for a code which a listing or a SKU has by now."""
    code = Collate(OuterRef("external_sku"), "C")
    listed = Listing.objects.filter(channel=OuterRef("order__channel"), external_code=code)
    own = Sku.objects.filter(code=OuterRef("external_sku"), is_active=True)
    lines = OrderLine.objects.filter(order__in=held().values("order"), sku__isnull=True, is_cancelled=False)
    known = lines.filter(Q(Exists(listed)) | Q(Exists(own)))
    return list(known.order_by("order_id").values_list("order_id", flat=True).distinct()[:most])
