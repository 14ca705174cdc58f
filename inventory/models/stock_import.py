"""Files of stock that people brought in."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.statuses import ImportStatus


class StockImport(models.Model):
    """One file: who brought it, what became of it, and the result of each of its rows."""

    file_name = models.CharField(_("file"), max_length=200)
    status = models.CharField(_("status"), max_length=10, choices=ImportStatus)
    rows_read = models.PositiveIntegerField(_("rows"), default=0)
    rows_refused = models.PositiveIntegerField(_("refused rows"), default=0)
    rows_changed = models.PositiveIntegerField(_("changed levels"), default=0)
    units_added = models.BigIntegerField(_("units added"), default=0)
    units_removed = models.BigIntegerField(_("units removed"), default=0)
    results = models.BinaryField(_("results"), null=True, help_text=_("The result of each row, as a gzipped CSV file."))
    imported_at = models.DateTimeField(_("imported at"))
    imported_by = models.CharField(_("imported by"), max_length=80)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.CharField(_("undone by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("stock import")
        verbose_name_plural = _("stock imports")
        indexes = [models.Index(fields=["-imported_at", "-id"], name="stock_import_newest")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def reference(self) -> str:
        """What its movements carry as their reference."""
        return f"stock-import-{self.pk}"
