"""The rows that the past stands on: categories, SKUs, nodes, channels, listings, promotions.

Primary keys are places in the plain data, counted from one.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Model
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from channels.models import Channel, Listing, PullCursor
from config.demo import catalogue, freight
from config.demo.calendar import Campaign
from config.demo.catalogue import DemoSku
from config.demo.company import CATEGORIES, CHANNELS, NODES, WAREHOUSE_SYSTEM
from config.demo.tape import money
from inventory.models import BundlePart, Category, Node, Sku
from promotions import models as promotions

REASON = "job:demo: the demo company"


def lay(skus: Sequence[DemoSku], campaigns: Sequence[Campaign], *, opened_at: datetime, until: datetime) -> None:
    """Write everything that orders point at; what has history gets its first entry at ``opened_at``."""
    Category.objects.bulk_create(
        Category(pk=place, code=category.code, name=category.name, name_en=category.name_en)
        for place, category in enumerate(CATEGORIES, start=1)
    )
    _create(_skus(skus), opened_at)
    BundlePart.objects.bulk_create(
        BundlePart(bundle_id=place, part_id=part + 1, quantity=quantity)
        for place, sku in enumerate(skus, start=1)
        for part, quantity in sku.parts
    )
    _create(_nodes(), opened_at)
    _create(list(freight.tariffs(timezone.localdate(opened_at))), opened_at)
    _create(_channels(), opened_at)
    _create(_listings(skus), opened_at)
    _create(_promotions(campaigns), opened_at)
    pulled = [place for place, channel in enumerate(CHANNELS, start=1) if channel.adapter == "taobao"]
    PullCursor.objects.bulk_create(PullCursor(channel_id=place, pulled_until=until) for place in pulled)


def names(skus: Sequence[DemoSku]) -> dict[str, list[tuple[str, str]]]:
    """Return for each channel what it calls every SKU: its code there, and the title."""
    known = {
        channel.code: [(sku.code, sku.name_en if channel.currency == "USD" else sku.name) for sku in skus]
        for channel in CHANNELS
    }
    for listing in catalogue.listings(tuple(skus)):
        codes = known[listing.channel]
        codes[listing.place] = (listing.external_code, codes[listing.place][1])
    return known


def _create(rows: Sequence[Model], at: datetime) -> None:
    if rows:
        bulk_create_with_history(rows, type(rows[0]), batch_size=1000, default_change_reason=REASON, default_date=at)


def _skus(skus: Sequence[DemoSku]) -> list[Sku]:
    category_ids = {category.code: place for place, category in enumerate(CATEGORIES, start=1)}
    return [
        Sku(
            pk=place,
            code=sku.code,
            name=sku.name,
            name_en=sku.name_en,
            kind=sku.kind,
            category_id=category_ids[sku.category],
            brand=sku.brand,
            barcode=sku.barcode,
            list_price=money(sku.price_fen),
            unit_cost=money(sku.cost_fen),
            weight_g=sku.weight_g,
            needs=freight.needs(sku.category, place),
        )
        for place, sku in enumerate(skus, start=1)
    ]


def _nodes() -> list[Node]:
    return [
        Node(
            pk=place,
            code=node.code,
            name=node.name,
            name_en=node.name_en,
            kind=node.kind,
            region=node.region,
            city=node.city,
            latitude=node.latitude,
            longitude=node.longitude,
            serves=list(node.serves),
            parcels_per_day=node.parcels_per_day,
            **freight.node_facts(node),
        )
        for place, node in enumerate(NODES, start=1)
    ]


def _channels() -> list[Channel]:
    """Sales channels first, then the warehouse system that every node hears from."""
    rows = [
        Channel(
            pk=place,
            code=channel.code,
            name=channel.name,
            name_en=channel.name_en,
            platform=channel.platform,
            adapter=channel.adapter,
            currency=channel.currency,
            base_url=channel.base_url,
            credentials=channel.credentials,
            unpaid_minutes=channel.unpaid_minutes,
            ship_within_hours=channel.ship_within_hours,
            is_priced_here=channel.is_priced_here,
        )
        for place, channel in enumerate((*CHANNELS, WAREHOUSE_SYSTEM), start=1)
    ]
    rows[-1].options = {"nodes": [node.code for node in NODES]}
    return rows


def _listings(skus: Sequence[DemoSku]) -> list[Listing]:
    channel_ids = {channel.code: place for place, channel in enumerate(CHANNELS, start=1)}
    return [
        Listing(
            pk=place,
            channel_id=channel_ids[listing.channel],
            external_code=listing.external_code,
            external_item_id=listing.item_id,
            external_sku_id=listing.sku_id,
            sku_id=listing.place + 1,
        )
        for place, listing in enumerate(catalogue.listings(tuple(skus)), start=1)
    ]


def _promotions(campaigns: Sequence[Campaign]) -> list[promotions.Campaign]:
    return [
        promotions.Campaign(
            pk=place,
            code=campaign.code,
            name=campaign.name,
            name_en=campaign.name_en,
            starts_at=campaign.starts_at,
            ends_at=campaign.ends_at,
            channel_codes=list(campaign.channels),
            category_codes=list(campaign.categories),
            percent_off=campaign.percent_off,
        )
        for place, campaign in enumerate(campaigns, start=1)
    ]
