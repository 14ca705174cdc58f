"""Keeping what does not add up: one row and one case per figure, until it is repaired or gone."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import say
from audit.services import cases
from inventory.models import StockDifference
from inventory.services.verification import Found
from inventory.statuses import DifferenceStatus

JOB = Actor("job", "verify")
CASE = "stock_difference"
MOST_NEW = 1000  # of one run; what is beyond is found again by the next


@transaction.atomic
def keep(found: Iterable[Found], *, at: datetime) -> tuple[int, int]:
    """Keep every difference of a whole verification; returns how many are new and how many open ones are gone."""
    still = {(one.check, one.subject): one for one in found}
    rows = StockDifference.objects.select_for_update().filter(status=DifferenceStatus.OPEN).order_by("pk")
    known = {(row.check_name, row.subject): row for row in rows}
    gone = [row for key, row in known.items() if key not in still]
    close(gone, DifferenceStatus.GONE, actor=JOB, reason="", at=at)
    for key, row in known.items():
        if key in still:
            row.stored, row.derived = still[key].stored, still[key].derived
    StockDifference.objects.bulk_update(known.values(), ["stored", "derived"])
    fresh = [_row(one, at) for key, one in still.items() if key not in known][:MOST_NEW]
    StockDifference.objects.bulk_create(fresh)
    cases.open_cases(map(_trouble, fresh), at=at)
    return len(fresh), len(gone)


@transaction.atomic
def close(
    rows: Sequence[StockDifference], status: DifferenceStatus, *, actor: Actor, reason: str, at: datetime
) -> None:
    """Close differences whose figures are in order again, and their cases."""
    StockDifference.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=status, closed_at=at, closed_by=actor.label[:80], reason=reason[:200]
    )
    subjects = [_case_subject(row) for row in rows]
    cases.resolve(subjects, kinds=[CASE], actor=actor, resolution=reason or status.value, at=at)


def _row(found: Found, at: datetime) -> StockDifference:
    return StockDifference(
        check_name=found.check,
        subject=found.subject,
        sku_id=found.sku_id,
        node_id=found.node_id,
        day_date=found.day_date,
        reference=found.reference,
        stored=found.stored,
        derived=found.derived,
        found_at=at,
    )


def _case_subject(row: StockDifference) -> str:
    return f"{row.check_name} {row.subject}"[:120]


def _trouble(row: StockDifference) -> cases.Trouble:
    return cases.Trouble(
        kind=CASE,
        subject=_case_subject(row),
        why=say("The hub has %(stored)s, the rows behind it say %(derived)s.", stored=row.stored, derived=row.derived),
        suggestion=say("Look at the rows, then choose “Repair…” and say why."),
        subject_url=f"/admin/inventory/stockdifference/{row.pk}/change/",
    )
