"""Step four: a paid, fully allocated order goes to its nodes."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from audit.rules.sentences import say
from channels.adapters import registry
from channels.messages import Address, ParcelLine, ParcelRequest
from channels.models import Channel
from channels.services import outbox
from channels.statuses import Lane
from inventory.models import Node, Sku
from inventory.rules import geography
from orders.models import Fulfillment, FulfillmentLine, Order
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, FulfillmentStatus

_CENT: Final = Decimal("0.01")


def release(batch: Batch, works: Sequence[Work]) -> None:
    """Release the planned parcels; a node with a system of its own is told through the outbox."""
    released: list[tuple[Work, Fulfillment]] = []
    minutes = _claim_minutes(works)
    for work in works:
        parcels = [parcel for parcel in work.live_parcels() if parcel.status == FulfillmentStatus.PLANNED]
        for parcel in parcels:
            parcel.status, parcel.released_at = FulfillmentStatus.RELEASED, batch.at
            if parcel.node_id in minutes:
                parcel.claim_by = batch.at + timedelta(minutes=minutes[parcel.node_id])
            batch.parcel_changed(parcel)
        batch.tell(work, EventKind.RELEASED, say("Parcels: %(parcels)s", parcels=len(parcels)))
        released.extend((work, parcel) for parcel in parcels)
    batch.drafts.extend(_requests(batch, released))


def _claim_minutes(works: Sequence[Work]) -> dict[int, int]:
    """Return how long the parcels' nodes have to begin, for the nodes that must begin in time."""
    node_ids = {parcel.node_id for work in works for parcel in work.live_parcels()}
    hurried = Node.objects.filter(pk__in=node_ids, claim_minutes__isnull=False)
    return {node_id: minutes or 0 for node_id, minutes in hurried.values_list("pk", "claim_minutes")}


def _requests(batch: Batch, released: Sequence[tuple[Work, Fulfillment]]) -> list[outbox.Draft]:
    """Return what must be told to the nodes' own systems."""
    systems = {
        code: channel
        for channel in Channel.objects.filter(is_active=True, options__has_key="nodes")
        for code in channel.options["nodes"]
    }
    if not systems or not released:
        return []
    nodes = dict(Node.objects.filter(pk__in={p.node_id for _, p in released}).values_list("pk", "code"))
    told = [(work, parcel, nodes[parcel.node_id]) for work, parcel in released if nodes[parcel.node_id] in systems]
    skus = _sku_codes([work for work, _parcel, _code in told])
    return [
        outbox.Draft(
            channel_id=systems[node_code].pk,
            lane=Lane.PARCELS,
            subject=parcel.number,
            key=f"parcel-request:{parcel.number}",
            message=ParcelRequest(
                parcel_number=parcel.number,
                order_number=work.order.number,
                node_code=node_code,
                lines=tuple(
                    ParcelLine(skus[content.sku_id], content.quantity, _price_of_one(content, batch))
                    for content in work.contents
                    if content.fulfillment is parcel
                ),
                ship_by=work.order.ship_by,
                receiver=_receiver(work.order) if _prints_labels(systems[node_code]) else None,
                order_external_id=work.order.external_id,
                placed_at=work.order.placed_at,
                paid_at=work.order.paid_at,
            ),
        )
        for work, parcel, node_code in told
    ]


def _prints_labels(system: Channel) -> bool:
    adapter = registry.BY_NAME.get(system.adapter)
    return adapter is not None and adapter.capabilities.receivers


def _receiver(order: Order) -> Address:
    region = geography.REGIONS.get(order.region)
    return Address(
        province=region.name if region else order.region,
        city=order.city,
        district=order.district,
        line=order.recipient_address,
        country=order.country,
        name=order.recipient_name,
        phone=order.recipient_phone,
        token=order.recipient_token,
    )


def _price_of_one(content: FulfillmentLine, batch: Batch) -> Decimal:
    """Return what the buyer pays for one unit, to the cent; a bundle's price falls on its units in equal parts."""
    line = content.order_line
    parts = batch.parts.get(line.sku_id or 0) or [(content.sku_id, 1)]
    units = line.quantity * sum(quantity for _part, quantity in parts)
    return (line.net_amount / units).quantize(_CENT, ROUND_HALF_UP)


def _sku_codes(works: Sequence[Work]) -> dict[int, str]:
    ids = {content.sku_id for work in works for content in work.contents}
    return dict(Sku.objects.filter(pk__in=ids).values_list("pk", "code"))
