"""Promises on stock that has not come yet."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.receipt import ExpectedLine
from inventory.models.share import SharePool
from inventory.models.sku import Sku
from inventory.models.transfer import TransferLine


class SupplyPromise(models.Model):
    """Units that somebody waits for and the supply that will bring them: an expected receipt, a transfer or a presale.

    With no supply at all the units wait for goods that nobody has announced, and there is no date.
    """

    reference = models.CharField(_("reference"), max_length=120, db_collation="C", help_text=_("Whom it is for."))
    line_number = models.PositiveSmallIntegerField(_("line"), default=0)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    quantity = models.IntegerField(_("quantity"))
    expected_line = models.ForeignKey(
        ExpectedLine, on_delete=models.PROTECT, null=True, blank=True, related_name="promises",
        verbose_name=_("expected line"),
    )  # fmt: skip
    transfer_line = models.ForeignKey(
        TransferLine, on_delete=models.PROTECT, null=True, blank=True, related_name="promises",
        verbose_name=_("transfer line"),
    )  # fmt: skip
    pool = models.ForeignKey(
        SharePool, on_delete=models.PROTECT, null=True, blank=True, related_name="promises", verbose_name=_("presale")
    )
    promised_date = models.DateField(_("promised for"), null=True, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("Higher is served first."))
    waiting_since_at = models.DateTimeField(_("waiting since"))
    promised_at = models.DateTimeField(_("promised at"))

    class Meta:
        verbose_name = _("promise on expected stock")
        verbose_name_plural = _("promises on expected stock")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_supply_promise_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(expected_line__isnull=True) | Q(transfer_line__isnull=True),
                name="a_supply_promise_has_one_supply",
            ),
        ]
        indexes = [
            models.Index(fields=["reference"], name="supply_promise_reference"),
            models.Index(fields=["sku", "-priority", "waiting_since_at"], name="supply_promise_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.quantity} × {self.sku_id}"
