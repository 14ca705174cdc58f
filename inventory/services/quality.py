"""Keeping units back from every promise until somebody has decided what they are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import cases
from inventory.models import QualityHold, ReasonCode
from inventory.services import lots, movements, reasons, refusals
from inventory.services.levels import LevelKey, apply_quality_hold, lock_levels
from inventory.statuses import MovementKind, ReasonUse

CASE = "quality_hold_overdue"


@dataclass(frozen=True)
class Keep:
    """Units of one SKU at one node to be kept back, why, in whose care and until when it must be decided.

    Of goods with lots it may name one; otherwise the lots that expire first are kept back, a hold for each.
    """

    key: str
    sku_id: int
    node_id: int
    quantity: int
    reason_code: str
    owner: str
    ends_at: datetime
    note: str = ""
    reference: str = ""
    lot_id: int | None = None


@dataclass(frozen=True)
class Decision:
    """How many units of a hold are good again and how many are scrapped; the rest stays on hold."""

    hold_id: int
    released: int = 0
    scrapped: int = 0
    words: str = ""  # why, if there is more to say than the hold's own reason


@transaction.atomic
def place(keeps: Sequence[Keep], *, actor: Actor, at: datetime) -> int:
    """Hold units back, all rows or none; a key that holds already changes nothing. Returns the new holds.

    Only units that nobody is promised can be held. Raises ``RowsRefused`` with every row that cannot be.
    """
    known = reasons.known(ReasonUse.QUALITY)
    strangers = lots.strangers({(keep.sku_id, keep.lot_id) for keep in keeps})
    refusals.refuse_if_any(
        [
            refusals.RefusedRow(number, why)
            for number, keep in enumerate(keeps, start=1)
            if (why := lots.why_not(keep.sku_id, keep.lot_id, strangers) or _why_not(keep, known, at))
        ]
    )
    return hold(keeps, actor=actor, at=at)


@transaction.atomic
def hold(keeps: Sequence[Keep], *, actor: Actor, at: datetime) -> int:
    """Hold units back for other verbs, which have checked the reason themselves. Raises ``RowsRefused``."""
    levels = lock_levels({(keep.sku_id, keep.node_id) for keep in keeps})
    written = set(QualityHold.objects.filter(key__in=[keep.key for keep in keeps]).values_list("key", flat=True))
    fresh = list({keep.key: keep for keep in keeps if keep.key not in written}.values())
    change: dict[LevelKey, int] = {}
    for keep in fresh:
        key = (keep.sku_id, keep.node_id)
        change[key] = change.get(key, 0) + keep.quantity
    short = [
        key
        for key, units in change.items()
        if key not in levels or levels[key].on_hand - levels[key].reserved - levels[key].quality_hold < units
    ]
    if short:
        raise refusals.not_enough([(keep.sku_id, keep.node_id) for keep in keeps], short)
    apply_quality_hold(levels, change)
    try:
        held = lots.hold_back([lots.Part(keep.sku_id, keep.node_id, keep.lot_id, keep.quantity) for keep in fresh])
    except lots.LotsShort as error:
        raise refusals.not_enough([(keep.sku_id, keep.node_id) for keep in keeps], error.levels) from error
    QualityHold.objects.bulk_create(
        _row(replace(keep, key=_key(keep, lot_id, place), lot_id=lot_id, quantity=units), actor, at)
        for keep, picks in zip(fresh, held, strict=True)
        for place, (lot_id, units) in enumerate(picks)
    )
    return len(fresh)


@transaction.atomic
def decide(decisions: Sequence[Decision], *, actor: Actor, at: datetime) -> None:
    """Close holds: released units may be promised again, scrapped ones leave stock, the rest goes on as a new hold.

    Raises ``RowsRefused``, having changed nothing, when a hold is closed already or fewer units are held.
    """
    ids = [decision.hold_id for decision in decisions]
    rows = {row.pk: row for row in QualityHold.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}
    refused = [
        refusals.RefusedRow(number, why)
        for number, decision in enumerate(decisions, start=1)
        if (why := _why_undecidable(decision, rows.get(decision.hold_id)))
    ]
    if len(set(ids)) < len(ids):
        refused.append(refusals.RefusedRow(0, say("A hold is named twice.")))
    refusals.refuse_if_any(refused)
    change: dict[LevelKey, int] = {}
    for decision in decisions:
        row = rows[decision.hold_id]
        key = (row.sku_id, row.node_id)
        change[key] = change.get(key, 0) - decision.released - decision.scrapped
    apply_quality_hold(lock_levels(change), change)
    _let_go(decisions, rows)
    for decision in decisions:
        _close(rows[decision.hold_id], decision, actor, at)
    movements.record(_scrapping(decisions, rows), actor=actor, at=at)
    cases.resolve([row.key[:120] for row in rows.values()], kinds=[CASE], actor=actor, resolution="decided", at=at)


def remind(*, at: datetime) -> int:
    """Open a case for every hold that should have been decided by now; returns how many are new."""
    overdue = QualityHold.objects.filter(closed_at__isnull=True, ends_at__lte=at).select_related("sku", "node")
    return cases.open_cases(
        [
            cases.Trouble(
                kind=CASE,
                subject=row.key[:120],
                why=say(
                    "%(units)s × %(sku)s at %(node)s should have been decided on by %(owner)s.",
                    units=row.quantity,
                    sku=row.sku.code,
                    node=row.node.code,
                    owner=row.owner,
                ),
                suggestion=say("Look at the goods, then choose “Decide…”."),
                subject_url=f"/admin/inventory/qualityhold/{row.pk}/change/",
            )
            for row in overdue.order_by("ends_at", "pk")[:500]
        ],
        at=at,
    )


def _why_not(keep: Keep, known: Mapping[str, ReasonCode], at: datetime) -> Sentence | None:
    if keep.quantity <= 0:
        return say("A quantity must be above zero.")
    if not keep.owner.strip():
        return say("Somebody must have the held goods in their care.")
    if keep.ends_at <= at:
        return say("The day of decision must lie ahead.")
    return reasons.why_not(known, keep.reason_code, quantity=-keep.quantity, note=keep.note)


def _why_undecidable(decision: Decision, row: QualityHold | None) -> Sentence | None:
    if row is None or row.closed_at:
        return say("This hold is closed already.")
    if min(decision.released, decision.scrapped) < 0 or decision.released + decision.scrapped == 0:
        return say("A quantity must be above zero.")
    if decision.released + decision.scrapped > row.quantity:
        return say("Only %(units)s units are held.", units=row.quantity)
    return None


def _key(keep: Keep, lot_id: int | None, place: int) -> str:
    return f"{keep.key[:130]}/{lot_id}" if place else keep.key


def _let_go(decisions: Sequence[Decision], rows: Mapping[int, QualityHold]) -> None:
    """Give decided units back to their lots; from now on each hold of a SKU with lots knows its own."""
    held = [rows[decision.hold_id] for decision in decisions]
    whose = lots.let_go(
        [
            lots.Part(row.sku_id, row.node_id, row.lot_id, decision.released + decision.scrapped)
            for row, decision in zip(held, decisions, strict=True)
        ]
    )
    for row, lot_id in zip(held, whose, strict=True):
        row.lot_id = lot_id


def _row(keep: Keep, actor: Actor, at: datetime) -> QualityHold:
    return QualityHold(
        key=keep.key,
        sku_id=keep.sku_id,
        node_id=keep.node_id,
        lot_id=keep.lot_id,
        quantity=keep.quantity,
        reason_code=keep.reason_code,
        note=keep.note[:160],
        owner=keep.owner[:80],
        reference=keep.reference,
        opened_at=at,
        opened_by=actor.label[:80],
        ends_at=keep.ends_at,
    )


def _close(row: QualityHold, decision: Decision, actor: Actor, at: datetime) -> None:
    row.quantity_released, row.quantity_scrapped = decision.released, decision.scrapped
    row.closed_at, row.closed_by = at, actor.label[:80]
    row.save(update_fields=["quantity_released", "quantity_scrapped", "closed_at", "closed_by"])
    rest = row.quantity - decision.released - decision.scrapped
    if rest:
        QualityHold.objects.create(
            key=f"{row.key.split('#')[0][:140]}#{row.pk}",
            sku_id=row.sku_id,
            node_id=row.node_id,
            lot_id=row.lot_id,
            quantity=rest,
            reason_code=row.reason_code,
            note=row.note,
            owner=row.owner,
            reference=row.reference,
            opened_at=at,
            opened_by=row.closed_by,
            ends_at=row.ends_at,
        )


def _scrapping(decisions: Sequence[Decision], rows: Mapping[int, QualityHold]) -> list[movements.Movement]:
    return [
        movements.Movement(
            key=f"scrap:{row.key}",
            sku_id=row.sku_id,
            node_id=row.node_id,
            kind=MovementKind.ADJUSTMENT,
            quantity=-decision.scrapped,
            reference=row.reference,
            reason=decision.words[:200] or reasons.words(row.reason_code, "scrapped"),
            lot_id=row.lot_id,
        )
        for decision in decisions
        if decision.scrapped
        for row in [rows[decision.hold_id]]
    ]
