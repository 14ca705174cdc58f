"""Counting what is really there, without knowing what should be."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.node import Node
from inventory.models.sku import Sku
from inventory.statuses import CountLineStatus, CountStatus


class StockCount(models.Model):
    """One blind count of some SKUs at a node, with the limits above which another person counts again."""

    number = models.CharField(_("number"), max_length=40, db_collation="C")
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"))
    status = models.CharField(_("status"), max_length=10, choices=CountStatus, default=CountStatus.OPEN)
    limit_percent = models.DecimalField(
        _("limit in per cent"), max_digits=5, decimal_places=2, default=Decimal(5),
        help_text=_("Above this share of the expected units another person counts again."),
    )  # fmt: skip
    limit_value = models.DecimalField(
        _("limit in money"), max_digits=12, decimal_places=2, default=Decimal(500),
        help_text=_("Above this value at cost another person counts again."),
    )  # fmt: skip
    opened_at = models.DateTimeField(_("opened at"))
    opened_by = models.CharField(_("opened by"), max_length=80)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("stock count")
        verbose_name_plural = _("stock counts")
        constraints = [models.UniqueConstraint(fields=["number"], name="a_count_number_is_unique")]
        indexes = [models.Index(fields=["status", "-opened_at"], name="count_queue")]

    def __str__(self) -> str:
        return self.number


class CountLine(models.Model):
    """One SKU of a count. ``expected`` is what the hub had on hand at the moment of counting, kept from the counter."""

    count = models.ForeignKey(StockCount, on_delete=models.CASCADE, related_name="lines", verbose_name=_("stock count"))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"))
    rank = models.PositiveIntegerField(_("rank"), default=0)
    value_at_risk = models.DecimalField(_("value at risk"), max_digits=16, decimal_places=2, default=Decimal(0))
    status = models.CharField(_("status"), max_length=10, choices=CountLineStatus, default=CountLineStatus.OPEN)
    expected = models.IntegerField(_("expected"), null=True, blank=True)
    counted = models.IntegerField(_("counted"), null=True, blank=True)
    counted_by = models.CharField(_("counted by"), max_length=80, blank=True)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)
    first_expected = models.IntegerField(_("expected the first time"), null=True, blank=True)
    first_counted = models.IntegerField(_("counted the first time"), null=True, blank=True)
    first_counted_by = models.CharField(_("counted the first time by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("count line")
        verbose_name_plural = _("count lines")
        constraints = [
            models.UniqueConstraint(fields=["count", "sku"], name="a_count_names_a_sku_once"),
            models.CheckConstraint(
                condition=Q(counted__isnull=True) | Q(counted__gte=0), name="nobody_counts_less_than_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count_id}: {self.sku_id}"

    @property
    def variance(self) -> int | None:
        """Units that are there beyond (or, negative, short of) what the hub thought; None before counting."""
        if self.counted is None or self.expected is None:
            return None
        return self.counted - self.expected
