"""Where a stored figure was not what it is made of."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.node import Node
from inventory.models.sku import Sku
from inventory.statuses import DifferenceCheck, DifferenceStatus


class StockDifference(models.Model):
    """One figure that did not add up when it was verified, and what a person did about it. Never deleted."""

    check_name = models.CharField(_("check"), max_length=12, choices=DifferenceCheck)
    subject = models.CharField(_("about"), max_length=110, help_text=_("The level, parcel or day, as people call it."))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, null=True, verbose_name=_("SKU"), related_name="+")
    node = models.ForeignKey(Node, on_delete=models.PROTECT, null=True, verbose_name=_("node"), related_name="+")
    day_date = models.DateField(_("day"), null=True)
    reference = models.CharField(_("parcel"), max_length=120, blank=True, db_collation="C")
    stored = models.IntegerField(_("stored"), help_text=_("What the hub worked with."))
    derived = models.IntegerField(_("derived"), help_text=_("What the rows behind it add up to."))
    status = models.CharField(_("status"), max_length=10, choices=DifferenceStatus, default=DifferenceStatus.OPEN)
    found_at = models.DateTimeField(_("found at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("stock difference")
        verbose_name_plural = _("stock differences")
        constraints = [
            models.UniqueConstraint(
                fields=["check_name", "subject"], condition=Q(status="open"), name="one_open_difference_per_figure"
            ),
            models.CheckConstraint(condition=~Q(stored=models.F("derived")), name="a_difference_differs"),
        ]
        indexes = [models.Index(fields=["status", "-found_at"], name="difference_queue")]

    def __str__(self) -> str:
        return f"{self.check_name} {self.subject}: {self.stored} ≠ {self.derived}"
