"""Parts of the business that people may be answerable for alone."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from promotions.statuses import ScopeKind


class Scope(models.Model):
    """A brand, a channel or a region; rights in it are granted on its row (django-guardian), to people and groups."""

    kind = models.CharField(_("kind"), max_length=10, choices=ScopeKind)
    code = models.CharField(
        _("code"), max_length=60, db_collation="C",
        help_text=_("The brand, the channel's code, or a province or area (31, east)."),
    )  # fmt: skip
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("field of promotions")
        verbose_name_plural = _("fields of promotions")
        permissions = [
            ("write_in_scope", "Can write promotions of this field"),
            ("approve_in_scope", "Can approve promotions of this field"),
            ("stop_in_scope", "Can stop promotions of this field"),
        ]
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="a_scope_stands_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.code}"
