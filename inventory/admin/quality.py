"""Quality holds: what is kept back, in whose care, and the decision about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from audit.admin import columns, filters
from audit.admin.verbs import Answer, Verb, VerbForm
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import choices
from inventory.admin.ledger import LedgerAdmin, SkuFilter
from inventory.admin.level_forms import InspectionForm
from inventory.models import QualityHold
from inventory.services import quality, returns
from inventory.services.refusals import RowsRefused


class DecisionForm(VerbForm):
    """How many units of each chosen hold are good, and how many are not."""

    released = forms.IntegerField(label=_("Good again"), min_value=0, initial=0, widget=UnfoldAdminIntegerFieldWidget)
    scrapped = forms.IntegerField(label=_("Scrapped"), min_value=0, initial=0, widget=UnfoldAdminIntegerFieldWidget)


def decide(rows: Sequence[QualityHold], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Decide on each hold; a refused one keeps no other from being decided."""
    refused: dict[str, Sentence] = {}
    for row in rows:
        decision = quality.Decision(row.pk, told["released"], told["scrapped"])
        try:
            quality.decide([decision], actor=actor, at=at)
        except RowsRefused as error:
            refused[row.key] = error.rows[0].reason
    return Answer(say("Decided.") if len(refused) < len(rows) else None, refused)


def inspect(rows: Sequence[QualityHold], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Say what was found of returned units; a refused hold keeps no other from being inspected."""
    refused: dict[str, Sentence] = {}
    for row in rows:
        found = returns.Inspection(row.pk, told["good"], told["bad"], told["reason"], told["note"])
        try:
            returns.inspect([found], actor=actor, at=at)
        except RowsRefused as error:
            refused[row.key] = error.rows[0].reason
    return Answer(say("Inspected.") if len(refused) < len(rows) else None, refused)


def is_open(row: QualityHold) -> bool:
    """Return whether it waits for a decision."""
    return row.closed_at is None


def waits(row: QualityHold) -> bool:
    """Return whether it is returned goods that nobody has inspected yet."""
    return is_open(row) and row.reason_code == returns.WAITS


@admin.register(QualityHold)
class QualityHoldAdmin(LedgerAdmin):
    """Units that are on hand and promised to nobody."""

    list_select_related = ("sku", "node", "lot")
    list_display = ("item", "place", "units", "lot", "reason_code", "owner", "since", "until", "reference")
    list_filter = (
        filters.choice(_("node"), "node", choices.nodes),
        SkuFilter,
    )
    ordering = ("-opened_at", "-pk")
    fields = (
        "item", "place", "units", "lot", "reason_code", "note", "owner", "since", "until", "reference",
        "quantity_released", "quantity_scrapped", "closed",
    )  # fmt: skip
    readonly_fields = fields
    empty_hint = _("Nothing is held back.")
    verbs = (
        Verb("decide", _("Decide…"), decide, DecisionForm, icon="fact_check", is_offered=is_open),
        Verb("inspect", _("Inspect…"), inspect, InspectionForm, icon="search", is_offered=waits),
    )

    @admin.display(description=_("quantity"))
    def units(self, row: QualityHold) -> SafeString:
        """Show how many."""
        return columns.number(row.quantity)

    @admin.display(description=_("opened at"))
    def since(self, row: QualityHold) -> SafeString:
        """Show since when."""
        return columns.when(row.opened_at)

    @admin.display(description=_("to be decided by"))
    def until(self, row: QualityHold) -> SafeString:
        """Show how much time is left."""
        return columns.deadline(row.ends_at, is_open=row.closed_at is None)

    @admin.display(description=_("closed at"))
    def closed(self, row: QualityHold) -> SafeString:
        """Show when it was decided."""
        return columns.when(row.closed_at)
