"""Why people change stock, in words that can be counted."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.statuses import ReasonDirection, ReasonUse


class ReasonCode(models.Model):
    """One reason that people may choose when they change stock by hand."""

    code = models.CharField(_("code"), max_length=30)
    use = models.CharField(_("used for"), max_length=12, choices=ReasonUse)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    direction = models.CharField(_("direction"), max_length=6, choices=ReasonDirection, default=ReasonDirection.EITHER)
    needs_note = models.BooleanField(_("needs a note"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("reason code")
        verbose_name_plural = _("reason codes")
        constraints = [models.UniqueConstraint(fields=["use", "code"], name="a_reason_code_stands_once_per_use")]

    def __str__(self) -> str:
        return self.code
