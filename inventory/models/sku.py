"""What is sold."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.statuses import Capability, SkuKind


class Category(models.Model):
    """A group of SKUs that planners and marketers speak of."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class Sku(models.Model):
    """One thing that can be sold, with its own stock; a bundle has parts instead."""

    code = models.CharField(_("SKU"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=160)
    name_en = models.CharField(_("English name"), max_length=160, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=SkuKind, default=SkuKind.SINGLE)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, verbose_name=_("category"))
    brand = models.CharField(_("brand"), max_length=60, blank=True)
    barcode = models.CharField(_("barcode"), max_length=32, blank=True, db_index=True)
    list_price = models.DecimalField(_("list price"), max_digits=12, decimal_places=2, default=Decimal(0))
    unit_cost = models.DecimalField(_("unit cost"), max_digits=12, decimal_places=2, default=Decimal(0))
    weight_g = models.PositiveIntegerField(_("weight (g)"), default=500)
    needs = ArrayField(
        models.CharField(max_length=12, choices=Capability), default=list, db_default=[], blank=True,
        verbose_name=_("needs"), help_text=_("What a node must be able to, to send it."),
    )  # fmt: skip
    not_to = ArrayField(
        models.CharField(max_length=6), default=list, db_default=[], blank=True, verbose_name=_("not to"),
        help_text=_("Province or country codes it must not be sent to."),
    )  # fmt: skip
    tracks_lots = models.BooleanField(
        _("has lots"),
        default=False,
        db_default=False,
        help_text=_("Goods with an expiry date: first expired, first out."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("SKU")
        verbose_name_plural = _("SKUs")
        constraints = [
            models.CheckConstraint(condition=models.Q(list_price__gte=0), name="a_price_is_never_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class BundlePart(models.Model):
    """How many of which part one bundle is made of."""

    bundle = models.ForeignKey(Sku, on_delete=models.CASCADE, related_name="parts", verbose_name=_("bundle"))
    part = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="part_of", verbose_name=_("part"))
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("bundle part")
        verbose_name_plural = _("bundle parts")
        constraints = [
            models.UniqueConstraint(fields=["bundle", "part"], name="a_part_stands_once_in_a_bundle"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="a_bundle_part_has_a_quantity"),
            models.CheckConstraint(condition=~models.Q(bundle=models.F("part")), name="a_bundle_is_no_part_of_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.bundle_id} = {self.quantity} × {self.part_id}"
