"""Which channel may sell how much: shares that people publish, and how much of each is used."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.models.sku import Category, Sku
from inventory.statuses import RuleStatus, ShareKind, ShareUnit


class ChannelShare(models.Model):
    """A part of some SKUs' stock that one channel gets, or at most gets, while it is live and inside its time.

    Of all shares of a channel that fit a SKU the narrowest wins: a SKU before a category before everything. A channel
    is a word here: inventory knows no channel's row.
    """

    channel = models.CharField(_("channel"), max_length=20, db_collation="C", help_text=_("The channel's code."))
    kind = models.CharField(_("kind"), max_length=10, choices=ShareKind)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("category"),
        help_text=_("Empty: all categories."),
    )  # fmt: skip
    sku = models.ForeignKey(
        Sku, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("SKU"), help_text=_("Empty: all SKUs.")
    )
    unit = models.CharField(_("counted in"), max_length=10, choices=ShareUnit, default=ShareUnit.UNITS)
    amount = models.DecimalField(
        _("amount"), max_digits=11, decimal_places=2,
        help_text=_("Units of each SKU through the whole time of the share, or per cent of what can be sold now."),
    )  # fmt: skip
    lend_percent = models.PositiveSmallIntegerField(
        _("lent (per cent)"), default=0, help_text=_("How much of the unused part other channels may borrow.")
    )
    ships_from_date = models.DateField(
        _("ships from"), null=True, blank=True, help_text=_("Presale: when its parcels are promised to leave.")
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=RuleStatus, default=RuleStatus.DRAFT)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by = models.CharField(_("published by"), max_length=80, blank=True)
    retired_at = models.DateTimeField(_("retired at"), null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("channel share")
        verbose_name_plural = _("channel shares")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="a_share_is_never_negative"),
            models.CheckConstraint(
                condition=~Q(unit="percent") | Q(amount__lte=Decimal(100)), name="a_share_is_at_most_a_hundred_percent"
            ),
            models.CheckConstraint(condition=Q(lend_percent__lte=100), name="nobody_lends_more_than_there_is"),
            models.CheckConstraint(
                condition=Q(category__isnull=True) | Q(sku__isnull=True), name="a_share_names_category_or_sku"
            ),
            models.CheckConstraint(
                condition=~Q(kind="presale")
                | (Q(sku__isnull=False) & Q(unit="units") & Q(ships_from_date__isnull=False)),
                name="a_presale_names_sku_units_and_date",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="a_share_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["status", "channel"], name="channel_share_status")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.get_kind_display()}"


class SharePool(models.Model):
    """A live share of one SKU and how much of it is used. Reserving a SKU that has pools locks all of them first."""

    share = models.ForeignKey(ChannelShare, on_delete=models.PROTECT, related_name="pools", verbose_name=_("share"))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    channel = models.CharField(_("channel"), max_length=20, db_collation="C")
    reserved = models.IntegerField(_("reserved"), default=0)
    sold = models.IntegerField(_("sold"), default=0, help_text=_("Left the house since the share began."))
    promised = models.IntegerField(_("promised ahead"), default=0, help_text=_("Sold before the stock has come."))
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("share of a SKU")
        verbose_name_plural = _("shares of SKUs")
        constraints = [
            models.UniqueConstraint(
                fields=["sku", "channel"], condition=Q(closed_at__isnull=True), name="a_channel_has_one_share_of_a_sku"
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & Q(sold__gte=0) & Q(promised__gte=0), name="a_share_use_is_never_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.sku_id}"


class PoolReplacement(models.Model):
    """A pool went on under another share: what it was before, without which its past would be lost. Append-only."""

    pool = models.ForeignKey(
        SharePool, on_delete=models.CASCADE, related_name="replacements", verbose_name=_("share of a SKU")
    )
    share = models.ForeignKey(
        ChannelShare, on_delete=models.PROTECT, related_name="+", verbose_name=_("share"), db_index=False
    )
    opened_at = models.DateTimeField(_("opened at"))
    replaced_at = models.DateTimeField(_("replaced at"))

    class Meta:
        verbose_name = _("replaced share of a SKU")
        verbose_name_plural = _("replaced shares of SKUs")

    def __str__(self) -> str:
        return f"{self.pool_id}: {self.share_id} … {self.replaced_at}"


class PresaleChange(models.Model):
    """Units that a presale promised to somebody at a moment, or took back (negative). Append-only.

    Promises themselves are deleted when the units are reserved; these add up to what a pool has promised at any time.
    """

    pool = models.ForeignKey(SharePool, on_delete=models.CASCADE, verbose_name=_("share of a SKU"), db_index=False)
    reference = models.CharField(_("reference"), max_length=120, db_collation="C", help_text=_("Whom it is for."))
    quantity = models.IntegerField(_("change"))
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("change of a presale")
        verbose_name_plural = _("changes of presales")
        constraints = [
            models.UniqueConstraint(fields=["pool", "reference", "changed_at"], name="a_presale_changes_once_a_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.quantity:+d}"
