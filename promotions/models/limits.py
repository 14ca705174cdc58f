"""Scarce numbers of promotions: coupons, uses, budgets, and what each order took of them."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from promotions.models.promotion import Promotion
from promotions.statuses import RedemptionStatus


class CouponBatch(models.Model):
    """Coupons that were made together."""

    promotion = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, related_name="coupon_batches", verbose_name=_("promotion")
    )
    name = models.CharField(_("name"), max_length=80)
    size = models.PositiveIntegerField(_("coupons"))
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)

    class Meta:
        verbose_name = _("batch of coupons")
        verbose_name_plural = _("batches of coupons")

    def __str__(self) -> str:
        return self.name


class Coupon(models.Model):
    """A code that a buyer gives: once, so many times, or without a limit; ``taken`` counts reserved and used ones."""

    code = models.CharField(_("code"), max_length=40, unique=True, db_collation="C", help_text=_("Upper case."))
    promotion = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, related_name="coupons", verbose_name=_("promotion")
    )
    batch = models.ForeignKey(
        CouponBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="coupons", verbose_name=_("batch")
    )
    most_uses = models.PositiveIntegerField(_("most uses"), null=True, blank=True, help_text=_("Empty: no limit."))
    taken = models.PositiveIntegerField(_("taken"), default=0)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.CheckConstraint(
                condition=Q(most_uses__isnull=True) | Q(taken__lte=F("most_uses")), name="a_coupon_is_never_overused"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Allowance(models.Model):
    """How much of a promotion's limits is taken: of all buyers together (empty ``buyer``), or of one buyer.

    Changed by guarded UPDATEs in the order of the primary keys only; the ledger beside it are the redemptions.
    """

    promotion = models.ForeignKey(
        Promotion, on_delete=models.CASCADE, related_name="allowances", verbose_name=_("promotion"), db_index=False
    )
    buyer = models.CharField(
        _("buyer"), max_length=110, blank=True, db_collation="C", help_text=_("Channel and the channel's key.")
    )
    most_uses = models.PositiveIntegerField(_("most uses"), null=True, blank=True)
    uses = models.PositiveIntegerField(_("uses"), default=0)
    budget = models.DecimalField(_("budget"), max_digits=14, decimal_places=2, null=True, blank=True)
    amount = models.DecimalField(_("amount taken"), max_digits=14, decimal_places=2, default=Decimal(0))

    PERSONAL_DATA = ("buyer",)

    class Meta:
        verbose_name = _("allowance of a promotion")
        verbose_name_plural = _("allowances of promotions")
        constraints = [
            models.UniqueConstraint(fields=["promotion", "buyer"], name="a_buyer_has_one_allowance"),
            models.CheckConstraint(
                condition=Q(most_uses__isnull=True) | Q(uses__lte=F("most_uses")), name="uses_stay_within_the_limit"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0) & (Q(budget__isnull=True) | Q(amount__lte=F("budget"))),
                name="a_budget_is_never_overdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id}/{self.buyer}"


class Redemption(models.Model):
    """What one order took of one promotion: reserved with its price, committed when paid, given back when cancelled."""

    promotion = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, related_name="redemptions", verbose_name=_("promotion"), db_index=False
    )
    version_number = models.PositiveIntegerField(_("version"))
    reference = models.CharField(_("order"), max_length=102, db_collation="C", help_text=_("The order's number."))
    channel = models.CharField(_("channel"), max_length=20, db_collation="C")
    buyer = models.CharField(_("buyer"), max_length=110, blank=True, db_collation="C")
    coupon = models.ForeignKey(
        Coupon, on_delete=models.PROTECT, null=True, blank=True, related_name="redemptions", verbose_name=_("coupon")
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    status = models.CharField(_("status"), max_length=10, choices=RedemptionStatus, default=RedemptionStatus.RESERVED)
    taken_at = models.DateTimeField(_("taken at"))
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    PERSONAL_DATA = ("buyer",)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "promotion"],
                condition=Q(status__in=RedemptionStatus.TAKEN),
                name="an_order_takes_a_promotion_once",
            ),
        ]
        indexes = [
            models.Index(fields=["promotion", "-taken_at"], name="redemption_of_promotion"),
            models.Index(fields=["promotion", "buyer"], condition=~Q(buyer=""), name="redemption_of_buyer"),
            models.Index(fields=["promotion"], condition=Q(status="reserved"), name="redemption_reserved"),
            models.Index(fields=["reference"], name="redemption_of_order"),
            models.Index(fields=["-taken_at", "-id"], name="redemption_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id}: {self.reference}"
