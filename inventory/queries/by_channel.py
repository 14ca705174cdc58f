"""What each channel may sell of a SKU, as the sum that makes the figure: its nodes first, then the shares."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from inventory.models import StockLevel
from inventory.queries import lots, shares
from inventory.rules.shares import Part, Shared, figure


@dataclass(frozen=True)
class ChannelFigure:
    """What one channel may sell: the smaller of what its nodes can promise and what the shares leave it.

    ``parts`` add up to ``at_nodes``; ``share_parts`` are the sum behind ``share_room``, which is None where no channel
    has a share of the SKU. A presale may sell what its share still has, whether the goods have come or not.
    """

    channel: str
    node_count: int
    parts: tuple[tuple[str, int], ...]
    at_nodes: int
    share_parts: tuple[Part, ...]
    share_room: int | None
    value: int


def derive(sku_id: int, served: Mapping[str, Collection[int] | None], *, on_date: date) -> tuple[ChannelFigure, ...]:
    """Return the figure of each channel: code → the nodes that serve it (None: all active ones). Not for bundles.

    Of goods with lots only what keeps long enough for the channel on that date counts. As of now only: shares have no
    past.
    """
    levels = list(StockLevel.objects.filter(sku=sku_id, node__is_active=True).order_by("node_id"))
    unfit = lots.unfit_units([sku_id], list(served), on_date)
    shared = shares.read([sku_id]).get(sku_id)
    return tuple(
        _figure(
            code,
            [level for level in levels if node_ids is None or level.node_id in node_ids],
            {node_id: units for (_sku_id, node_id), units in unfit[code].items()},
            shared,
        )
        for code, node_ids in served.items()
    )


def _figure(
    code: str, levels: Collection[StockLevel], unfit: Mapping[int, int], shared: Shared | None
) -> ChannelFigure:
    at_nodes = sum(max(0, level.available - unfit.get(level.node_id, 0)) for level in levels)
    parts = [
        ("on_hand", sum(level.on_hand for level in levels)),
        ("reserved", -sum(level.reserved for level in levels)),
        ("quality_hold", -sum(level.quality_hold for level in levels)),
        ("safety_stock", -sum(level.safety_stock for level in levels)),
        ("too_old", -sum(unfit.get(level.node_id, 0) for level in levels)),
    ]
    below_zero = at_nodes - sum(units for _name, units in parts)  # a node that lacks units takes none from the others
    if below_zero:
        parts.append(("below_zero", below_zero))
    return ChannelFigure(
        channel=code,
        node_count=len(levels),
        parts=tuple(parts),
        at_nodes=at_nodes,
        share_parts=shared.parts(code) if shared else (),
        share_room=shared.room(code) if shared else None,
        value=figure(shared, code, at_nodes),
    )
