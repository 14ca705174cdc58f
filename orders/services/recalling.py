"""Telling nodes' own systems that they must not send a parcel they were asked for."""

from collections.abc import Sequence

from channels.messages import ParcelCancel
from channels.models import Channel
from channels.services import outbox
from channels.statuses import Lane
from inventory.models import Node
from orders.models import Fulfillment
from orders.services.batch import Batch


def recall(batch: Batch, parcels: Sequence[Fulfillment], *, reason: str) -> None:
    """Ask the systems of the parcels' nodes to stop them; nodes without a system, and unreleased parcels, need none."""
    asked = [parcel for parcel in parcels if parcel.released_at]
    systems = _systems() if asked else {}
    if not systems:
        return
    codes = dict(Node.objects.filter(pk__in={parcel.node_id for parcel in asked}).values_list("pk", "code"))
    batch.drafts.extend(
        outbox.Draft(
            channel_id=systems[codes[parcel.node_id]],
            lane=Lane.PARCELS,
            subject=parcel.number,
            key=f"parcel-cancel:{parcel.number}",
            message=ParcelCancel(parcel.number, codes[parcel.node_id], reason[:150]),
        )
        for parcel in asked
        if codes[parcel.node_id] in systems
    )


def _systems() -> dict[str, int]:
    """Return the key of the system that speaks for each node, by the node's code."""
    speaking = Channel.objects.filter(is_active=True, options__has_key="nodes")
    return {code: channel.pk for channel in speaking for code in channel.options["nodes"]}
