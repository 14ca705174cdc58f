"""Why an order costs what it costs, and what a promotion would have done to past orders."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from orders.models.order import Order
from orders.statuses import BacktestStatus


class OrderPricing(models.Model):
    """One pricing of an order: the versions it was priced with, and what every rule said. Append-only.

    The newest row is the one that holds. ``versions`` pins them: pricing the order again with them gives the same.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="pricings", verbose_name=_("order"))
    versions = models.JSONField(_("versions"), default=list, help_text=_("Pairs of promotion code and version."))
    verdicts = models.JSONField(_("verdicts"), default=list, help_text=_("What every rule said, and why."))
    amount = models.DecimalField(_("off by our promotions"), max_digits=14, decimal_places=2)
    is_exact = models.BooleanField(_("best of all combinations"), default=True)
    buyer_facts = models.JSONField(
        _("buyer then"), default=dict, db_default={},
        help_text=_("What was known of the buyer when the order was priced first: tier, segments, orders before."),
    )  # fmt: skip
    priced_at = models.DateTimeField(_("priced at"))

    class Meta:
        verbose_name = _("pricing of an order")
        verbose_name_plural = _("pricings of orders")

    def __str__(self) -> str:
        return f"{self.order_id}: {self.amount}"


class Backtest(models.Model):
    """A version of a promotion tried on past orders: what they would have got, against what is live."""

    promotion_code = models.CharField(_("promotion"), max_length=40, db_collation="C")
    version_number = models.PositiveIntegerField(_("version"))
    starts_at = models.DateTimeField(_("orders from"))
    ends_at = models.DateTimeField(_("orders until"))
    status = models.CharField(_("status"), max_length=10, choices=BacktestStatus, default=BacktestStatus.WAITING)
    orders_total = models.PositiveIntegerField(_("orders"), default=0)
    orders_done = models.PositiveIntegerField(_("orders done"), default=0)
    result = models.JSONField(_("result"), default=dict)
    why = SentenceField(verbose_name=_("why not"))
    asked_by = models.CharField(_("asked by"), max_length=80)
    asked_at = models.DateTimeField(_("asked at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("back-test")
        verbose_name_plural = _("back-tests")
        indexes = [models.Index(fields=["promotion_code", "-asked_at"], name="backtest_of_promotion")]

    def __str__(self) -> str:
        return f"{self.promotion_code}/{self.version_number}"
