"""The nodes of the demo at work: they pick, pack and ship what was released to them, and carriers deliver."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx

from audit.rules.actors import Actor
from channels.models import Channel, Listing
from channels.simulators import taobao_trades
from config.demo import load, places, promotions, traffic
from config.demo.drafts import Street
from config.demo.life import COURIERS
from orders.models import Fulfillment, Order
from orders.services import fulfillment
from orders.statuses import FulfillmentStatus

_CENT = Decimal("0.01")
ACTOR = Actor("job", "demo-nodes")
ORDERS_A_TICK = 2
AT_ONCE = 60  # parcels each step takes in a tick
BEFORE_PICKING, BEFORE_PACKING, BEFORE_SHIPPING = timedelta(minutes=2), timedelta(minutes=4), timedelta(minutes=3)
ON_THE_ROAD = timedelta(days=2)


@dataclass(frozen=True)
class Worked:
    """How many parcels made each step."""

    picked: int = 0
    packed: int = 0
    shipped: int = 0
    delivered: int = 0


def tick(*, at: datetime) -> Worked:
    """Let a few orders come in and the nodes go on with theirs; without the demo company nothing happens."""
    if load.find() is None:
        return Worked()
    coupons = promotions.free_codes(ORDERS_A_TICK)
    mail = Street(seed=int(at.timestamp()), at=at, coupons=coupons).mail(ORDERS_A_TICK)
    traffic.Postman(report=lambda _messages: None).deliver(mail, at=at)
    return work(at=at)


def work(*, at: datetime) -> Worked:
    """Move every parcel that is due by one step, the last step first."""
    delivered = fulfillment.deliver(
        _due(FulfillmentStatus.SHIPPED, shipped_at__lte=at - ON_THE_ROAD), actor=ACTOR, at=at
    )
    shipped = _ship(_due(FulfillmentStatus.PACKED, packed_at__lte=at - BEFORE_SHIPPING), at=at)
    packed = fulfillment.pack(_due(FulfillmentStatus.PICKING, released_at__lte=at - BEFORE_PACKING), actor=ACTOR, at=at)
    picked = fulfillment.pick(
        _due(FulfillmentStatus.RELEASED, released_at__lte=at - BEFORE_PICKING), actor=ACTOR, at=at
    )
    return Worked(len(picked.done), len(packed.done), shipped, len(delivered.done))


def _due(status: FulfillmentStatus, **when: Any) -> list[int]:
    """Return the oldest parcels of a status; those of orders on hold stay where they are."""
    parcels = Fulfillment.objects.filter(status=status, order__open_holds=0, **when)
    return list(parcels.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def _ship(parcel_ids: Sequence[int], *, at: datetime) -> int:
    introduce(Order.objects.filter(fulfillments__in=parcel_ids, shipped_at__isnull=True).distinct())
    rng = Random(int(at.timestamp()))
    handovers = {}
    for parcel_id in parcel_ids:
        code, prefix = rng.choice(COURIERS)
        handovers[parcel_id] = fulfillment.Handover(code, f"{prefix}{rng.randrange(10**11):011d}")
    return len(fulfillment.ship(handovers, actor=ACTOR, at=at).done) if handovers else 0


def introduce(orders: Any) -> int:
    """Tell the simulated platform of orders that it will soon hear are shipped: it forgets when it is restarted.

    Returns how many it was told of; none when no simulated platform answers.
    """
    told = 0
    for channel in Channel.objects.filter(adapter="taobao", is_active=True):
        trades = [_trade(channel, order) for order in orders.filter(channel=channel).prefetch_related("lines")]
        if trades:
            with suppress(httpx.HTTPError):
                httpx.post(
                    f"{traffic.control_of(channel)}/trades", json=trades, timeout=traffic.TIMEOUT
                ).raise_for_status()
                told += len(trades)
    return told


def _trade(channel: Channel, order: Order) -> dict[str, Any]:
    """Write an order as the platform once showed it, so that a later pull finds nothing changed."""
    sold = [row for row in order.lines.all() if not row.promotion_code]  # our gifts are no business of the platform
    rows = sorted(sold, key=lambda row: row.line_number)
    codes = [row.external_sku for row in rows]
    listed = {row.external_code: row for row in Listing.objects.filter(channel=channel, external_code__in=codes)}
    lines = []
    for row in rows:
        listing = listed.get(row.external_sku)
        item, sku_id = (int(listing.external_item_id), int(listing.external_sku_id)) if listing else (1, 1)
        price, net = str(row.unit_price.quantize(_CENT)), str(row.net_amount)
        lines.append(taobao_trades.SoldLine(row.external_sku, item, sku_id, row.title, row.quantity, price, net))
    sale = taobao_trades.Sale(
        tid=int(order.external_id),
        lines=lines,
        created_at=order.placed_at,
        paid_at=order.paid_at,
        modified_at=datetime.fromtimestamp(order.revision / 1000, UTC),
        receiver=_receiver(order),
        post_fee=str(order.shipping_amount),
    )
    return taobao_trades.make_trade(sale) | {"oaid": order.recipient_token}


def _receiver(order: Order) -> taobao_trades.Receiver:
    return taobao_trades.Receiver(
        state=places.province_name(order.region),
        city=order.city,
        district=order.district,
        town="",
        name=order.recipient_name,
        address=order.recipient_address,
        mobile=order.recipient_phone,
    )
