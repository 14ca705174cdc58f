"""Listings and their stock to test with, and a channel that accepts whatever waits in the outbox."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from channels.models import Channel, Listing, ListingStock, OutboundMessage
from channels.services import stock_push
from inventory.models import Node, Sku, StockSignal
from inventory.services import movements
from inventory.statuses import MovementKind
from tests.small_company import TESTER


def list_on(shop: Channel, sku: Sku, code: str = "") -> Listing:
    """List a SKU under the channel's own code."""
    return Listing.objects.create(
        channel=shop,
        sku=sku,
        external_code=code or f"{shop.code[0]}-{sku.code}",
        external_item_id=f"i{shop.listings.count() + 1}",
        external_sku_id=f"s{shop.listings.count() + 1}",
    )


def change(sku: Sku, node: Node, units: int, *, since: datetime) -> None:
    """Let units come or go; the signal of it says ``since``."""
    before = StockSignal.objects.aggregate(last=Max("pk"))["last"] or 0
    key = f"move:{before}:{since.isoformat()}:{units}"
    kind = MovementKind.ADJUSTMENT
    movements.record([movements.Movement(key, sku.pk, node.pk, kind, units)], actor=TESTER, at=since)
    StockSignal.objects.filter(sku=sku, pk__gt=before).update(changed_at=since)


def accept(at: datetime) -> int:
    """Let channels accept every stock figure that is in the outbox, as the outbox records it."""
    with transaction.atomic():
        rows = list(OutboundMessage.objects.filter(status="pending", kind="stock_figure").order_by("pk"))
        OutboundMessage.objects.filter(pk__in=[row.pk for row in rows]).update(status="sent", sent_at=at)
        return stock_push.record_accepted(rows, at=at)


def messages() -> list[tuple[str, int, int | None]]:
    """Return what waits: lane, figure, change."""
    rows = OutboundMessage.objects.filter(status="pending").order_by("pk")
    return [(row.lane, row.body["quantity"], row.body["change"]) for row in rows]


def stock_of(listing: Listing) -> tuple[int | None, datetime | None, int | None, datetime | None]:
    """Return what is known of a listing: figure due, since when, figure accepted, when."""
    row = ListingStock.objects.get(listing=listing)
    return row.quantity_due, row.due_since_at, row.quantity_accepted, row.accepted_at
