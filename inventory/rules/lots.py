"""Which lots go first, and which still keep long enough. Plain Python.

In the order in which an operator reads them:

1. first expired, first out: the earliest date goes first, undated lots last, the older lot before the younger one;
2. a lot may be used until the end of its date, so a lot whose date is today is not expired;
3. a channel may ask for a minimum of remaining days; the narrowest rule wins: channel and category, then channel, then
   category, then the rule for everything; without a rule a lot must only not be expired;
4. nobody knows how long undated units keep: they are fit only where no minimum is asked for.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

LevelKey = tuple[int, int]  # SKU id, node id
LifeRules = Mapping[tuple[str, int | None], int]  # channel code, category id → days
Pick = tuple[int, int]  # lot id, units


@dataclass(frozen=True)
class Life:
    """How long goods must keep: ``days`` more on ``day``."""

    day: date
    days: int = 0

    @property
    def until(self) -> date:
        """Return the earliest date that a fit lot may bear."""
        return self.day + timedelta(days=self.days)

    def fits(self, expires_date: date | None) -> bool:
        """Return whether a lot with this date keeps long enough."""
        return self.days == 0 if expires_date is None else expires_date >= self.until


@dataclass(frozen=True)
class Needs:
    """What every channel asks for on one day, of the SKUs that have lots."""

    day: date
    categories: Mapping[int, int]  # SKU id → category id, only SKUs that have lots
    rules: LifeRules

    def life(self, channel: str, sku_id: int) -> Life:
        """Return how long a SKU's units must keep for this channel."""
        return Life(self.day, minimum_days(self.rules, channel, self.categories[sku_id]))

    def lives(self, channel: str, sku_ids: Iterable[int]) -> dict[int, Life]:
        """Return how long units of those of the SKUs that have lots must keep for this channel."""
        if not self.categories:
            return {}
        return {sku_id: self.life(channel, sku_id) for sku_id in sku_ids if sku_id in self.categories}


@dataclass
class LotUnits:
    """Units of one lot at one node that are neither reserved nor held; counted down while a batch is decided on."""

    lot_id: int
    expires_date: date | None
    free: int


Shelf = list[LotUnits]  # the lots of one level, first expired first


def first_expired_first(lots: Iterable[LotUnits]) -> Shelf:
    """Return lots in the order in which they go out."""
    return sorted(lots, key=lambda lot: (lot.expires_date or date.max, lot.lot_id))


def unfit(shelf: Iterable[LotUnits], life: Life) -> int:
    """Return the free units that do not keep long enough."""
    return sum(lot.free for lot in shelf if not life.fits(lot.expires_date))


def room(shelf: Sequence[LotUnits], available: int, life: Life) -> int:
    """Return how many of a level's available units may be promised to somebody who needs this remaining life.

    What does not keep long enough cannot be the safety stock either, so it is taken off what is available.
    """
    fit = sum(lot.free for lot in shelf if life.fits(lot.expires_date))
    return max(0, min(fit, available - unfit(shelf, life)))


def take(shelf: Iterable[LotUnits], units: int, life: Life | None = None) -> list[Pick]:
    """Take units from a shelf, which is counted down; with a ``life`` only from lots that keep long enough.

    Returns the lots and their units, fewer than asked when the shelf has not that many.
    """
    picks = []
    for lot in shelf:
        if units <= 0:
            break
        if lot.free > 0 and (life is None or life.fits(lot.expires_date)):
            taken = min(units, lot.free)
            lot.free -= taken
            units -= taken
            picks.append((lot.lot_id, taken))
    return picks


def exchange(shelf: Shelf, picks: Sequence[Pick], over: Collection[int], life: Life) -> list[Pick] | None:
    """Take other lots for those of ``picks`` that are over, all or none; the shelf is changed accordingly.

    Returns all lots and units afterwards, or None, having changed nothing, when too few units keep long enough.
    """
    leaving = [(lot_id, units) for lot_id, units in picks if lot_id in over]
    needed = taken(leaving)
    if sum(lot.free for lot in shelf if life.fits(lot.expires_date)) < needed:
        return None
    chosen = dict(pick for pick in picks if pick not in leaving)
    for lot_id, units in take(shelf, needed, life):
        chosen[lot_id] = chosen.get(lot_id, 0) + units
    back = dict(leaving)
    for lot in shelf:
        lot.free += back.get(lot.lot_id, 0)
    return list(chosen.items())


def taken(picks: Iterable[Pick]) -> int:
    """Return how many units were picked."""
    return sum(units for _lot, units in picks)


def minimum_days(rules: LifeRules, channel: str, category_id: int) -> int:
    """Return how many days goods of a category must still keep when a channel sells them."""
    for scope in ((channel, category_id), (channel, None), ("", category_id), ("", None)):
        if scope in rules:
            return rules[scope]
    return 0


def code_of(code: str, expires_date: date | None) -> str:
    """Return the code of a lot as people or files give it: goods that bear only a date are known by their date."""
    return code.strip() or (f"{expires_date:%Y-%m-%d}" if expires_date else "")
