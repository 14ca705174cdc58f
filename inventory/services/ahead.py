"""Promising stock that has not come: units of expected receipts and of transfers on their way, for those who wait.

Whoever changes the queue of a SKU locks it first (one advisory lock per SKU, all of them at once and in the order of
their ids), so a unit that will come is promised once. The queue is the last lock of a transaction, see docs/locking.md.

Units that have come while somebody stood on their delivery stay theirs until they are reserved: they are not promised
again, and those who stand on them keep their date.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db import connection, transaction

from audit.models import rows
from inventory.models import SupplyPromise
from inventory.queries import ahead
from inventory.queries.ahead import Cuts, Delivery, Promised
from inventory.rules.ahead import Supply, SupplyKey, Waiting, behind, latest, share_out

FACTS = ("quantity", "expected_line", "transfer_line", "promised_date", "promised_at")
LineKey = tuple[str, int, int]  # reference, line number, SKU id
Front = Mapping[int, Counter[SupplyKey | None]]  # SKU id → delivery → units promised to those in front


@dataclass(frozen=True)
class Change:
    """A line of somebody whose date moved, and the number of the document that moved it, if one did."""

    reference: str
    line_number: int
    sku_id: int
    old_date: date | None
    new_date: date | None
    document: str


@dataclass(frozen=True)
class _Piece:
    """Units of one line from one delivery on one day: what one row says."""

    quantity: int
    key: SupplyKey | None
    due_date: date | None


@dataclass
class _Pieces:
    """What the rows of one line are to say; units of the same delivery and day become one row."""

    waiting: Waiting
    units: Counter[tuple[SupplyKey | None, date | None]] = field(default_factory=Counter)

    def rows(self) -> list[_Piece]:
        """Return one piece per row."""
        return [_Piece(quantity, key, due_date) for (key, due_date), quantity in self.units.items()]


@transaction.atomic
def promise(wants: Sequence[Waiting], *, gone: Collection[str] = (), at: datetime) -> list[Promised]:
    """Promise these wants what will come; they replace whatever their references waited for. Returns their promises.

    References in ``gone`` wait no longer. Wants that stand already as they are stay where they are. Others are placed
    in the queues of their SKUs, and those behind them move back.
    """
    references = {want.reference for want in wants}
    known = ahead.of([*references, *gone])
    same = _unchanged(wants, known)
    fresh = [want for want in wants if want.reference not in same]
    old = [row for row in known if row.waiting.reference not in same]
    if not fresh and not old:
        return known
    _lock({want.sku_id for want in fresh} | {row.waiting.sku_id for row in old})
    _delete({row.waiting.reference for row in old})
    if fresh:
        _queue_up(fresh, at)
    return ahead.of(references)


@transaction.atomic
def forget(references: Collection[str]) -> set[int]:
    """Let these wait for nothing any more; returns the SKUs whose queues have moved up."""
    sku_ids = {row.waiting.sku_id for row in ahead.of(references)}
    _lock(sku_ids)
    _delete(set(references))
    return sku_ids


@transaction.atomic
def replan(sku_ids: Collection[int], *, at: datetime) -> list[Change]:
    """Share everything that will come of these SKUs out again; returns the lines whose date moved.

    One run for all who wait, in a number of statements that does not grow with them.
    """
    _lock(set(sku_ids))
    return _share_again({}, [], ahead.queue(sku_ids), ahead.deliveries(sku_ids), at)


def _lock(sku_ids: Collection[int]) -> None:
    """Take the queues of these SKUs, in the order of their ids, until the transaction ends."""
    if sku_ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('inventory.ahead'), sku_id::int)"
                " FROM unnest(%s::bigint[]) AS queue (sku_id)",
                [sorted(sku_ids)],
            )


def _unchanged(wants: Iterable[Waiting], known: Iterable[Promised]) -> set[str]:
    """Return the references that wait already for exactly this."""
    asked: dict[str, Counter[Waiting]] = defaultdict(Counter)
    stand: dict[str, Counter[Waiting]] = defaultdict(Counter)
    for want in wants:
        asked[want.reference][replace(want, quantity=0)] += want.quantity
    for row in known:
        stand[row.waiting.reference][replace(row.waiting, quantity=0)] += row.waiting.quantity
    return {reference for reference, units in asked.items() if stand.get(reference) == units}


def _delete(references: Collection[str]) -> None:
    if references:
        SupplyPromise.objects.filter(reference__in=references, pool__isnull=True).delete()


def _queue_up(fresh: Sequence[Waiting], at: datetime) -> None:
    """Place new ones in their queues and share out again what comes from the first of them on."""
    cuts: dict[int, tuple[int, datetime]] = {}
    for want in fresh:
        place = (-want.priority, want.waiting_since_at)
        cuts[want.sku_id] = min(cuts.get(want.sku_id, place), place)
    end, front = _cut(cuts)
    _share_again(front, fresh, end, ahead.deliveries(cuts.keys()), at)


def _cut(cuts: Cuts) -> tuple[list[Promised], Front]:
    return ahead.end_of_queue(cuts), ahead.front_of_queue(cuts)


def _share_again(
    front: Front,
    fresh: Sequence[Waiting],
    old: Sequence[Promised],
    deliveries: Mapping[SupplyKey, Delivery],
    at: datetime,
) -> list[Change]:
    """Share out what comes to ``fresh`` and to those who have ``old`` promises, behind those in front; write it."""
    arrived = _arrived(front, old, deliveries)
    supplies, kept_in_front = _left_behind(front, deliveries, arrived)
    arrived -= kept_in_front
    lines: dict[LineKey, _Pieces] = {}
    waiting = list(fresh)
    for row in sorted(old, key=lambda row: row.waiting.place):
        kept = min(arrived[row.key], row.waiting.quantity) if row.key else 0
        if row.key and kept:
            arrived[row.key] -= kept
            _pieces(lines, row.waiting).units[row.key, row.promised_date] += kept
        if kept < row.waiting.quantity:
            waiting.append(replace(row.waiting, quantity=row.waiting.quantity - kept))
    for part in share_out(_added_up(waiting), supplies):
        key = part.supply.key if part.supply else None
        _pieces(lines, part.waiting).units[key, part.due_date] += part.quantity
    _write(lines, old, at)
    return _changes(lines, old, deliveries)


def _arrived(
    front: Front, old: Sequence[Promised], deliveries: Mapping[SupplyKey, Delivery]
) -> Counter[SupplyKey | None]:
    """Return the units that have come for those who stand on each delivery and lie there unpromised."""
    standing: Counter[SupplyKey | None] = Counter()
    for given in front.values():
        standing.update(given)
    for row in old:
        standing[row.key] += row.waiting.quantity
    over = {
        key: min(standing[key] - max(0, delivery.coming), delivery.come)
        for key, delivery in deliveries.items()
        if standing[key] > max(0, delivery.coming) and delivery.come
    }
    arrived: Counter[SupplyKey | None] = Counter()
    if over:
        free = ahead.free_stock({deliveries[key].sku_id for key in over})
        for key, units in over.items():
            place = (deliveries[key].sku_id, deliveries[key].node_id)
            arrived[key] = min(units, free.get(place, 0))
            free[place] = free.get(place, 0) - arrived[key]
    return arrived


def _left_behind(
    front: Front, deliveries: Mapping[SupplyKey, Delivery], arrived: Counter[SupplyKey | None]
) -> tuple[list[Supply], Counter[SupplyKey | None]]:
    """Return what those in front leave of the supplies, and how much of what arrived is theirs."""
    kept: Counter[SupplyKey | None] = Counter()
    by_sku: dict[int, list[Supply]] = defaultdict(list)
    for delivery in deliveries.values():
        by_sku[delivery.sku_id].append(delivery.supply())
    left: list[Supply] = []
    for sku_id, supplies in by_sku.items():
        given = Counter(front.get(sku_id, ()))
        mine = given & arrived
        kept.update(mine)
        left.extend(behind(supplies, given - mine))
    return left, kept


def _added_up(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return one want per line: its rows may have stood on several deliveries."""
    units: Counter[Waiting] = Counter()
    for one in waiting:
        units[replace(one, quantity=0)] += one.quantity
    return [replace(one, quantity=quantity) for one, quantity in units.items()]


def _pieces(lines: dict[LineKey, _Pieces], waiting: Waiting) -> _Pieces:
    return lines.setdefault(_line_key(waiting), _Pieces(waiting))


def _line_key(waiting: Waiting) -> LineKey:
    return (waiting.reference, waiting.line_number, waiting.sku_id)


def _by_line(old: Iterable[Promised]) -> dict[LineKey, list[Promised]]:
    found: dict[LineKey, list[Promised]] = defaultdict(list)
    for row in old:
        found[_line_key(row.waiting)].append(row)
    return found


def _write(lines: Mapping[LineKey, _Pieces], old: Sequence[Promised], at: datetime) -> None:
    """Bring the rows of each line to its pieces: rows that say it already stay, others are changed, added, deleted."""
    had = _by_line(old)
    changed: list[SupplyPromise] = []
    added: list[SupplyPromise] = []
    spare: list[int] = []
    for line, pieces in lines.items():
        stand: dict[_Piece, list[int]] = defaultdict(list)
        for row in had.get(line, ()):
            stand[_Piece(row.waiting.quantity, row.key, row.promised_date)].append(row.pk)
        missing = [piece for piece in pieces.rows() if not _taken(stand, piece)]
        free = [pk for left in stand.values() for pk in left]
        for piece in missing:
            pk = free.pop() if free else None
            (changed if pk else added).append(_row(pieces.waiting, piece, pk, at))
        spare.extend(free)
    rows.update(changed, FACTS)
    rows.insert(added)
    if spare:
        SupplyPromise.objects.filter(pk__in=spare).delete()


def _taken(stand: Mapping[_Piece, list[int]], piece: _Piece) -> bool:
    """Take a row that says this already out of those that stand, if there is one."""
    return bool(stand.get(piece)) and bool(stand[piece].pop())


def _row(waiting: Waiting, piece: _Piece, pk: int | None, at: datetime) -> SupplyPromise:
    kind, line_id = piece.key or ("", None)
    return rows.new(
        SupplyPromise,
        id=pk,
        reference=waiting.reference,
        line_number=waiting.line_number,
        sku_id=waiting.sku_id,
        quantity=piece.quantity,
        expected_line_id=line_id if kind == "expected" else None,
        transfer_line_id=line_id if kind == "transfer" else None,
        promised_date=piece.due_date,
        priority=waiting.priority,
        waiting_since_at=waiting.waiting_since_at,
        promised_at=at,
    )


def _changes(
    lines: Mapping[LineKey, _Pieces], old: Sequence[Promised], deliveries: Mapping[SupplyKey, Delivery]
) -> list[Change]:
    """Return the lines that stood before and have another date now, each with the document behind it.

    That is the one it stood on, if that changed; else one that changed under others of the queue, who pushed it back;
    else the one that comes now.
    """
    moved: dict[LineKey, tuple[date | None, date | None]] = {}
    stood: dict[LineKey, list[Promised]] = _by_line(old)
    for line, had in stood.items():
        before = latest(row.promised_date for row in had)
        after = latest(piece.due_date for piece in lines[line].rows())
        if before != after:
            moved[line] = (before, after)
    broken = {line: _broken(stood[line], deliveries) for line in moved}
    by_sku = {sku_id: number for (_reference, _line, sku_id), number in broken.items() if number}
    return [
        Change(*line, *dates, broken[line] or by_sku.get(line[2]) or _comes(lines[line], deliveries))
        for line, dates in moved.items()
    ]


def _broken(had: Iterable[Promised], deliveries: Mapping[SupplyKey, Delivery]) -> str:
    """Return the number of a document that does not bring what its promises say, if one of these stands on such."""
    for row in had:
        delivery = deliveries.get(row.key) if row.key else None
        if delivery and (delivery.coming <= 0 or delivery.due_date != row.promised_date):
            return delivery.number
    return ""


def _comes(pieces: _Pieces, deliveries: Mapping[SupplyKey, Delivery]) -> str:
    numbers = [deliveries[piece.key].number for piece in pieces.rows() if piece.key]
    return numbers[-1] if numbers else ""
