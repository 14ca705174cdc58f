"""Uploading a stock file and watching it, and what can be downloaded: results and the whole stock."""

import tempfile
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from audit.admin.columns import sentence
from inventory.admin.document import DocumentAdmin, acting
from inventory.admin.lines import refuse
from inventory.admin.upload_forms import UploadForm
from inventory.models import StockImport, StockUpload
from inventory.services import stock_export, stock_results, uploads
from inventory.services.refusals import RowsRefused
from inventory.statuses import UploadStatus

MAY_SEE_STOCK = "inventory.view_stocklevel"
KINDS = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def new_page(page: DocumentAdmin, request: HttpRequest) -> HttpResponse:
    """Ask for a file, and keep it for a worker."""
    if not page.has_add_permission(request):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            kept = _keep(request, form.cleaned_data)
            return HttpResponseRedirect(_url("upload", kept.pk))
        except RowsRefused as error:
            refuse(error, form, ())
    return page.show_page(request, "admin/inventory/upload.html", _("Stock file"), form=form, media=form.media)


def upload_page(page: DocumentAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a file is; one that was worked on leads to what became of it."""
    found = _upload(page, request, pk)
    if found.status == UploadStatus.DONE:
        return HttpResponseRedirect(_url("change", found.result_id))
    context = {"upload": found, "why": sentence(found.why), "progress_url": _url("progress", pk), "media": ""}
    return page.show_page(request, "admin/inventory/uploading.html", _("Stock file"), told=_told(found), **context)


def progress(page: DocumentAdmin, request: HttpRequest, pk: int) -> JsonResponse:
    """Return how far a file is, for the bar of its page."""
    return JsonResponse(_told(_upload(page, request, pk)))


def results(page: DocumentAdmin, request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Return the result of each row as a CSV file in the reader's language, unpacked while it is sent."""
    _require_view(page, request)
    row = get_object_or_404(StockImport, pk=pk)
    name = f"{Path(row.file_name).stem or 'stock'}.results.csv"
    answer = StreamingHttpResponse(stock_results.as_csv(row), content_type=KINDS["csv"])
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return answer


def export(page: DocumentAdmin, request: HttpRequest, kind: str) -> FileResponse:
    """Return every stock level as a file that can be corrected and imported again.

    It is written aside first: a slow reader must not keep a query of the database open.
    """
    if kind not in KINDS:
        raise Http404
    if not request.user.has_perm(MAY_SEE_STOCK):
        raise PermissionDenied
    file = tempfile.NamedTemporaryFile(suffix=f".{kind}")  # noqa: SIM115 - the answer closes it when it is sent
    with transaction.atomic():
        stock_export.write(Path(file.name))
    file.seek(0)
    name = f"stock-{timezone.localtime():%Y%m%d-%H%M}.{kind}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=KINDS[kind])


def _keep(request: HttpRequest, told: dict[str, Any]) -> StockUpload:
    asked = StockUpload(
        key=told["key"],
        file_name=told["file"].name,
        is_dry_run=told["mode"] == "check",
        language=(get_language() or "en")[:10],
    )
    return uploads.keep(asked, content=told["file"].read(), actor=acting(request), at=timezone.now())


def _upload(page: DocumentAdmin, request: HttpRequest, pk: int) -> StockUpload:
    _require_view(page, request)
    return get_object_or_404(StockUpload.objects.defer("content"), pk=pk)


def _require_view(page: DocumentAdmin, request: HttpRequest) -> None:
    if not page.has_view_permission(request):
        raise PermissionDenied


def _told(upload: StockUpload) -> dict[str, Any]:
    """Return how far an upload is: its state, rows read of all, and the same in words."""
    read, rows = uploads.progress(upload) if upload.status == UploadStatus.WAITING else uploads.Progress()
    return {"state": upload.status, "read": read, "rows": rows, "words": _words(upload, read, rows)}


def _words(upload: StockUpload, read: int, rows: int) -> str:
    if upload.status != UploadStatus.WAITING:
        return upload.get_status_display()
    if not rows:
        return gettext("Waits for a worker …")
    if read < rows:
        return gettext("%(read)s of %(rows)s rows are read.") % {"read": f"{read:,}", "rows": f"{rows:,}"}
    return gettext("All %(rows)s rows are read; they are compared with stock.") % {"rows": f"{rows:,}"}


def _url(name: str, pk: int | None) -> str:
    return reverse(f"admin:inventory_stockimport_{name}", args=[pk])
