"""Moving stock between nodes: draft, sent, on its way, received or given up.

Sending takes the units out of the source at once; until they are received they are nobody's to promise, and the
transfer itself says how many are on their way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import waking
from audit.services.waking import Happening
from inventory.models import Sku, StockMovement, Transfer, TransferLine
from inventory.rules.lots import LotUnits, Shelf, first_expired_first, take
from inventory.services import movements, reasons, refusals
from inventory.statuses import MovementKind, ReasonUse, TransferStatus


@transaction.atomic
def draft(transfer: Transfer, *, units: Mapping[int, int], actor: Actor, at: datetime) -> Transfer:
    """Write a new transfer down with its units (SKU id → how many); nothing moves yet.

    The same number with the same nodes and units is the same transfer. Raises ``RowsRefused``: a transfer to its own
    node, no lines, a quantity that is not above zero, a number that stands for something else.
    """
    known = Transfer.objects.filter(number=transfer.number).first()
    if known:
        return _same(known, transfer, units)
    _refuse_bad_draft(transfer, units)
    transfer.created_at, transfer.created_by = at, actor.label[:80]
    transfer.status = TransferStatus.DRAFT
    transfer.save()
    _write_lines(transfer, units)
    return transfer


@transaction.atomic
def redraft(transfer: Transfer, *, units: Mapping[int, int]) -> Transfer:
    """Write a draft down anew: its nodes, day, note and units (SKU id → how many). Its number stays.

    Raises ``RowsRefused``, having changed nothing: for what ``draft`` refuses, and for one that has left or is over.
    """
    [row] = _lock([transfer.pk])
    if row.status != TransferStatus.DRAFT:
        raise refusals.refuse(_standing(row))
    _refuse_bad_draft(transfer, units)
    row.source_id, row.destination_id = transfer.source_id, transfer.destination_id
    row.arrives_date, row.note = transfer.arrives_date, transfer.note
    row.save(update_fields=["source", "destination", "arrives_date", "note"])
    row.lines.all().delete()
    _write_lines(row, units)
    return row


@transaction.atomic
def send(transfer_ids: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Send drafts: their units leave the source now. Those underway already change nothing. Returns the sent ones.

    Raises ``RowsRefused``, having sent none, when a transfer is over or its source lacks free units.
    """
    rows = _lock(transfer_ids)
    refusals.refuse_if_any(
        [
            refusals.RefusedRow(0, _standing(row))
            for row in rows
            if row.status in (TransferStatus.RECEIVED, TransferStatus.CANCELLED)
        ]
    )
    going = [row for row in rows if row.status == TransferStatus.DRAFT]
    lines = [(row, line) for row in going for line in row.lines.order_by("pk")]
    try:
        movements.record(
            [_movement(row, line, -line.quantity, f"transfer_out:{row.number}:{line.pk}") for row, line in lines],
            actor=actor,
            at=at,
        )
    except movements.NotEnoughOnHand as error:
        raise refusals.not_enough([(line.sku_id, row.source_id) for row, line in lines], error.levels) from error
    for _row, line in lines:
        line.quantity_sent = line.quantity
    TransferLine.objects.bulk_update([line for _row, line in lines], ["quantity_sent"])
    for row in going:
        row.status, row.sent_at = TransferStatus.IN_TRANSIT, at
    Transfer.objects.bulk_update(going, ["status", "sent_at"])
    waking.happened(Happening.SUPPLY_CHANGED)
    return len(going)


@transaction.atomic
def receive(transfer_id: int, *, key: str, units: Mapping[int, int], actor: Actor, at: datetime) -> Transfer:
    """Put units that arrived (SKU id → how many) into the destination; ``key`` names this arrival and counts once.

    Goods with lots arrive as the lots that were sent, first expired first.

    Raises ``RowsRefused`` with every row that is not in the transfer or more than is still on its way.
    """
    [row] = _lock([transfer_id])
    lines = {line.sku_id: line for line in row.lines.order_by("pk")}
    if has_come(row, key=key):
        return row
    refusals.refuse_if_any(_refused_arrivals(row, lines, units))
    movements.record(_arriving(row, lines, units, key), actor=actor, at=at)
    for sku_id, quantity in units.items():
        lines[sku_id].quantity_received += quantity
    TransferLine.objects.bulk_update(lines.values(), ["quantity_received"])
    waking.happened(Happening.SUPPLY_CHANGED)
    return _progress(row, list(lines.values()), at)


def has_come(transfer: Transfer, *, key: str) -> bool:
    """Return whether the arrival of this name is in the ledger already, with whatever units."""
    return StockMovement.objects.filter(key__startswith=f"transfer_in:{transfer.number}:{key}:").exists()


@transaction.atomic
def give_up(transfer_id: int, *, reason_code: str, note: str = "", actor: Actor, at: datetime) -> Transfer:
    """Close a transfer whose rest will never come: the missing units are written down as lost on the way.

    They left the source when they were sent, so no balance changes. Raises ``RowsRefused``.
    """
    [row] = _lock([transfer_id])
    lines = list(row.lines.order_by("pk"))
    missing = sum(line.in_transit for line in lines)
    why_not = _not_underway(row) or reasons.why_not(
        reasons.known(ReasonUse.DISCREPANCY), reason_code, quantity=-missing, note=note
    )
    if why_not:
        raise refusals.refuse(why_not)
    for line in lines:
        line.quantity_lost += line.in_transit
    TransferLine.objects.bulk_update(lines, ["quantity_lost"])
    row.note = f"{row.note} · {actor.label}: {reasons.words(reason_code, note)}".strip(" ·")[:160]
    waking.happened(Happening.SUPPLY_CHANGED)
    return _progress(row, lines, at)


@transaction.atomic
def cancel(transfer_ids: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Cancel drafts; returns how many. Raises ``RowsRefused`` for one that has left: receive it back instead."""
    rows = [row for row in _lock(transfer_ids) if row.status != TransferStatus.CANCELLED]
    refusals.refuse_if_any(
        [
            refusals.RefusedRow(0, say("Transfer %(number)s has left and cannot be cancelled.", number=row.number))
            for row in rows
            if row.status != TransferStatus.DRAFT
        ]
    )
    for row in rows:
        row.status, row.closed_at = TransferStatus.CANCELLED, at
    Transfer.objects.bulk_update(rows, ["status", "closed_at"])
    return len(rows)


@transaction.atomic
def reschedule(transfer_id: int, *, arrives_date: date) -> Transfer:
    """Say when a transfer is expected to arrive. Raises ``RowsRefused`` for one that has arrived or was cancelled."""
    [row] = _lock([transfer_id])
    if row.status in (TransferStatus.RECEIVED, TransferStatus.CANCELLED):
        raise refusals.refuse(_standing(row))
    row.arrives_date = arrives_date
    row.save(update_fields=["arrives_date"])
    waking.happened(Happening.SUPPLY_CHANGED)
    return row


def _lock(transfer_ids: Sequence[int]) -> list[Transfer]:
    rows = list(Transfer.objects.select_for_update(no_key=True).filter(pk__in=transfer_ids).order_by("pk"))
    if len(rows) != len(set(transfer_ids)):
        raise refusals.refuse(say("There is no such transfer."))
    return rows


def _same(known: Transfer, asked: Transfer, units: Mapping[int, int]) -> Transfer:
    lines = dict(known.lines.values_list("sku_id", "quantity"))
    if (known.source_id, known.destination_id, lines) != (asked.source_id, asked.destination_id, dict(units)):
        raise refusals.refuse(say("Number %(number)s stands for another transfer.", number=asked.number))
    return known


def _refuse_bad_draft(transfer: Transfer, units: Mapping[int, int]) -> None:
    if transfer.source_id == transfer.destination_id:
        raise refusals.refuse(say("A transfer cannot go to its own node."))
    if not units:
        raise refusals.refuse(say("A transfer needs at least one line."))
    bundles = set(Sku.objects.filter(pk__in=units, parts__isnull=False).values_list("pk", flat=True))
    rows = []
    for number, (sku_id, quantity) in enumerate(units.items(), start=1):
        if quantity <= 0:
            rows.append(refusals.RefusedRow(number, say("A quantity must be above zero.")))
        elif sku_id in bundles:
            rows.append(refusals.RefusedRow(number, say("A bundle has no stock of its own: move its parts.")))
    refusals.refuse_if_any(rows)


def _write_lines(transfer: Transfer, units: Mapping[int, int]) -> None:
    TransferLine.objects.bulk_create(
        TransferLine(transfer=transfer, sku_id=sku_id, quantity=quantity) for sku_id, quantity in sorted(units.items())
    )


def _refused_arrivals(
    row: Transfer, lines: Mapping[int, TransferLine], units: Mapping[int, int]
) -> list[refusals.RefusedRow]:
    not_underway = _not_underway(row)
    if not_underway:
        return [refusals.RefusedRow(0, not_underway)]
    return [
        refusals.RefusedRow(number, why)
        for number, (sku_id, quantity) in enumerate(units.items(), start=1)
        if (why := _why_not_arrived(lines.get(sku_id), quantity))
    ]


def _why_not_arrived(line: TransferLine | None, quantity: int) -> Sentence | None:
    if line is None:
        return say("The transfer does not contain this SKU.")
    if quantity <= 0:
        return say("A quantity must be above zero.")
    if quantity > line.in_transit:
        return say("%(units)s arrived, but only %(left)s are on their way.", units=quantity, left=line.in_transit)
    return None


def _not_underway(row: Transfer) -> Sentence | None:
    if row.status in TransferStatus.UNDERWAY:
        return None
    return _standing(row)


def _standing(row: Transfer) -> Sentence:
    """Return how far a transfer is, as a reason why something cannot be done with it."""
    if row.status == TransferStatus.DRAFT:
        return say("Transfer %(number)s has not been sent yet.", number=row.number)
    if row.status == TransferStatus.RECEIVED:
        return say("Transfer %(number)s has been received already.", number=row.number)
    if row.status == TransferStatus.CANCELLED:
        return say("Transfer %(number)s is cancelled.", number=row.number)
    return say("Transfer %(number)s is on its way already.", number=row.number)


def _progress(row: Transfer, lines: Sequence[TransferLine], at: datetime) -> Transfer:
    is_over = not any(line.in_transit for line in lines)
    row.status = TransferStatus.RECEIVED if is_over else TransferStatus.PART_RECEIVED
    row.closed_at = at if is_over else None
    row.save(update_fields=["status", "closed_at", "note"])
    return row


def _arriving(
    row: Transfer, lines: Mapping[int, TransferLine], units: Mapping[int, int], key: str
) -> list[movements.Movement]:
    """Return the movements of an arrival: one for each SKU, or for each of its lots that arrive."""
    travelling = _travelling_lots(row)
    arriving = []
    for sku_id, quantity in units.items():
        picks: list[tuple[int | None, int]] = [*take(travelling.get(sku_id, []), quantity)]
        rest = quantity - sum(picked for _lot, picked in picks)
        for place, (lot_id, picked) in enumerate([*picks, (None, rest)] if rest else picks):
            name = f"transfer_in:{row.number}:{key}:{lines[sku_id].pk}" + (f"/{place}" if place else "")
            arriving.append(replace(_movement(row, lines[sku_id], picked, name), lot_id=lot_id))
    return arriving


def _travelling_lots(row: Transfer) -> dict[int, Shelf]:
    """Return the lots that left with a transfer and have not come, first expired first."""
    sums = (
        StockMovement.objects.filter(
            reference=row.number, kind__in=(MovementKind.TRANSFER_OUT, MovementKind.TRANSFER_IN), lot__isnull=False
        )
        .values_list("sku", "lot", "lot__expires_date")
        .annotate(units=Sum("quantity"))
        .order_by("sku", "lot")
    )
    shelves: dict[int, Shelf] = {}
    for sku_id, lot_id, expires_date, units in sums:
        shelves.setdefault(sku_id, []).append(LotUnits(lot_id, expires_date, -units))
    return {sku_id: first_expired_first(shelf) for sku_id, shelf in shelves.items()}


def _movement(row: Transfer, line: TransferLine, quantity: int, key: str) -> movements.Movement:
    is_out = quantity < 0
    return movements.Movement(
        key=key,
        sku_id=line.sku_id,
        node_id=row.source_id if is_out else row.destination_id,
        kind=MovementKind.TRANSFER_OUT if is_out else MovementKind.TRANSFER_IN,
        quantity=quantity,
        reference=row.number,
    )
