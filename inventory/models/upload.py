"""Stock files on their way to a worker."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from inventory.models.stock_import import StockImport
from inventory.statuses import UploadStatus


class StockUpload(models.Model):
    """One file that somebody uploaded. Its bytes lie here, where every worker finds them, until it was worked on."""

    key = models.CharField(_("key"), max_length=40, help_text=_("Made with the form: the same form counts once."))
    file_name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(_("content"), null=True)
    is_dry_run = models.BooleanField(_("only checked"))
    language = models.CharField(_("language"), max_length=10, help_text=_("In which the result of each row is told."))
    status = models.CharField(_("status"), max_length=10, choices=UploadStatus, default=UploadStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    why = SentenceField(verbose_name=_("why not"))
    result = models.ForeignKey(StockImport, on_delete=models.PROTECT, null=True, verbose_name=_("stock import"))
    uploaded_at = models.DateTimeField(_("uploaded at"))
    uploaded_by = models.CharField(_("uploaded by"), max_length=80)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("stock upload")
        verbose_name_plural = _("stock uploads")
        constraints = [
            models.UniqueConstraint(fields=["key"], name="an_upload_key_is_unique"),
            models.CheckConstraint(
                condition=Q(status="waiting", content__isnull=False) | ~Q(status="waiting") & Q(content__isnull=True),
                name="a_file_is_kept_only_while_it_waits",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="waiting"), name="uploads_waiting"),
            models.Index(fields=["-uploaded_at"], condition=~Q(status="done"), name="uploads_unfinished"),
        ]

    def __str__(self) -> str:
        return self.file_name
