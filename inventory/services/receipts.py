"""Goods that come from outside: expecting them, and writing down what really came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import ExpectedLine, ExpectedReceipt, ReasonCode, Receipt, ReceiptLine, Sku
from inventory.services import movements, quality, reasons, refusals
from inventory.statuses import ExpectedStatus, MovementKind, ReasonUse

TIME_TO_DECIDE = timedelta(days=7)  # on units that came damaged


@dataclass(frozen=True)
class Arrival:
    """What came of one SKU: all units that are there now, and how many of them are damaged."""

    sku_id: int
    received: int
    damaged: int = 0
    reason_code: str = ""
    note: str = ""


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
    return expected


@transaction.atomic
def slip(expected_id: int, *, due_date: date) -> ExpectedReceipt:
    """Say that an expected receipt comes on another day. Promises that stand on it are the caller's to move.

    Raises ``RowsRefused`` when nothing is awaited any more.
    """
    row = _lock(expected_id)
    if row.status not in ExpectedStatus.AWAITED:
        raise refusals.refuse(_over(row))
    row.due_date = due_date
    row.save(update_fields=["due_date"])
    return row


@transaction.atomic
def receive(
    receipt: Receipt, *, arrivals: Sequence[Arrival], is_final: bool = False, actor: Actor, at: datetime
) -> Receipt:
    """Put what came into stock; a receipt's number counts once. Damaged units are held until somebody decides.

    ``is_final`` closes the expected receipt: what has not come until then needs a reason on its row. Raises
    ``RowsRefused``, having changed nothing, with every row that came above the order, was not expected, is negative or
    lacks the reason of its discrepancy.
    """
    known = Receipt.objects.filter(number=receipt.number).first()
    if known:
        return known
    expected = _lock(receipt.expected_id) if receipt.expected_id else None
    lines = {line.sku_id: line for line in expected.lines.select_related("sku").order_by("pk")} if expected else {}
    _refuse_bad_document(receipt, expected, arrivals)
    _refuse_bad_arrivals(lines if expected else None, arrivals, is_final=is_final)
    receipt.received_at, receipt.received_by = at, actor.label[:80]
    receipt.save()
    ReceiptLine.objects.bulk_create(_line(receipt, lines.get(arrival.sku_id), arrival) for arrival in arrivals)
    _put_into_stock(receipt, arrivals, actor, at)
    if expected:
        _progress(expected, lines, arrivals, is_final=is_final, at=at)
    return receipt


@transaction.atomic
def cancel(expected_id: int, *, at: datetime) -> ExpectedReceipt:
    """Expect the rest no longer. Raises ``RowsRefused`` when nothing is awaited any more."""
    row = _lock(expected_id)
    if row.status not in ExpectedStatus.AWAITED:
        raise refusals.refuse(_over(row))
    row.status, row.closed_at = ExpectedStatus.CANCELLED, at
    row.save(update_fields=["status", "closed_at"])
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
    lines: Mapping[int, ExpectedLine] | None, arrivals: Sequence[Arrival], *, is_final: bool
) -> None:
    known = reasons.known(ReasonUse.DISCREPANCY)
    ids = [arrival.sku_id for arrival in arrivals]
    bundles = set(Sku.objects.filter(pk__in=ids, parts__isnull=False).values_list("pk", flat=True))
    rows = []
    for number, arrival in enumerate(arrivals, start=1):
        why = _why_not_counted(arrival, ids[: number - 1], bundles)
        if why is None and lines is not None:
            why = _why_not_expected(arrival, lines.get(arrival.sku_id), is_final=is_final, known=known)
        if why is None and arrival.damaged:
            why = reasons.why_not(known, arrival.reason_code, quantity=-arrival.damaged, note=arrival.note)
        if why:
            rows.append(refusals.RefusedRow(number, why))
    if lines and is_final:
        rows.extend(_silent(lines, set(ids)))
    refusals.refuse_if_any(rows)


def _silent(lines: Mapping[int, ExpectedLine], told: set[int]) -> list[refusals.RefusedRow]:
    """Return the refusal of a last receipt that leaves expected SKUs out."""
    codes = [line.sku.code for sku_id, line in lines.items() if _left(line) and sku_id not in told]
    why = say("Nothing is said about %(skus)s: give zero and a reason.", skus=", ".join(codes)[:200])
    return [refusals.RefusedRow(0, why)] if codes else []


def _why_not_counted(arrival: Arrival, seen: Sequence[int], bundles: set[int]) -> Sentence | None:
    if arrival.received < 0 or arrival.damaged < 0:
        return say("A quantity cannot be negative.")
    if arrival.damaged > arrival.received:
        return say("More units are damaged than came.")
    if arrival.sku_id in seen:
        return say("The SKU stands in an earlier row already.")
    return say("A bundle has no stock of its own: receive its parts.") if arrival.sku_id in bundles else None


def _why_not_expected(
    arrival: Arrival, line: ExpectedLine | None, *, is_final: bool, known: Mapping[str, ReasonCode]
) -> Sentence | None:
    if line is None:
        return say("The SKU is not in the order. Receive it without one, or correct the order.")
    left = _left(line)
    if arrival.received > left:
        return say("%(received)s came, but only %(left)s are still expected.", received=arrival.received, left=left)
    if is_final and arrival.received < left:
        return reasons.why_not(known, arrival.reason_code, quantity=arrival.received - left, note=arrival.note)
    return None


def _left(line: ExpectedLine) -> int:
    return line.quantity - line.quantity_received


def _line(receipt: Receipt, expected: ExpectedLine | None, arrival: Arrival) -> ReceiptLine:
    return ReceiptLine(
        receipt=receipt,
        sku_id=arrival.sku_id,
        quantity_expected=_left(expected) if expected else None,
        quantity_received=arrival.received,
        quantity_damaged=arrival.damaged,
        reason_code=arrival.reason_code,
        note=arrival.note[:160],
    )


def _put_into_stock(receipt: Receipt, arrivals: Sequence[Arrival], actor: Actor, at: datetime) -> None:
    movements.record(
        [
            movements.Movement(
                key=f"receipt:{receipt.number}:{arrival.sku_id}",
                sku_id=arrival.sku_id,
                node_id=receipt.node_id,
                kind=MovementKind.RECEIPT,
                quantity=arrival.received,
                reference=receipt.number,
                reason=reasons.words(arrival.reason_code, arrival.note),
            )
            for arrival in arrivals
            if arrival.received
        ],
        actor=actor,
        at=at,
    )
    quality.hold(
        [
            quality.Keep(
                key=f"receipt:{receipt.number}:{arrival.sku_id}",
                sku_id=arrival.sku_id,
                node_id=receipt.node_id,
                quantity=arrival.damaged,
                reason_code=arrival.reason_code,
                owner=actor.name,
                ends_at=at + TIME_TO_DECIDE,
                note=arrival.note,
                reference=receipt.number,
            )
            for arrival in arrivals
            if arrival.damaged
        ],
        actor=actor,
        at=at,
    )


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
