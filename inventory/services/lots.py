"""The sub-ledger of goods with a date: the lots of a level add up to it, on hand, reserved and held.

Every verb here runs under the lock of the lots' ``StockLevel``, so lots are never changed by two at once; each write
is a guarded UPDATE whose row count is checked. SKUs without lots have no rows here. See docs/locking.md.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from django.db import connection
from django.utils import timezone

from audit.rules.sentences import Sentence, say
from inventory.models import Lot, LotLevel, ReservationLot
from inventory.queries import lots as questions
from inventory.rules.lots import LevelKey, Needs, Pick, Shelf, room, take, taken
from inventory.services.levels import LevelsChanged

_LOCK: Final = (
    questions.SHELVES
    + """
 WHERE (stock.sku_id, stock.node_id) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
   AND (stock.on_hand > 0 OR stock.lot_id = ANY(%s))
 ORDER BY stock.id FOR NO KEY UPDATE OF stock
"""
)
_APPLY: Final = """
UPDATE inventory_lotlevel AS stock
   SET on_hand = stock.on_hand + change.on_hand, reserved = stock.reserved + change.reserved,
       quality_hold = stock.quality_hold + change.held
  FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[], %s::int[])
       AS change (lot_id, node_id, on_hand, reserved, held)
 WHERE stock.lot_id = change.lot_id AND stock.node_id = change.node_id
   AND stock.reserved + change.reserved >= 0 AND stock.quality_hold + change.held >= 0
   AND stock.on_hand + change.on_hand >= stock.reserved + change.reserved + stock.quality_hold + change.held
"""
_NOTE: Final = """
INSERT INTO inventory_reservationlot (reservation_id, lot_id, quantity)
SELECT held.id, picked.lot_id, picked.units
  FROM unnest(%s::text[], %s::bigint[], %s::int[]) AS picked (key, lot_id, units)
  JOIN inventory_reservation AS held ON held.key = picked.key
 ORDER BY held.id, picked.lot_id
"""
_OF: Final = """
SELECT reservation_id, lot_id, quantity FROM inventory_reservationlot WHERE reservation_id = ANY(%s) ORDER BY id
"""


class Part(NamedTuple):
    """Units of one SKU at one node, of a lot or of whichever lots come first; negative ones go out."""

    sku_id: int
    node_id: int
    lot_id: int | None
    units: int


class LotChange(NamedTuple):
    """What changes about one lot at one node, in units."""

    lot_id: int
    node_id: int
    on_hand: int = 0
    reserved: int = 0
    held: int = 0


class Label(NamedTuple):
    """What stands on goods: their SKU, the lot's code and its date."""

    sku_id: int
    code: str
    expires_date: date | None


class LotsShort(Exception):
    """Lots have not that many free units; carries the (SKU, node) pairs."""

    def __init__(self, levels: Sequence[LevelKey]) -> None:
        super().__init__(f"lots are short at {len(levels)} levels: {list(levels)[:5]}")
        self.levels = levels


class Shelves:
    """The locked lots of some levels while a batch of claims is decided on."""

    def __init__(self, by_level: Mapping[LevelKey, Shelf], needs: Needs) -> None:
        self._by_level = by_level
        self._needs = needs
        self._picks: list[tuple[str, int, Pick]] = []  # reservation key, node id, lot and units

    def room(self, level: LevelKey, channel: str, available: int) -> int:
        """Return how many of a level's available units this channel may be promised."""
        shelf = self._by_level.get(level)
        if shelf is None:
            return available
        return room(shelf, available, self._needs.life(channel, level[0]))

    def must_keep_until(self, level: LevelKey, channel: str) -> date | None:
        """Return the earliest date that a lot for this channel may bear; None where the SKU has no lots."""
        return self._needs.life(channel, level[0]).until if level in self._by_level else None

    def reserve(self, level: LevelKey, channel: str, key: str, units: int) -> None:
        """Take units for a reservation from the lots that expire first and keep long enough."""
        shelf = self._by_level.get(level)
        if shelf is None:
            return
        picks = take(shelf, units, self._needs.life(channel, level[0]))
        if taken(picks) < units:
            raise LotsShort([level])
        self._picks.extend((key, level[1], pick) for pick in picks)

    def write(self) -> None:
        """Write down which lots the reservations take; the reservations must be stored by now."""
        if not self._picks:
            return
        with connection.cursor() as cursor:
            columns = zip(*((key, lot_id, units) for key, _node, (lot_id, units) in self._picks), strict=True)
            cursor.execute(_NOTE, [list(column) for column in columns])
        apply(LotChange(lot_id, node_id, reserved=units) for _key, node_id, (lot_id, units) in self._picks)


def open_shelves(levels: Collection[LevelKey], *, at: datetime) -> Shelves:
    """Lock the lots of locked levels; one empty query when no SKU has lots.

    What is left of a SKU that has lots no longer counts for nothing: its levels are as if there had never been lots.
    """
    by_level = lock(levels)
    sku_ids = {sku_id for sku_id, _node_id in by_level}
    needs = questions.needs(sku_ids, timezone.localdate(at)) if sku_ids else Needs(timezone.localdate(at), {}, {})
    return Shelves({level: shelf for level, shelf in by_level.items() if level[0] in needs.categories}, needs)


def lock(levels: Collection[LevelKey], *, also: Collection[int] = ()) -> dict[LevelKey, Shelf]:
    """Lock the lots that lie at locked levels, and the lots ``also`` named, in primary-key order.

    Returns their free units per level, first expired first; levels without lots are absent.
    """
    pairs = sorted(levels)
    if not pairs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [[sku for sku, _ in pairs], [node for _, node in pairs], list(also)])
        return questions.stacked(cursor.fetchall())


def apply(changes: Iterable[LotChange]) -> None:
    """Add up changes per lot and node and write them. Raises ``LevelsChanged`` when the guard refuses a row."""
    sums: dict[tuple[int, int], tuple[int, int, int]] = {}
    for lot_id, node_id, *units in changes:
        known = sums.get((lot_id, node_id), (0, 0, 0))
        sums[lot_id, node_id] = (known[0] + units[0], known[1] + units[1], known[2] + units[2])
    rows = [(*key, *units) for key, units in sorted(sums.items()) if any(units)]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_APPLY, [list(column) for column in zip(*rows, strict=True)])
        if cursor.rowcount != len(rows):
            raise LevelsChanged(f"{len(rows) - cursor.rowcount} of {len(rows)} lots refused the change")


def book(parts: Sequence[Part], *, at: datetime) -> list[list[tuple[int | None, int]]]:
    """Change what lots have on hand; returns for each part which lots took how much of it (no lot: the SKU has none).

    What comes in without a lot goes to the unlabelled lot; what goes out without one is taken from the lots that expire
    first, expired ones too, as far as their units are neither reserved nor held. Raises ``LotsShort``.
    """
    tracked = questions.tracked(part.sku_id for part in parts)
    if not tracked:
        return [[(None, part.units)] for part in parts]
    homes = unlabelled({part.sku_id for part in parts if part.units > 0 and not part.lot_id} & set(tracked), at=at)
    coming = [
        part._replace(lot_id=part.lot_id or homes[part.sku_id])
        for part in parts
        if part.units > 0 and part.sku_id in tracked
    ]
    open_levels({(part.lot_id or 0, part.sku_id, part.node_id) for part in coming})
    shelves = lock(
        {(part.sku_id, part.node_id) for part in parts if part.sku_id in tracked},
        also={part.lot_id for part in coming if part.lot_id},
    )
    for part in coming:
        _put(shelves[part.sku_id, part.node_id], part)
    booked: list[list[tuple[int | None, int]]] = [[(None, part.units)] for part in parts]
    for place, part in enumerate(parts):
        if part.sku_id in tracked:
            booked[place] = _booked(part, shelves, homes)
    apply(
        LotChange(lot_id, part.node_id, on_hand=units)
        for part, picks in zip(parts, booked, strict=True)
        for lot_id, units in picks
        if lot_id
    )
    return booked


def hold_back(parts: Sequence[Part]) -> list[list[tuple[int | None, int]]]:
    """Hold free units of lots back; returns for each part which lots they are of. Raises ``LotsShort``."""
    tracked = questions.tracked(part.sku_id for part in parts)
    if not tracked:
        return [[(None, part.units)] for part in parts]
    shelves = lock({(part.sku_id, part.node_id) for part in parts if part.sku_id in tracked})
    held: list[list[tuple[int | None, int]]] = [[(None, part.units)] for part in parts]
    for place, part in enumerate(parts):
        if part.sku_id in tracked:
            held[place] = [*_taken_out(part, shelves)]
    apply(
        LotChange(lot_id, part.node_id, held=units)
        for part, picks in zip(parts, held, strict=True)
        for lot_id, units in picks
        if lot_id
    )
    return held


def let_go(parts: Sequence[Part]) -> list[int | None]:
    """Hold units back no longer; returns the lot of each part. What names no lot is of the unlabelled one."""
    tracked = questions.tracked(part.sku_id for part in parts)
    if not tracked:
        return [None for _part in parts]
    homes = dict(Lot.objects.filter(sku__in=tracked, code="").values_list("sku", "pk"))
    whose = [(part.lot_id or homes.get(part.sku_id)) if part.sku_id in tracked else None for part in parts]
    apply(
        LotChange(lot_id, part.node_id, held=-part.units) for part, lot_id in zip(parts, whose, strict=True) if lot_id
    )
    return whose


def of_reservations(reservation_ids: Collection[int]) -> dict[int, list[Pick]]:
    """Return which lots reservations will take; those of SKUs without lots are absent."""
    picks: dict[int, list[Pick]] = {}
    if not reservation_ids:
        return picks
    with connection.cursor() as cursor:
        cursor.execute(_OF, [list(reservation_ids)])
        for reservation_id, lot_id, units in cursor.fetchall():
            picks.setdefault(reservation_id, []).append((lot_id, units))
    return picks


def give_back(reservations: Collection[tuple[int, int]]) -> None:
    """Take active reservations (id and node) off their lots, which are then to be chosen anew."""
    nodes = dict(reservations)
    picks = of_reservations(nodes)
    if not picks:
        return
    apply(
        LotChange(lot_id, nodes[reservation_id], reserved=-units)
        for reservation_id, chosen in picks.items()
        for lot_id, units in chosen
    )
    ReservationLot.objects.filter(reservation__in=picks).delete()


def named(labels: Collection[Label], *, at: datetime) -> dict[tuple[int, str], int]:
    """Return the lots that goods are labelled with, (SKU id, code) → lot id; unknown ones are written down now.

    A known lot keeps the date it has: whoever takes goods in compares it first (``known``).
    """
    wanted = {(label.sku_id, label.code): label for label in labels}
    if not wanted:
        return {}
    found = {key: pk for key, (pk, _date) in known(labels).items()}
    missing = [label for key, label in sorted(wanted.items()) if key not in found]
    if missing:
        Lot.objects.bulk_create(
            (
                Lot(sku_id=label.sku_id, code=label.code, expires_date=label.expires_date, created_at=at)
                for label in missing
            ),
            ignore_conflicts=True,
        )
        found |= {key: pk for key, (pk, _date) in known(missing).items()}
    return found


def known(labels: Collection[Label]) -> dict[tuple[int, str], tuple[int, date | None]]:
    """Return the lots with these SKUs and codes that are written down: (SKU id, code) → lot id and date."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sku_id, code, id, expires_date FROM inventory_lot"
            " WHERE (sku_id, code) IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))",
            [[label.sku_id for label in labels], [label.code for label in labels]],
        )
        return {(sku_id, code): (pk, expires) for sku_id, code, pk, expires in cursor.fetchall()}


def unlabelled(sku_ids: Collection[int], *, at: datetime) -> dict[int, int]:
    """Return the lot of goods that nobody labelled, SKU id → lot id, made where it is missing."""
    found = named([Label(sku_id, "", None) for sku_id in sku_ids], at=at)
    return {sku_id: pk for (sku_id, _code), pk in found.items()}


def open_levels(places: Collection[tuple[int, int, int]]) -> None:
    """Make an empty level for each (lot, SKU, node) that gets its first units."""
    LotLevel.objects.bulk_create(
        (LotLevel(lot_id=lot_id, sku_id=sku_id, node_id=node_id) for lot_id, sku_id, node_id in sorted(places)),
        ignore_conflicts=True,
    )


def strangers(pairs: Collection[tuple[int, int | None]]) -> set[tuple[int, int | None]]:
    """Return those of the (SKU id, lot id) that do not belong together; None is nobody's and always fits."""
    asked = {pair for pair in pairs if pair[1]}
    if not asked:
        return set()
    belong = Lot.objects.filter(pk__in={lot_id for _sku, lot_id in asked}, sku__tracks_lots=True)
    return asked - set(belong.values_list("sku", "pk"))


def why_not(sku_id: int, lot_id: int | None, strange: Collection[tuple[int, int | None]]) -> Sentence | None:
    """Return why a row cannot name this lot, given the ``strangers`` among all rows; None when it can."""
    return say("This lot does not belong to the SKU.") if (sku_id, lot_id) in strange else None


def _put(shelf: Shelf, part: Part) -> None:
    for lot in shelf:
        if lot.lot_id == part.lot_id:
            lot.free += part.units


def _booked(part: Part, shelves: Mapping[LevelKey, Shelf], homes: Mapping[int, int]) -> list[tuple[int | None, int]]:
    if part.units > 0:
        return [(part.lot_id or homes[part.sku_id], part.units)]
    return [(lot_id, -units) for lot_id, units in _taken_out(part._replace(units=-part.units), shelves)]


def _taken_out(part: Part, shelves: Mapping[LevelKey, Shelf]) -> list[Pick]:
    """Take a part's units from its lot, or from those that expire first. Raises ``LotsShort``."""
    level = (part.sku_id, part.node_id)
    shelf = shelves.get(level, [])
    picks = take([lot for lot in shelf if part.lot_id in (None, lot.lot_id)], part.units)
    if taken(picks) < part.units:
        raise LotsShort([level])
    return picks
