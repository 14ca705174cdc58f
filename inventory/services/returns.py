"""Goods that buyers send back: in stock at once, in no promise until somebody has looked at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import QualityHold
from inventory.queries import lots as questions
from inventory.services import lots, movements, quality, reasons, refusals
from inventory.statuses import MovementKind, ReasonUse

TIME_TO_INSPECT = timedelta(days=3)
WAITS = "inspection"  # the reason code under which returned units wait


@dataclass(frozen=True)
class Back:
    """Units of one SKU that came back to a node; ``reference`` names the return or the parcel.

    Goods with lots that name none are unlabelled: nobody knows how long they keep.
    """

    key: str
    sku_id: int
    node_id: int
    quantity: int
    reference: str
    lot_id: int | None = None


@dataclass(frozen=True)
class Inspection:
    """What an inspector found of the units of one hold: so many good again, so many not, and in which words."""

    hold_id: int
    good: int
    bad: int
    reason_code: str
    note: str = ""


@transaction.atomic
def take_back(backs: Sequence[Back], *, owner: str, actor: Actor, at: datetime) -> int:
    """Put returned units into stock under a hold that waits for inspection; a key counts once. Returns the new ones.

    Raises ``RowsRefused`` with every row whose quantity is not above zero or whose lot is of another SKU.
    """
    strangers = lots.strangers({(back.sku_id, back.lot_id) for back in backs})
    refusals.refuse_if_any(
        [
            refusals.RefusedRow(number, why)
            for number, back in enumerate(backs, start=1)
            if (why := lots.why_not(back.sku_id, back.lot_id, strangers) or _why_not(back))
        ]
    )
    homes = lots.unlabelled(questions.tracked(back.sku_id for back in backs if not back.lot_id), at=at)
    new = movements.record(
        [
            movements.Movement(
                key=f"return:{back.key}",
                sku_id=back.sku_id,
                node_id=back.node_id,
                kind=MovementKind.RETURN,
                quantity=back.quantity,
                reference=back.reference,
                lot_id=back.lot_id or homes.get(back.sku_id),
            )
            for back in backs
        ],
        actor=actor,
        at=at,
    )
    quality.hold(
        [
            quality.Keep(
                key=f"return:{back.key}",
                sku_id=back.sku_id,
                node_id=back.node_id,
                quantity=back.quantity,
                reason_code=WAITS,
                owner=owner,
                ends_at=at + TIME_TO_INSPECT,
                reference=back.reference,
                lot_id=back.lot_id or homes.get(back.sku_id),
            )
            for back in backs
        ],
        actor=actor,
        at=at,
    )
    return new


def _why_not(back: Back) -> Sentence | None:
    return say("A quantity must be above zero.") if back.quantity <= 0 else None


@transaction.atomic
def inspect(inspections: Sequence[Inspection], *, actor: Actor, at: datetime) -> None:
    """Decide on returned units: good ones may be promised again, bad ones leave stock, the rest goes on waiting.

    Raises ``RowsRefused``, having changed nothing, for a row that is no return, or whose words do not fit.
    """
    known = reasons.known(ReasonUse.INSPECTION)
    waiting = set(
        QualityHold.objects.filter(pk__in=[one.hold_id for one in inspections], reason_code=WAITS).values_list(
            "pk", flat=True
        )
    )
    rows = []
    for number, one in enumerate(inspections, start=1):
        why = None if one.hold_id in waiting else say("These goods do not wait for inspection.")
        why = why or reasons.why_not(known, one.reason_code, quantity=-1 if one.bad else 1, note=one.note)
        if why:
            rows.append(refusals.RefusedRow(number, why))
    refusals.refuse_if_any(rows)
    quality.decide(
        [
            quality.Decision(one.hold_id, one.good, one.bad, reasons.words(one.reason_code, one.note))
            for one in inspections
        ],
        actor=actor,
        at=at,
    )
