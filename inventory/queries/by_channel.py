"""What each channel may sell of a SKU, now or at a past moment, as the sum that makes it: nodes, then shares."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection

from inventory.models import StockLevel
from inventory.queries import lots, lots_past, network, share_use, shares
from inventory.rules.shares import Part, Shared, figure

# Whether nodes were active at a moment; one whose history begins later counts as it first was.
_ACTIVE: Final = """
SELECT DISTINCT ON (node.id) node.id, coalesce(past.is_active, node.is_active)
  FROM inventory_node AS node LEFT JOIN inventory_historicalnode AS past ON past.id = node.id
 WHERE node.id = ANY(%(nodes)s)
 ORDER BY node.id, past.history_date > %(at)s, abs(extract(epoch FROM past.history_date - %(at)s)), past.history_id DESC
"""


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


@dataclass(frozen=True)
class _Level:
    """A SKU's stock at a node."""

    node_id: int
    on_hand: int
    reserved: int
    quality_hold: int
    safety_stock: int

    def available(self) -> int:
        """Return units that may be promised."""
        return max(0, self.on_hand - self.reserved - self.quality_hold - self.safety_stock)

    def sellable(self) -> int:
        """Return units that may be promised or are reserved."""
        return max(0, self.on_hand - self.quality_hold - self.safety_stock)


Unfit = Mapping[str, Mapping[int, int]]  # channel → node id → units that are not fresh enough


def derive(
    sku_id: int, served: Mapping[str, Collection[int] | None], *, on_date: date, at: datetime | None = None
) -> tuple[ChannelFigure, ...]:
    """Return the figure of each channel: code → the nodes that serve it (None: all active ones). Not for bundles.

    Of goods with lots only what keeps long enough for the channel on that date counts. With ``at`` everything is
    rebuilt from the rows as of that past moment; ``served`` and ``on_date`` are to be of that moment too.
    """
    if at is not None:
        return _derive_then(sku_id, served, on_date, at)
    rows = StockLevel.objects.filter(sku=sku_id, node__is_active=True).order_by("node_id")
    levels = [_Level(row.node_id, row.on_hand, row.reserved, row.quality_hold, row.safety_stock) for row in rows]
    found = lots.unfit_units([sku_id], list(served), on_date)
    unfit = {code: {node_id: units for (_sku, node_id), units in by_level.items()} for code, by_level in found.items()}
    return _figures(served, levels, unfit, shares.read([sku_id]).get(sku_id))


def _derive_then(
    sku_id: int, served: Mapping[str, Collection[int] | None], on_date: date, at: datetime
) -> tuple[ChannelFigure, ...]:
    stored = list(StockLevel.objects.filter(sku=sku_id))
    units = network.stock(stored, sku_id, at=at)
    seen = sorted({*(level.node_id for level in stored), *(node_id for found in units.values() for node_id in found)})
    levels = [_Level(node_id, **{name: found.get(node_id, 0) for name, found in units.items()}) for node_id in seen]
    active = _active(seen, at)
    unfit = lots_past.unfit_units(sku_id, list(served), on_date=on_date, at=at)
    shared = _shared(sku_id, levels, at)
    return _figures(served, [level for level in levels if level.node_id in active], unfit, shared)


def _active(node_ids: Iterable[int], at: datetime) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE, {"nodes": list(node_ids), "at": at})
        return {node_id for node_id, is_active in cursor.fetchall() if is_active}


def _shared(sku_id: int, levels: Collection[_Level], at: datetime) -> Shared | None:
    uses = share_use.derive(sku_id, at=at)
    if not uses:
        return None
    return Shared(
        sellable=sum(level.sellable() for level in levels),
        free=sum(level.available() for level in levels),
        pools={use.pool.channel: use.pool for use in uses},
    )


def _figures(
    served: Mapping[str, Collection[int] | None], levels: Collection[_Level], unfit: Unfit, shared: Shared | None
) -> tuple[ChannelFigure, ...]:
    return tuple(
        _figure(code, [level for level in levels if node_ids is None or level.node_id in node_ids], unfit[code], shared)
        for code, node_ids in served.items()
    )


def _figure(code: str, levels: Collection[_Level], unfit: Mapping[int, int], shared: Shared | None) -> ChannelFigure:
    at_nodes = sum(max(0, level.available() - unfit.get(level.node_id, 0)) for level in levels)
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
