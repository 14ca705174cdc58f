"""The company that is measured: the demo company's catalogue, nodes and channels, with stock for what is to come."""

import json
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random

from audit.rules.actors import Actor
from channels.messages import RawMessage
from channels.models import Channel, Listing
from channels.services import inbox
from config.demo import catalogue, places
from config.demo import company as demo
from inventory.models import BundlePart, Category, Node, Sku, StockLevel
from inventory.services import movements
from inventory.statuses import MovementKind

BENCH = Actor("job", "benchmark")
NOW = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
SEED = 20_261_102
LINES = 3
UNITS = (0.82, 0.95, 1.0)  # running shares of one, two, three units in a line
STOCK = {"central_dc": 4_000, "regional_dc": 600, "store": 20}  # of the most popular SKU ten times as much
NAMES = "王李张刘陈杨赵黄周吴"
PAGE = 100
TABLES = (
    "inventory_category", "inventory_sku", "inventory_bundlepart", "inventory_node", "inventory_stocklevel",
    "inventory_stockmovement", "inventory_lot", "channels_channel", "channels_listing", "inventory_historicalsku",
    "inventory_historicalnode", "channels_historicalchannel", "channels_historicallisting",
)  # fmt: skip


@dataclass(frozen=True)
class Company:
    """What messages are made of: the channels, and for each what it calls the SKUs."""

    channels: dict[str, Channel]
    codes: dict[str, list[tuple[str, str, Decimal]]]  # channel code → (its code, title, price) of each SKU that is sold
    popularity: list[float]  # running sums


def load() -> Company:
    """Write the company into an empty database and return what its messages are made of."""
    skus = catalogue.make()
    kept = _load_skus(skus)
    nodes = _load_nodes()
    channels = _load_channels()
    listed = _load_listings(skus, kept, channels)
    _load_stock(skus, kept, nodes)
    sold = [place for place, sku in enumerate(skus) if sku.kind != "gift"]
    codes = {
        channel.code: [
            (
                listed.get((channel.code, place), skus[place].code),
                skus[place].name,
                Decimal(catalogue.price_on(channel, skus[place])) / 100,
            )
            for place in sold
        ]
        for channel in _sales_channels()
    }
    return Company(channels, codes, list(accumulate(skus[place].popularity for place in sold)))


def pages(company: Company, count: int) -> list[tuple[str, list[RawMessage]]]:
    """Return paid three-line orders as the channels push them: (channel code, messages of one page)."""
    open_pages: dict[str, list[RawMessage]] = {}
    full: list[tuple[str, list[RawMessage]]] = []
    for code, raw in messages(company, count):
        page = open_pages.setdefault(code, [])
        page.append(raw)
        if len(page) == PAGE:
            full.append((code, open_pages.pop(code)))
    return [*full, *open_pages.items()]


def store(company: Company, arriving: Iterable[tuple[str, list[RawMessage]]]) -> None:
    """Let pages of messages come into the inbox."""
    for code, raws in arriving:
        inbox.store(company.channels[code], raws, at=NOW)


def messages(company: Company, count: int) -> Iterator[tuple[str, RawMessage]]:
    """Yield (channel code, message) for so many orders; the same on every machine."""
    rng = Random(SEED)
    channels = _sales_channels()
    shares = list(accumulate(channel.share for channel in channels))
    for serial in range(count):
        channel = channels[bisect(shares, rng.random() * shares[-1])]
        yield channel.code, _message(company, channel, serial, rng)


def _message(company: Company, channel: demo.DemoChannel, serial: int, rng: Random) -> RawMessage:
    towns = places.of_channel(channel.code)
    town = towns.towns[bisect(towns.sums, rng.random() * towns.sums[-1])]
    buyer = rng.randrange(1_000_000)
    placed_at = NOW - timedelta(seconds=rng.randrange(600, 7200))
    chosen: dict[int, int] = {}
    while len(chosen) < LINES:
        place = bisect(company.popularity, rng.random() * company.popularity[-1])
        chosen.setdefault(place, bisect(UNITS, rng.random()) + 1)
    name = f"{NAMES[buyer % 10]}**"
    says = {
        "type": "order",
        "external_id": f"{serial:016d}",
        "revision": 1,
        "placed_at": placed_at.isoformat(),
        "paid_at": (placed_at + timedelta(seconds=90)).isoformat(),
        "currency": channel.currency,
        "lines": _lines(company.codes[channel.code], chosen),
        "address": {
            "province": town.province, "city": town.city, "district": "", "country": town.country,
            "line": f"测试路 {serial % 997} 号", "name": name, "phone": f"100****{serial % 10_000:04d}",
        },
        "shipping_amount": "6.00",
        "buyer_key": f"buyer-{buyer}",
        "buyer_name": name,
    }  # fmt: skip
    payload = json.dumps(says, ensure_ascii=False, separators=(",", ":")).encode()
    return RawMessage("order", str(says["external_id"]), 1, payload)


def _lines(codes: Sequence[tuple[str, str, Decimal]], chosen: dict[int, int]) -> list[dict[str, object]]:
    return [
        {
            "external_id": str(number),
            "sku_code": codes[place][0],
            "title": codes[place][1],
            "quantity": quantity,
            "unit_price": str(codes[place][2]),
            "discount": "1.00" if number == 1 else "0",
        }
        for number, (place, quantity) in enumerate(chosen.items(), start=1)
    ]


def _sales_channels() -> list[demo.DemoChannel]:
    """Return the channels that speak the house language."""
    return [channel for channel in demo.CHANNELS if channel.adapter == "house"]


def _load_skus(skus: Sequence[catalogue.DemoSku]) -> list[Sku]:
    categories = {
        facts.code: Category.objects.create(code=facts.code, name=facts.name, name_en=facts.name_en)
        for facts in demo.CATEGORIES
    }
    kept = Sku.objects.bulk_create(
        Sku(
            code=sku.code,
            name=sku.name,
            name_en=sku.name_en,
            kind=sku.kind,
            category=categories[sku.category],
            brand=sku.brand,
            barcode=sku.barcode,
            list_price=Decimal(sku.price_fen) / 100,
            unit_cost=Decimal(sku.cost_fen) / 100,
            weight_g=sku.weight_g,
        )
        for sku in skus
    )
    BundlePart.objects.bulk_create(
        BundlePart(bundle=kept[place], part=kept[part], quantity=quantity)
        for place, sku in enumerate(skus)
        for part, quantity in sku.parts
    )
    return kept


def _load_nodes() -> list[Node]:
    return Node.objects.bulk_create(
        Node(
            code=facts.code,
            name=facts.name,
            name_en=facts.name_en,
            kind=facts.kind,
            region=facts.region,
            city=facts.city,
            latitude=facts.latitude,
            longitude=facts.longitude,
            serves=list(facts.serves),
            parcels_per_day=facts.parcels_per_day,
        )
        for facts in demo.NODES
    )


def _load_channels() -> dict[str, Channel]:
    """Write the sales channels, and the warehouse system that is told of every DC's parcels."""
    rows = [
        Channel(
            code=facts.code,
            name=facts.name,
            name_en=facts.name_en,
            platform=facts.platform,
            adapter=facts.adapter,
            currency=facts.currency,
            unpaid_minutes=facts.unpaid_minutes,
            ship_within_hours=facts.ship_within_hours,
        )
        for facts in (*_sales_channels(), demo.WAREHOUSE_SYSTEM)
    ]
    rows[-1].options = {"nodes": [node.code for node in demo.NODES if node.kind != "store"]}
    return {channel.code: channel for channel in Channel.objects.bulk_create(rows)}


def _load_listings(
    skus: tuple[catalogue.DemoSku, ...], kept: Sequence[Sku], channels: dict[str, Channel]
) -> dict[tuple[str, int], str]:
    """Write what channels call our SKUs, and return it by (channel code, place in the catalogue)."""
    known = [listing for listing in catalogue.listings(skus) if listing.channel in channels]
    Listing.objects.bulk_create(
        Listing(channel=channels[listing.channel], external_code=listing.external_code, sku=kept[listing.place])
        for listing in known
    )
    return {(listing.channel, listing.place): listing.external_code for listing in known}


def _load_stock(skus: Sequence[catalogue.DemoSku], kept: Sequence[Sku], nodes: Sequence[Node]) -> None:
    """Open balances through the verb that writes the ledger; popular SKUs get more."""
    top = max(sku.popularity for sku in skus)
    for node in nodes:
        opening = [
            movements.Movement(
                key=f"opening:{node.code}/{row.code}",
                sku_id=row.pk,
                node_id=node.pk,
                kind=MovementKind.OPENING,
                quantity=round(STOCK[node.kind] * (0.1 + sku.popularity / top)),
            )
            for sku, row in zip(skus, kept, strict=True)
            if sku.kind != "bundle"
        ]
        movements.record(opening, actor=BENCH, at=NOW - timedelta(days=1))


def forget_promises() -> None:
    """Make every promised unit free again."""
    StockLevel.objects.filter(reserved__gt=0).update(reserved=0)
