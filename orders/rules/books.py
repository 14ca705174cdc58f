"""What of a line's money belongs to which of its units, to the cent. Plain Python.

A line that leaves in several parcels is booked in several documents: units are counted in the order in which they
leave, so the documents of a line add up to the line, whatever was rounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

CENT: Final = Decimal("0.01")


@dataclass(frozen=True)
class Part:
    """One SKU of a line: the line itself, or a part of a bundle. ``price`` is for one unit, by the list."""

    sku_id: int
    quantity: int
    price: Decimal


def amounts(net: Decimal, parts: Sequence[Part]) -> dict[int, Decimal]:
    """Share a line's net amount out to its SKUs by their list prices (by their units where nothing has a price)."""
    weights = [part.price * part.quantity for part in parts]
    if not any(weights):
        weights = [Decimal(part.quantity) for part in parts]
    whole, reached, before = sum(weights, Decimal(0)), Decimal(0), Decimal(0)
    shared: dict[int, Decimal] = {}
    for part, weight in zip(parts, weights, strict=True):
        reached += weight
        until = net if reached == whole else (net * reached / whole).quantize(CENT)
        shared[part.sku_id] = until - before
        before = until
    return shared


def portion(amount: Decimal, *, of: int, before: int, now: int) -> Decimal:
    """Return what ``now`` units cost of an amount for ``of`` units when ``before`` units have left already."""
    return _until(amount, of, before + now) - _until(amount, of, before)


def _until(amount: Decimal, of: int, units: int) -> Decimal:
    return amount if units >= of else (amount * units / of).quantize(CENT)
