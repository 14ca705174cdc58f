"""Work on many rows at once: what was chosen, how far it is, and what became of each row."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from audit.statuses import BulkItemStatus, BulkStatus


class BulkJob(models.Model):
    """One deed for many rows. Which rows is frozen when it is asked for; later rows are not touched."""

    deed = models.CharField(_("deed"), max_length=60, db_collation="C", help_text=_("By its name in the registry."))
    values = models.JSONField(_("values"), default=dict, blank=True)
    scope = models.CharField(
        _("chosen by"), max_length=2000, blank=True, help_text=_("The filters of the list, as its address has them.")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    is_dry_run = models.BooleanField(_("dry run"), default=False)
    status = models.CharField(_("status"), max_length=10, choices=BulkStatus, default=BulkStatus.WAITING)
    items_total = models.PositiveIntegerField(_("rows"), default=0)
    items_done = models.PositiveIntegerField(_("done"), default=0)
    items_refused = models.PositiveIntegerField(_("refused"), default=0)
    items_failed = models.PositiveIntegerField(_("failed"), default=0)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    undo_until = models.DateTimeField(_("can be undone until"), null=True, blank=True)
    undoes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by", verbose_name=_("undoes")
    )

    class Meta:
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")
        constraints = [
            models.UniqueConstraint(
                fields=["undoes"], condition=Q(undoes__isnull=False) & ~Q(status="stopped"), name="a_job_is_undone_once"
            ),
        ]
        indexes = [
            models.Index(fields=["-asked_at", "-id"], name="bulk_job_newest"),
            models.Index(fields=["id"], condition=Q(status__in=("waiting", "running")), name="bulk_job_open"),
        ]

    def __str__(self) -> str:
        return f"{self.deed} × {self.items_total}"


class BulkItem(models.Model):
    """One row of a bulk job and what became of it."""

    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="items", verbose_name=_("bulk job"))
    object_id = models.BigIntegerField(_("row"))
    label = models.CharField(_("about"), max_length=110, blank=True, db_collation="C")
    status = models.CharField(_("status"), max_length=10, choices=BulkItemStatus, default=BulkItemStatus.WAITING)
    reason = SentenceField(verbose_name=_("reason"))
    before = models.JSONField(_("before"), default=dict, db_default={}, help_text=_("What undoing needs."))

    class Meta:
        verbose_name = _("row of a bulk job")
        verbose_name_plural = _("rows of bulk jobs")
        constraints = [models.UniqueConstraint(fields=["job", "object_id"], name="a_row_is_in_a_job_once")]
        indexes = [models.Index(fields=["job", "status", "id"], name="bulk_item_status")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.label}"
