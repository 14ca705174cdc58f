"""What an order still wants of which SKU: bundles fall into their parts, what is allocated is taken off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orders.rules.routing.facts import Item

Parts = Mapping[int, list[tuple[int, int]]]  # bundle id → (part id, how many of it)
Allocated = Mapping[tuple[int, int], int]  # (line number, SKU id) → units in live parcels


@dataclass(frozen=True)
class WantedLine:
    """One order line with a known SKU."""

    line_number: int
    sku_id: int
    quantity: int


def items_wanted(lines: Iterable[WantedLine], parts: Parts, allocated: Allocated) -> tuple[Item, ...]:
    """Return the units that no live parcel holds yet, per line and stocked SKU."""
    items = []
    for line in lines:
        for sku_id, per_line in parts.get(line.sku_id) or ((line.sku_id, 1),):
            units = line.quantity * per_line - allocated.get((line.line_number, sku_id), 0)
            if units > 0:
                items.append(Item(line.line_number, sku_id, units))
    return tuple(items)


def whole_units(line: WantedLine, parts: Parts, allocated: Allocated) -> int:
    """Return how many whole units of a line are allocated: of a bundle, as many as its scarcest part allows."""
    return min(
        allocated.get((line.line_number, sku_id), 0) // per_line
        for sku_id, per_line in parts.get(line.sku_id) or ((line.sku_id, 1),)
    )
