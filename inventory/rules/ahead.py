"""Who gets which units of goods that have not come yet. Plain Python.

The order of the rules is the order in which an operator reads them:

1. a higher priority is served first; among equals, who waits longest;
2. each takes from the earliest supply that still has units, and what lacks from the next: the last one gives the date;
3. supply without a date comes after all dated supply; what nobody brings stays without supply.

A SKU's queue and its supplies have nothing to do with another SKU's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

NEVER = date.max  # sorts supply that has no date behind all other
SupplyKey = tuple[str, int]  # kind of document line, its id


@dataclass(frozen=True)
class Waiting:
    """Units of one SKU that a line of somebody (``reference``) waits for. Higher priority is served first."""

    reference: str
    line_number: int
    sku_id: int
    quantity: int
    priority: int
    waiting_since_at: datetime

    @property
    def place(self) -> tuple[int, datetime, str, int]:
        """Return what sorts a queue: the smallest is served first."""
        return (-self.priority, self.waiting_since_at, self.reference, self.line_number)


@dataclass(frozen=True)
class Supply:
    """Units of one SKU that will come and are nobody's yet, and when; without a date nobody has said when."""

    key: SupplyKey
    sku_id: int
    quantity: int
    due_date: date | None

    @property
    def place(self) -> tuple[date, SupplyKey]:
        """Return what sorts supplies: the smallest is given away first."""
        return (self.due_date or NEVER, self.key)


@dataclass(frozen=True)
class Part:
    """Units of one who waits, and the supply that brings them, if any does."""

    waiting: Waiting
    quantity: int
    supply: Supply | None

    @property
    def due_date(self) -> date | None:
        """Return when they will come, if anybody has said."""
        return self.supply.due_date if self.supply else None


def share_out(waiting: Iterable[Waiting], supplies: Iterable[Supply]) -> list[Part]:
    """Give supplies to those who wait, as far as they go; each one's parts follow each other, the earliest first."""
    by_sku: dict[int, list[Supply]] = {}
    for supply in sorted(supplies, key=lambda supply: supply.place):
        by_sku.setdefault(supply.sku_id, []).append(supply)
    lines = {sku_id: _Line(found) for sku_id, found in by_sku.items()}
    parts: list[Part] = []
    for one in sorted(waiting, key=lambda one: (one.sku_id, one.place)):
        line = lines.get(one.sku_id)
        missing = one.quantity
        for supply, units in line.take(missing) if line else ():
            parts.append(Part(one, units, supply))
            missing -= units
        if missing:
            parts.append(Part(one, missing, None))
    return parts


def behind(supplies: Iterable[Supply], given: Mapping[SupplyKey | None, int]) -> list[Supply]:
    """Return what is left for those at the end of a queue whose front was given these units per supply.

    Of one SKU. Nobody at the end gets an earlier supply than somebody in front of them: when units of an earlier supply
    have become free meanwhile, they wait until the whole queue is shared out again. Somebody in front without any
    supply (key None) leaves nothing.
    """
    if given.get(None):
        return []
    rows = sorted(supplies, key=lambda supply: supply.place)
    used = [number for number, supply in enumerate(rows) if given.get(supply.key)]
    left = []
    for supply in rows[used[-1] if used else 0 :]:
        units = supply.quantity - given.get(supply.key, 0)
        if units > 0:
            left.append(Supply(supply.key, supply.sku_id, units, supply.due_date))
    return left


class _Line:
    """The supplies of one SKU, given away from the front."""

    def __init__(self, supplies: list[Supply]) -> None:
        self._supplies = supplies
        self._first = 0
        self._left = supplies[0].quantity

    def take(self, units: int) -> list[tuple[Supply, int]]:
        """Return at most so many units, each with its supply, and count them down."""
        taken = []
        while units and self._first < len(self._supplies):
            portion = min(units, self._left)
            if portion > 0:
                taken.append((self._supplies[self._first], portion))
                units -= portion
                self._left -= portion
            if self._left <= 0:
                self._first += 1
                self._left = self._supplies[self._first].quantity if self._first < len(self._supplies) else 0
        return taken


def latest(dates: Iterable[date | None]) -> date | None:
    """Return the last of these dates; None when one of them is not known, or there are none."""
    found = list(dates)
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None
