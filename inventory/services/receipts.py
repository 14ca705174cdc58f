"""Goods that come from outside: expecting them, and writing down what really came."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import waking
from audit.services.waking import Happening
from inventory.models import ExpectedLine, ExpectedReceipt, ReasonCode, Receipt, ReceiptLine, Sku
from inventory.rules.lots import code_of
from inventory.services import labels, lots, movements, quality, reasons, refusals
from inventory.statuses import ExpectedStatus, MovementKind, ReasonUse

TIME_TO_DECIDE = timedelta(days=7)  # on units that came damaged


@dataclass(frozen=True)
class Arrival:
    """What came of one SKU: all units that are there now, and how many of them are damaged.

    Goods with lots have a row for each lot; without a code they are known by their date, without both unlabelled.
    """

    sku_id: int
    received: int
    damaged: int = 0
    reason_code: str = ""
    note: str = ""
    lot_code: str = ""
    expires_date: date | None = None

    @property
    def label(self) -> lots.Label:
        """Return what stands on the goods."""
        return lots.Label(self.sku_id, code_of(self.lot_code, self.expires_date), self.expires_date)


@transaction.atomic
def expect(expected: ExpectedReceipt, *, units: Mapping[int, int], actor: Actor, at: datetime) -> ExpectedReceipt:
    """Write down that units (SKU id → how many) will come. The same number with the same content is the same row.

    Raises ``RowsRefused``: no lines, a bundle, a quantity that is not above zero, a number that stands for another one.
    """
    known = ExpectedReceipt.objects.filter(number=expected.number).first()
    if known:
        if (known.node_id, dict(known.lines.values_list("sku_id", "quantity"))) != (expected.node_id, dict(units)):
            raise refusals.refuse(say("Number %(number)s stands for another receipt.", number=expected.number))
        return known
    if not units:
        raise refusals.refuse(say("A receipt needs at least one line."))
    _refuse_bad_units(units)
    expected.created_at, expected.created_by = at, actor.label[:80]
    expected.save()
    ExpectedLine.objects.bulk_create(
        ExpectedLine(expected=expected, sku_id=sku_id, quantity=quantity) for sku_id, quantity in sorted(units.items())
    )
    waking.happened(Happening.SUPPLY_CHANGED)
    return expected


@transaction.atomic
def slip(expected_id: int, *, due_date: date) -> ExpectedReceipt:
    """Say that an expected receipt comes on another day. Promises that stand on it move soon after.

    Raises ``RowsRefused`` when nothing is awaited any more.
    """
    row = _lock(expected_id)
    if row.status not in ExpectedStatus.AWAITED:
        raise refusals.refuse(_over(row))
    row.due_date = due_date
    row.save(update_fields=["due_date"])
    waking.happened(Happening.SUPPLY_CHANGED)
    return row


@transaction.atomic
def receive(
    receipt: Receipt, *, arrivals: Sequence[Arrival], is_final: bool = False, actor: Actor, at: datetime
) -> Receipt:
    """Put what came into stock; a receipt's number counts once. Damaged units are held until somebody decides.

    ``is_final`` closes the expected receipt: what has not come until then needs a reason on its row. Raises
    ``RowsRefused``, having changed nothing, with every row that came above the order, was not expected, is negative,
    lacks the reason of its discrepancy, or is of a lot that is past its date or known with another one.
    """
    known = Receipt.objects.filter(number=receipt.number).first()
    if known:
        return known
    expected = _lock(receipt.expected_id) if receipt.expected_id else None
    lines = {line.sku_id: line for line in expected.lines.select_related("sku").order_by("pk")} if expected else {}
    _refuse_bad_document(receipt, expected, arrivals)
    book = labels.read([arrival.label for arrival in arrivals], at=at)
    _refuse_bad_arrivals(lines if expected else None, arrivals, book, is_final=is_final)
    receipt.received_at, receipt.received_by = at, actor.label[:80]
    receipt.save()
    ReceiptLine.objects.bulk_create(_line(receipt, lines.get(arrival.sku_id), arrival, book) for arrival in arrivals)
    _put_into_stock(receipt, arrivals, book, actor, at)
    if expected:
        _progress(expected, lines, arrivals, is_final=is_final, at=at)
        waking.happened(Happening.SUPPLY_CHANGED)
    return receipt


@transaction.atomic
def cancel(expected_id: int, *, at: datetime) -> ExpectedReceipt:
    """Expect the rest no longer. Raises ``RowsRefused`` when nothing is awaited any more."""
    row = _lock(expected_id)
    if row.status not in ExpectedStatus.AWAITED:
        raise refusals.refuse(_over(row))
    row.status, row.closed_at = ExpectedStatus.CANCELLED, at
    row.save(update_fields=["status", "closed_at"])
    waking.happened(Happening.SUPPLY_CHANGED)
    return row


def _refuse_bad_units(units: Mapping[int, int]) -> None:
    bundles = set(Sku.objects.filter(pk__in=units, parts__isnull=False).values_list("pk", flat=True))
    rows = []
    for number, (sku_id, quantity) in enumerate(units.items(), start=1):
        if quantity <= 0:
            rows.append(refusals.RefusedRow(number, say("A quantity must be above zero.")))
        elif sku_id in bundles:
            rows.append(refusals.RefusedRow(number, say("A bundle has no stock of its own: receive its parts.")))
    refusals.refuse_if_any(rows)


def _over(expected: ExpectedReceipt) -> Sentence:
    """Return why nothing more can come of an expected receipt that is closed."""
    if expected.status == ExpectedStatus.CANCELLED:
        return say("Receipt %(number)s is cancelled.", number=expected.number)
    return say("Receipt %(number)s has been received already.", number=expected.number)


def _lock(expected_id: int) -> ExpectedReceipt:
    return ExpectedReceipt.objects.select_for_update(no_key=True).get(pk=expected_id)


def _refuse_bad_document(receipt: Receipt, expected: ExpectedReceipt | None, arrivals: Sequence[Arrival]) -> None:
    if not arrivals:
        raise refusals.refuse(say("A receipt needs at least one line."))
    if expected and expected.status not in ExpectedStatus.AWAITED:
        raise refusals.refuse(_over(expected))
    if expected and expected.node_id != receipt.node_id:
        raise refusals.refuse(say("The goods are expected at another node."))


def _refuse_bad_arrivals(
    lines: Mapping[int, ExpectedLine] | None, arrivals: Sequence[Arrival], book: labels.Book, *, is_final: bool
) -> None:
    known = reasons.known(ReasonUse.DISCREPANCY)
    bundles = set(
        Sku.objects.filter(pk__in={one.sku_id for one in arrivals}, parts__isnull=False).values_list("pk", flat=True)
    )
    left = {sku_id: _left(line) for sku_id, line in lines.items()} if lines is not None else None
    rows_to_come = Counter(arrival.sku_id for arrival in arrivals)  # of each SKU; the last one accounts for the rest
    seen: set[lots.Label] = set()
    rows = []
    for number, arrival in enumerate(arrivals, start=1):
        rows_to_come[arrival.sku_id] -= 1
        why = _why_not_counted(arrival, seen, bundles) or book.why_not(arrival.label)
        if why is None and left is not None:
            is_last = is_final and not rows_to_come[arrival.sku_id]
            why = _why_not_expected(arrival, left.get(arrival.sku_id), is_last=is_last, known=known)
            if arrival.sku_id in left:
                left[arrival.sku_id] -= arrival.received
        if why is None and arrival.damaged:
            why = reasons.why_not(known, arrival.reason_code, quantity=-arrival.damaged, note=arrival.note)
        if why:
            rows.append(refusals.RefusedRow(number, why))
        seen.add(arrival.label._replace(expires_date=None))
    if lines and is_final:
        rows.extend(_silent(lines, {arrival.sku_id for arrival in arrivals}))
    refusals.refuse_if_any(rows)


def _silent(lines: Mapping[int, ExpectedLine], told: set[int]) -> list[refusals.RefusedRow]:
    """Return the refusal of a last receipt that leaves expected SKUs out."""
    codes = [line.sku.code for sku_id, line in lines.items() if _left(line) and sku_id not in told]
    why = say("Nothing is said about %(skus)s: give zero and a reason.", skus=", ".join(codes)[:200])
    return [refusals.RefusedRow(0, why)] if codes else []


def _why_not_counted(arrival: Arrival, seen: Collection[lots.Label], bundles: set[int]) -> Sentence | None:
    if arrival.received < 0 or arrival.damaged < 0:
        return say("A quantity cannot be negative.")
    if arrival.damaged > arrival.received:
        return say("More units are damaged than came.")
    if arrival.label._replace(expires_date=None) in seen:
        return (
            say("The lot stands in an earlier row already.")
            if arrival.label.code
            else say("The SKU stands in an earlier row already.")
        )
    return say("A bundle has no stock of its own: receive its parts.") if arrival.sku_id in bundles else None


def _why_not_expected(
    arrival: Arrival, left: int | None, *, is_last: bool, known: Mapping[str, ReasonCode]
) -> Sentence | None:
    if left is None:
        return say("The SKU is not in the order. Receive it without one, or correct the order.")
    if arrival.received > left:
        return say("%(received)s came, but only %(left)s are still expected.", received=arrival.received, left=left)
    if is_last and arrival.received < left:
        return reasons.why_not(known, arrival.reason_code, quantity=arrival.received - left, note=arrival.note)
    return None


def _left(line: ExpectedLine) -> int:
    return line.quantity - line.quantity_received


def _line(receipt: Receipt, expected: ExpectedLine | None, arrival: Arrival, book: labels.Book) -> ReceiptLine:
    return ReceiptLine(
        receipt=receipt,
        sku_id=arrival.sku_id,
        quantity_expected=_left(expected) if expected else None,
        quantity_received=arrival.received,
        lot_code=arrival.label.code,
        expires_date=book.date_of(arrival.label),
        quantity_damaged=arrival.damaged,
        reason_code=arrival.reason_code,
        note=arrival.note[:160],
    )


def _put_into_stock(
    receipt: Receipt, arrivals: Sequence[Arrival], book: labels.Book, actor: Actor, at: datetime
) -> None:
    found = lots.named([one.label for one in arrivals if one.sku_id in book.tracked and one.received], at=at)
    placed = [(one, _key(receipt, one), found.get((one.sku_id, one.label.code))) for one in arrivals]
    movements.record(
        [
            movements.Movement(
                key=key,
                sku_id=arrival.sku_id,
                node_id=receipt.node_id,
                kind=MovementKind.RECEIPT,
                quantity=arrival.received,
                reference=receipt.number,
                reason=reasons.words(arrival.reason_code, arrival.note),
                lot_id=lot_id,
            )
            for arrival, key, lot_id in placed
            if arrival.received
        ],
        actor=actor,
        at=at,
    )
    quality.hold(
        [
            quality.Keep(
                key=key,
                sku_id=arrival.sku_id,
                node_id=receipt.node_id,
                quantity=arrival.damaged,
                reason_code=arrival.reason_code,
                owner=actor.name,
                ends_at=at + TIME_TO_DECIDE,
                note=arrival.note,
                reference=receipt.number,
                lot_id=lot_id,
            )
            for arrival, key, lot_id in placed
            if arrival.damaged
        ],
        actor=actor,
        at=at,
    )


def _key(receipt: Receipt, arrival: Arrival) -> str:
    key = f"receipt:{receipt.number}:{arrival.sku_id}"
    return f"{key}:{arrival.label.code}" if arrival.label.code else key


def _progress(
    expected: ExpectedReceipt,
    lines: Mapping[int, ExpectedLine],
    arrivals: Sequence[Arrival],
    *,
    is_final: bool,
    at: datetime,
) -> None:
    for arrival in arrivals:
        lines[arrival.sku_id].quantity_received += arrival.received
    ExpectedLine.objects.bulk_update(lines.values(), ["quantity_received"])
    is_over = is_final or not any(map(_left, lines.values()))
    expected.status = ExpectedStatus.RECEIVED if is_over else ExpectedStatus.PART_RECEIVED
    expected.closed_at = at if is_over else None
    expected.save(update_fields=["status", "closed_at"])
