"""Checking the reason that a person gives for changing stock."""

from collections.abc import Mapping

from audit.rules.sentences import Sentence, say
from inventory.models import ReasonCode
from inventory.statuses import ReasonDirection, ReasonUse

WRONG_WAY = {ReasonDirection.INTO_STOCK: -1, ReasonDirection.OUT_OF_STOCK: 1}


def known(use: ReasonUse) -> Mapping[str, ReasonCode]:
    """Return the active reasons for one use by their codes."""
    return {row.code: row for row in ReasonCode.objects.filter(use=use, is_active=True)}


def why_not(reasons: Mapping[str, ReasonCode], code: str, *, quantity: int, note: str = "") -> Sentence | None:
    """Return why a reason does not fit a change of stock by ``quantity``; None when it does."""
    if not code:
        return say("A reason is missing.")
    reason = reasons.get(code)
    if reason is None:
        return say("There is no reason code %(code)s for this.", code=code[:30])
    if quantity * WRONG_WAY.get(ReasonDirection(reason.direction), 0) > 0:
        return say("Reason %(code)s does not fit the direction of the change.", code=code)
    if reason.needs_note and not note.strip():
        return say("Reason %(code)s needs a note.", code=code)
    return None


def words(code: str, note: str) -> str:
    """Return a reason as the ledger keeps it: ``code: note``."""
    return (f"{code}: {note.strip()}" if note.strip() else code)[:200]
