"""What partners are told of a batch: one event for each thing that happened, without anything about the buyer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from channels.messages import PartnerEvent
from channels.models import Channel
from channels.services import events
from inventory.models import Node
from orders.statuses import EventKind

if TYPE_CHECKING:  # a batch calls this while it is written
    from orders.models import Fulfillment
    from orders.services.batch import Batch, Work

OF_ORDERS: Final = {
    EventKind.CANCELLED: "order.cancelled",
    EventKind.HELD: "order.on_hold",
    EventKind.RELEASED: "order.released",
}


def announce(batch: Batch) -> int:
    """Write the events of a batch for the endpoints that want them, and return how many messages that were.

    Every event's subject is the order's number, so that an endpoint hears of one order in order.
    """
    active = Channel.objects.filter(is_active=True, adapter=events.ADAPTER).order_by("pk")
    endpoints = events.endpoints(active) if batch.works else []
    if not endpoints:
        return 0
    codes = dict(Node.objects.filter(pk__in=_node_ids(batch)).values_list("pk", "code"))
    kinds: dict[int, set[str]] = {}
    for event in batch.events:
        kinds.setdefault(id(event.order), set()).add(event.kind)
    told = [event for work in batch.works for event in _events_of(batch, work, kinds.get(id(work.order), set()), codes)]
    return events.publish(told, to=endpoints, at=batch.at)


def _node_ids(batch: Batch) -> set[int]:
    return {parcel.node_id for work in batch.works for parcel in work.parcels}


def _events_of(batch: Batch, work: Work, kinds: set[str], codes: dict[int, str]) -> Iterable[PartnerEvent]:
    number = work.order.number
    if work.is_new:
        yield PartnerEvent("order.created", number, batch.at, _order(batch, work))
    for kind, word in OF_ORDERS.items():
        if kind in kinds:
            yield PartnerEvent(word, number, batch.at, _order(batch, work))
    changed = {id(parcel) for parcel in batch.changed_parcels.values()}
    for parcel in work.parcels:
        if id(parcel) not in changed:
            continue
        if EventKind.SHIPPED in kinds and parcel.shipped_at == batch.at:
            yield PartnerEvent("parcel.shipped", number, batch.at, _parcel(work, parcel, codes))
        if EventKind.DELIVERED in kinds and parcel.delivered_at == batch.at:
            yield PartnerEvent("parcel.delivered", number, batch.at, _parcel(work, parcel, codes))


def _order(batch: Batch, work: Work) -> dict[str, Any]:
    order, channel = work.order, batch.channels.get(work.order.channel_id)
    return {
        "number": order.number,
        "channel": channel.code if channel else "",
        "external_id": order.external_id,
        "status": str(order.status),
        "currency": order.currency,
        "total_amount": str(order.total_amount),
        "holds": sorted(work.holds),
        "lines": [
            {"external_id": line.external_id, "sku": line.external_sku, "quantity": line.quantity}
            for line in work.live_lines()
        ],
    }


def _parcel(work: Work, parcel: Fulfillment, codes: dict[int, str]) -> dict[str, Any]:
    return {
        "number": parcel.number,
        "order_number": work.order.number,
        "external_id": work.order.external_id,
        "node": codes.get(parcel.node_id, ""),
        "carrier": parcel.carrier_code,
        "tracking_number": parcel.tracking_number,
        "status": str(parcel.status),
        "lines": [
            {"external_id": content.order_line.external_id, "quantity": content.quantity}
            for content in work.contents
            if content.fulfillment is parcel
        ],
    }
