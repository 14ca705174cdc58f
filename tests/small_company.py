"""A company small enough to check by hand: two nodes, a few SKUs, one channel."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from audit.rules.actors import Actor
from channels.messages import RawMessage
from channels.models import Channel
from channels.services import inbox
from inventory.models import BundlePart, Category, Node, Sku
from inventory.services import movements
from inventory.statuses import MovementKind, NodeKind, SkuKind

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai, a Monday
TESTER = Actor("person", "tester")
ADDRESS = {"province": "上海市", "city": "上海市", "line": "1 Test Road", "name": "王**", "phone": "138****0000"}


def channel(code: str = "JD", **columns: Any) -> Channel:
    """Make a channel that speaks the house language."""
    return Channel.objects.create(code=code, name=code, platform=code.lower(), adapter="house", **columns)


def sku(code: str, *, kind: str = SkuKind.SINGLE, parts: dict[Sku, int] | None = None) -> Sku:
    """Make a SKU; ``parts`` makes it a bundle."""
    category, _ = Category.objects.get_or_create(code="cups", defaults={"name": "杯"})
    row = Sku.objects.create(
        code=code, name=code, category=category, list_price=Decimal("10.00"), kind=SkuKind.BUNDLE if parts else kind
    )
    BundlePart.objects.bulk_create(BundlePart(bundle=row, part=part, quantity=n) for part, n in (parts or {}).items())
    return row


def node(code: str, region: str = "31", **columns: Any) -> Node:
    """Make a node in a province's capital that serves all of mainland China."""
    places = {"31": ("上海", 31.23, 121.47), "42": ("武汉", 30.59, 114.31), "44": ("广州", 23.13, 113.26)}
    city, latitude, longitude = places[region]
    defaults = {"name": code, "kind": NodeKind.CENTRAL_DC, "city": city, "latitude": latitude, "longitude": longitude}
    return Node.objects.create(code=code, region=region, **defaults | columns)


def stock(what: Sku, where: Node, units: int) -> None:
    """Receive units of a SKU at a node."""
    key = f"opening:{what.code}@{where.code}:{units}"
    movement = movements.Movement(key, what.pk, where.pk, MovementKind.OPENING, units)
    movements.record([movement], actor=TESTER, at=NOON)


def order_message(number: str, lines: dict[str, int], **facts: Any) -> dict[str, Any]:
    """Return a paid house-language order for Shanghai; ``lines`` is SKU code → quantity."""
    return {
        "type": "order",
        "external_id": number,
        "revision": 1,
        "placed_at": (NOON - timedelta(minutes=10)).isoformat(),
        "paid_at": (NOON - timedelta(minutes=9)).isoformat(),
        "currency": "CNY",
        "lines": [
            {"external_id": str(n), "sku_code": code, "title": code, "quantity": quantity, "unit_price": "10.00"}
            for n, (code, quantity) in enumerate(lines.items(), start=1)
        ],
        "address": ADDRESS,
        "buyer_key": f"buyer-{number}",
        "buyer_name": "王**",
    } | facts


def receive(where: Channel, *messages: dict[str, Any], at: datetime = NOON) -> None:
    """Put house-language messages into the inbox."""
    raws = [
        RawMessage(
            "order" if message["type"] == "order" else "change",
            message["external_id"],
            message["revision"],
            json.dumps(message, ensure_ascii=False).encode(),
        )
        for message in messages
    ]
    inbox.store(where, raws, at=at)
