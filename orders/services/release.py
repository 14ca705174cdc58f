"""Step four: a paid, fully allocated order goes to its nodes."""

from collections.abc import Sequence

from audit.rules.sentences import say
from channels.messages import ParcelLine, ParcelRequest
from channels.models import Channel
from channels.services import outbox
from channels.statuses import Lane
from inventory.models import Node, Sku
from orders.models import Fulfillment
from orders.services.batch import Batch, Work
from orders.statuses import EventKind, FulfillmentStatus


def release(batch: Batch, works: Sequence[Work]) -> None:
    """Release the planned parcels; a node with a system of its own is told through the outbox."""
    released: list[tuple[Work, Fulfillment]] = []
    for work in works:
        parcels = [parcel for parcel in work.live_parcels() if parcel.status == FulfillmentStatus.PLANNED]
        for parcel in parcels:
            parcel.status, parcel.released_at = FulfillmentStatus.RELEASED, batch.at
            batch.parcel_changed(parcel)
        batch.tell(work, EventKind.RELEASED, say("Parcels: %(parcels)s", parcels=len(parcels)))
        released.extend((work, parcel) for parcel in parcels)
    batch.drafts.extend(_requests(released))


def _requests(released: Sequence[tuple[Work, Fulfillment]]) -> list[outbox.Draft]:
    """Return what must be told to the nodes' own systems."""
    systems = {
        code: channel.pk
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
            channel_id=systems[node_code],
            lane=Lane.PARCELS,
            subject=parcel.number,
            key=f"parcel-request:{parcel.number}",
            message=ParcelRequest(
                parcel_number=parcel.number,
                order_number=work.order.number,
                node_code=node_code,
                lines=tuple(ParcelLine(skus[c.sku_id], c.quantity) for c in work.contents if c.fulfillment is parcel),
                ship_by=work.order.ship_by,
            ),
        )
        for work, parcel, node_code in told
    ]


def _sku_codes(works: Sequence[Work]) -> dict[int, str]:
    ids = {content.sku_id for work in works for content in work.contents}
    return dict(Sku.objects.filter(pk__in=ids).values_list("pk", "code"))
