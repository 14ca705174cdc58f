"""Opening and closing cases. Every engine uses these two verbs; a case points by words and a link."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.models import Case
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence
from audit.statuses import CaseStatus


@dataclass(frozen=True)
class Trouble:
    """What an engine reports: one open case per kind and subject."""

    kind: str
    subject: str
    why: Sentence
    suggestion: Sentence
    subject_url: str = ""


@transaction.atomic
def open_cases(troubles: Iterable[Trouble], *, at: datetime) -> int:
    """Open a case for each trouble that has none open, and return how many were new."""
    rows = [
        Case(
            kind=trouble.kind,
            subject=trouble.subject,
            subject_url=trouble.subject_url,
            why=trouble.why.stored(),
            suggestion=trouble.suggestion.stored(),
            opened_at=at,
        )
        for trouble in troubles
    ]
    if not rows:
        return 0
    known = set(
        Case.objects.filter(status=CaseStatus.OPEN, subject__in={row.subject for row in rows}).values_list(
            "kind", "subject"
        )
    )
    fresh = {(row.kind, row.subject): row for row in rows if (row.kind, row.subject) not in known}
    Case.objects.bulk_create(fresh.values(), ignore_conflicts=True)
    return len(fresh)


@transaction.atomic
def resolve(
    subjects: Sequence[str], *, kinds: Sequence[str] | None = None, actor: Actor, resolution: str, at: datetime
) -> int:
    """Close the open cases of these subjects (of these kinds, or of all) and return how many were closed."""
    cases = Case.objects.filter(status=CaseStatus.OPEN, subject__in=subjects)
    if kinds is not None:
        cases = cases.filter(kind__in=kinds)
    return cases.update(
        status=CaseStatus.RESOLVED, resolved_at=at, resolved_by=actor.label[:80], resolution=resolution[:300]
    )
