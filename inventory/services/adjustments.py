"""Correcting stock on hand by hand: each change has a reason that can be counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import ReasonCode
from inventory.services import lots, movements, reasons, refusals
from inventory.statuses import MovementKind, ReasonUse


@dataclass(frozen=True)
class Adjustment:
    """Units of one SKU at one node that are there without record (positive) or gone without record (negative).

    Goods with lots may name one; otherwise what is found is unlabelled, what is gone is of the lots that expire first.
    """

    key: str
    sku_id: int
    node_id: int
    quantity: int
    reason_code: str
    note: str = ""
    lot_id: int | None = None


@transaction.atomic
def adjust(changes: Sequence[Adjustment], *, actor: Actor, at: datetime) -> int:
    """Change stock on hand, all rows or none; a key that is written already changes nothing. Returns the new ones.

    Raises ``RowsRefused`` with every row that has no fitting reason, or would take out what is promised or held.
    """
    known = reasons.known(ReasonUse.ADJUSTMENT)
    strangers = lots.strangers({(change.sku_id, change.lot_id) for change in changes})
    refused = [
        refusals.RefusedRow(number, why)
        for number, change in enumerate(changes, start=1)
        if (why := lots.why_not(change.sku_id, change.lot_id, strangers) or _why_not(change, known))
    ]
    refusals.refuse_if_any(refused)
    try:
        return movements.record(
            [
                movements.Movement(
                    key=f"adjustment:{change.key}",
                    sku_id=change.sku_id,
                    node_id=change.node_id,
                    kind=MovementKind.ADJUSTMENT,
                    quantity=change.quantity,
                    reason=reasons.words(change.reason_code, change.note),
                    lot_id=change.lot_id,
                )
                for change in changes
            ],
            actor=actor,
            at=at,
        )
    except movements.NotEnoughOnHand as error:
        raise refusals.not_enough([(change.sku_id, change.node_id) for change in changes], error.levels) from error


def _why_not(change: Adjustment, known: Mapping[str, ReasonCode]) -> Sentence | None:
    if change.quantity == 0:
        return say("A change of nothing is no adjustment.")
    return reasons.why_not(known, change.reason_code, quantity=change.quantity, note=change.note)
