"""Stock files: uploading one, what became of each, its results row by row, and taking one back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from inventory.admin import upload
from inventory.admin.document import DocumentAdmin, Table
from inventory.models import StockImport, StockUpload
from inventory.services import stock_import, stock_results
from inventory.services.refusals import RowsRefused
from inventory.statuses import ImportStatus, UploadStatus

TONES = {"checked": "grey", "refused": "red", "applied": "green", "undone": "amber"}
SHOWN_UPLOADS = 5


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
class StockImportAdmin(DocumentAdmin):
    """One file per row."""

    change_list_template = "admin/inventory/imports.html"
    change_form_template = "admin/inventory/import.html"
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

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may upload stock files: the model's own add permission."""
        return request.user.has_perm("inventory.add_stockimport")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockImport]:
        """Leave the results, which may be large, where they are."""
        return super().get_queryset(request).defer("results")

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of uploads and downloads."""
        wrap = self.admin_site.admin_view
        views = (
            ("upload/<int:pk>/", upload.upload_page, "upload"),
            ("upload/<int:pk>/progress/", upload.progress, "progress"),
            ("<int:pk>/results/", upload.results, "results"),
            ("export/<slug:kind>/", upload.export, "export"),
        )
        own = [path(route, wrap(partial(view, self)), name=self._url_name(name)) for route, view, name in views]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a file and keep it for a worker."""
        return upload.new_page(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show above the list what is on its way or failed since yesterday."""
        unfinished = StockUpload.objects.exclude(status=UploadStatus.DONE).defer("content")
        recent = unfinished.filter(uploaded_at__gt=timezone.now() - timedelta(days=1))
        own = {"uploads": recent.order_by("-uploaded_at")[:SHOWN_UPLOADS]}
        return super().changelist_view(request, own | (extra_context or {}))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add where the results are."""
        row = context.get("original")
        context["results_url"] = reverse("admin:inventory_stockimport_results", args=[row.pk]) if row else ""
        return super().render_change_form(request, context, *args, **kwargs)

    def tables(self, row: StockImport) -> Sequence[Table]:
        """Show the first rows that were refused."""
        refused = stock_results.refused_rows(row) if row.rows_refused else []
        if not refused:
            return []
        heads = [(_("Row"), True), (_("SKU"), False), (_("Node"), False), (_("Refused because"), False)]
        rows = [[columns.number(one.row_number), one.sku, one.node, one.because] for one in refused]
        hint = _("The first of them; the result file has them all.") if len(rows) < row.rows_refused else ""
        return [Table(_("Refused rows"), heads, rows, hint)]

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
