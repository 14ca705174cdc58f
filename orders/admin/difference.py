"""What did not add up, and the repair of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, ReasonForm, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import say
from inventory.models import StockDifference
from inventory.statuses import DifferenceCheck, DifferenceStatus
from orders.services import repair

TONES = {"open": "amber", "repaired": "green", "gone": "grey"}


def put_in_order(rows: Sequence[StockDifference], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Bring these figures in order."""
    outcome = repair.repair([row.pk for row in rows], reason=told["reason"], actor=actor, at=at)
    done = say("%(count)s figures are in order again.", count=len(outcome.done)) if outcome.done else None
    return Answer(done, outcome.refused)


def is_open(row: StockDifference) -> bool:
    """Return whether it still differs."""
    return row.status == DifferenceStatus.OPEN


@admin.register(StockDifference)
class StockDifferenceAdmin(MachineAdmin):
    """Each figure that was not what its rows say."""

    list_display = ("subject", "what", "has", "should", "found", "state")
    list_filter = (
        filters.choice(_("status"), "status", lambda: DifferenceStatus.choices),
        filters.choice(_("check"), "check_name", lambda: DifferenceCheck.choices),
    )
    search_fields = ("subject",)
    search_help_text = _("Begins with …")
    ordering = ("-found_at", "-pk")
    sortable_by = ()
    fields = ("subject", "what", "has", "should", "found", "state", "closed", "who", "reason")
    readonly_fields = fields
    empty_hint = _("Every figure says what its rows say.")
    verbs = (Verb("repair", _("Repair…"), put_in_order, ReasonForm, icon="build", is_offered=is_open),)

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find differences by the beginning of what they are about."""
        return (queryset.filter(subject__startswith=search_term.strip()) if search_term.strip() else queryset), False

    @admin.display(description=_("check"))
    def what(self, row: StockDifference) -> str:
        """Show which figures were compared."""
        return row.get_check_name_display()

    @admin.display(description=_("stored"))
    def has(self, row: StockDifference) -> SafeString:
        """Show what the hub worked with."""
        return columns.number(row.stored)

    @admin.display(description=_("derived"))
    def should(self, row: StockDifference) -> SafeString:
        """Show what the rows add up to."""
        return columns.number(row.derived)

    @admin.display(description=_("found at"))
    def found(self, row: StockDifference) -> SafeString:
        """Show when it was found."""
        return columns.when(row.found_at)

    @admin.display(description=_("closed at"))
    def closed(self, row: StockDifference) -> SafeString:
        """Show when it was put in order."""
        return columns.when(row.closed_at)

    @admin.display(description=_("closed by"))
    def who(self, row: StockDifference) -> str:
        """Show who put it in order."""
        return columns.actor(row.closed_by) if row.closed_by else ""

    @admin.display(description=_("status"))
    def state(self, row: StockDifference) -> SafeString:
        """Show what became of it."""
        return columns.label(row.get_status_display(), TONES[row.status])
