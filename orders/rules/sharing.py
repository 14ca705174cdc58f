"""What channels' shares leave of each demand, before nodes are chosen. Plain Python."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from inventory.rules.shares import Shared
from orders.rules.routing.facts import Demand, Item


def within_shares(
    demands: Sequence[tuple[str, Demand]], shared: Mapping[int, Shared]
) -> list[tuple[Demand, tuple[Item, ...]]]:
    """Cut demands, each with its channel's code, to what the channel may still take; ``shared`` is counted down.

    Returns for each demand what is left of it and the units beyond the share. Who comes first is served first.
    """
    if not shared:
        return [(demand, ()) for _channel, demand in demands]
    return [_cut(channel, demand, shared) for channel, demand in demands]


def _cut(channel: str, demand: Demand, shared: Mapping[int, Shared]) -> tuple[Demand, tuple[Item, ...]]:
    kept: list[Item] = []
    beyond: list[Item] = []
    for item in demand.items:
        own = shared.get(item.sku_id)
        units = min(item.quantity, own.room(channel)) if own else item.quantity
        if own:
            own.take(channel, units)
        if units:
            kept.append(replace(item, quantity=units))
        if units < item.quantity:
            beyond.append(replace(item, quantity=item.quantity - units))
    return (replace(demand, items=tuple(kept)) if beyond else demand), tuple(beyond)
