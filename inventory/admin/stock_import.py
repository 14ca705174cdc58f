"""Stock files: what became of each, and taking one back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.models import StockImport
from inventory.services import stock_import
from inventory.services.refusals import RowsRefused
from inventory.statuses import ImportStatus

TONES = {"checked": "grey", "refused": "red", "applied": "green", "undone": "amber"}


def undo(rows: Sequence[StockImport], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Take imports back, the newest first; one that was used stays."""
    refused: dict[str, Sentence] = {}
    for row in sorted(rows, key=lambda row: -row.pk):
        try:
            stock_import.undo(row.pk, actor=actor, at=at)
        except RowsRefused as error:
            refused[row.file_name] = error.rows[0].reason
    return Answer(say("The import is taken back.") if len(refused) < len(rows) else None, refused)


def is_in_force(row: StockImport) -> bool:
    """Return whether it changed stock and was not taken back."""
    return row.status == ImportStatus.APPLIED


@admin.register(StockImport)
class StockImportAdmin(MachineAdmin):
    """One file per row."""

    list_display = (
        "file_name", "state", "rows_read", "rows_refused", "rows_changed", "units_added", "units_removed",
        "moment", "who",
    )  # fmt: skip
    list_filter = (filters.choice(_("status"), "status", lambda: ImportStatus.choices),)
    search_fields = ("file_name",)
    ordering = ("-imported_at", "-pk")
    sortable_by = ()
    fields = list_display
    readonly_fields = fields
    empty_hint = _("No stock file was imported yet.")
    verbs = (Verb("undo", _("Take back"), undo, icon="undo", is_grave=True, is_offered=is_in_force),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockImport]:
        """Leave the results, which may be large, where they are."""
        return super().get_queryset(request).defer("results")

    @admin.display(description=_("status"))
    def state(self, row: StockImport) -> SafeString:
        """Show what became of it."""
        return columns.label(row.get_status_display(), TONES[row.status])

    @admin.display(description=_("imported at"))
    def moment(self, row: StockImport) -> SafeString:
        """Show when."""
        return columns.when(row.imported_at)

    @admin.display(description=_("imported by"))
    def who(self, row: StockImport) -> str:
        """Show who brought it."""
        return columns.actor(row.imported_by)
