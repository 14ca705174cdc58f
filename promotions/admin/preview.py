"""What the builder shows beside the form: the sentence in both languages, complaints, conflicts, lanes, a trial."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone, translation

from audit.admin import columns
from audit.models.sentences import render
from audit.rules.sentences import Sentence
from promotions.admin import baskets_field, lanes
from promotions.admin.builder_forms import RuleForm
from promotions.queries import shop
from promotions.rules import sentences, validation
from promotions.rules.conflicts import conflicts
from promotions.rules.rule import PublishedRule, Rule

LANGUAGES: Final = ("zh-hans", "en")
MOST_CONFLICTS: Final = 20


def context(form: RuleForm, code: str, *, baskets: str = "", at: datetime | None = None) -> dict[str, Any]:
    """Return what the page shows beside a form; of a form that cannot be read, its errors."""
    if not form.is_valid():
        return {"errors": [(name, [str(error) for error in errors]) for name, errors in form.errors.items()]}
    rule = form.rule()
    live = shop.live()
    draft = PublishedRule(code or "NEW", 0, rule)
    met = conflicts(draft, live, shop.belonging([rule, *(other.rule for other in live)]))
    return {
        "sentences": both(rule),
        "errors": complaints(rule, code),
        "conflicts": [conflict_row(one) for one in met[:MOST_CONFLICTS]],
        "more_conflicts": max(0, len(met) - MOST_CONFLICTS),
        "lanes": lanes.drawing(draft, live),
        "trial": baskets_field.tried(baskets, draft, live, at=at or timezone.now()) if baskets.strip() else [],
    }


def both(rule: Rule) -> list[str]:
    """Return a rule's sentence in both languages."""
    said = sentences.describe(rule, shop.names([rule])).stored()
    shown = []
    for language in LANGUAGES:
        with translation.override(language):
            shown.append(render(said))
    return shown


def complaints(rule: Rule, code: str) -> list[tuple[str, list[str]]]:
    """Return what is wrong with a rule, by the field of the form that mends it."""
    found: dict[str, list[str]] = {}
    for complaint in validation.complaints(rule, shop.facts(rule, code, on_date=timezone.localdate())):
        found.setdefault(complaint.field, []).append(columns.sentence(complaint.why.stored()))
    return list(found.items())


def conflict_row(one: Any) -> dict[str, Any]:
    """Return a conflict as the page shows it."""
    return {"code": one.code, "excludes": one.meeting == "excludes", "why": columns.sentence(one.why.stored())}


def shown(many: Iterable[Sentence]) -> list[str]:
    """Return sentences in the reader's language."""
    return [columns.sentence(one.stored()) for one in many]
