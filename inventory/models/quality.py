"""Units that are on hand and may not be promised until somebody has looked at them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.node import Node
from inventory.models.sku import Sku


class QualityHold(models.Model):
    """Units kept back for a reason, in somebody's care. What is not decided at a closing goes on as a new hold."""

    key = models.CharField(_("key"), max_length=160, db_collation="C", help_text=_("The caller's idempotency key."))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"), db_index=False)
    lot = models.ForeignKey(
        "inventory.Lot", on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("lot"), db_index=False
    )
    quantity = models.IntegerField(_("quantity"))
    reason_code = models.CharField(_("reason"), max_length=30)
    note = models.CharField(_("note"), max_length=160, blank=True)
    owner = models.CharField(_("in the care of"), max_length=80)
    reference = models.CharField(_("reference"), max_length=120, blank=True, db_collation="C")
    opened_at = models.DateTimeField(_("opened at"))
    opened_by = models.CharField(_("opened by"), max_length=80)
    ends_at = models.DateTimeField(_("to be decided by"))
    quantity_released = models.IntegerField(_("good again"), default=0)
    quantity_scrapped = models.IntegerField(_("scrapped"), default=0)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("quality hold")
        verbose_name_plural = _("quality holds")
        constraints = [
            models.UniqueConstraint(fields=["key"], name="a_key_holds_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_quality_hold_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(quantity_released__gte=0)
                & Q(quantity_scrapped__gte=0)
                & Q(quantity__gte=models.F("quantity_released") + models.F("quantity_scrapped")),
                name="never_decide_on_more_than_is_held",
            ),
        ]
        indexes = [
            models.Index(fields=["sku", "node"], name="quality_hold_of_level"),
            models.Index(fields=["ends_at"], condition=Q(closed_at__isnull=True), name="quality_hold_open"),
        ]

    def __str__(self) -> str:
        return self.key
