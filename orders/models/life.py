"""What happens to an order on its way: holds, events, returns."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from channels.models import Channel
from inventory.models import Node, Sku
from orders.models.fulfillment import Fulfillment
from orders.models.order import Order, OrderLine
from orders.statuses import EventKind, HoldKind, OversellCause, RefundStatus, ReturnStatus, ScanState


class Hold(models.Model):
    """A reason why an order may not go on, open until somebody or something lifts it."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="holds", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=20, choices=HoldKind)
    reason = SentenceField(verbose_name=_("reason"))
    opened_at = models.DateTimeField(_("opened at"))
    opened_by = models.CharField(_("opened by"), max_length=80)
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.CharField(_("lifted by"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"], condition=Q(lifted_at__isnull=True), name="one_open_hold_per_order_and_kind"
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "-opened_at"], condition=Q(lifted_at__isnull=True), name="hold_open"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.kind}"


class OrderEvent(models.Model):
    """One thing that happened to an order. Append-only: this is its timeline."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=20, choices=EventKind)
    happened_at = models.DateTimeField(_("happened at"))
    actor = models.CharField(_("by"), max_length=80)
    detail = SentenceField(verbose_name=_("detail"))

    class Meta:
        verbose_name = _("order event")
        verbose_name_plural = _("order events")

    def __str__(self) -> str:
        return f"{self.order_id}: {self.kind}"


class Return(models.Model):
    """Goods of one line on their way back, and the money for them."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="returns", verbose_name=_("order"))
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, verbose_name=_("order line"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("node"))
    status = models.CharField(_("status"), max_length=10, choices=ReturnStatus, default=ReturnStatus.REQUESTED)
    quantity = models.PositiveIntegerField(_("quantity"))
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    refund_amount = models.DecimalField(_("refund"), max_digits=14, decimal_places=2, default=Decimal(0))
    requested_at = models.DateTimeField(_("requested at"))
    received_at = models.DateTimeField(_("received at"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("refunded at"), null=True, blank=True)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_return_has_a_quantity"),
        ]
        indexes = [models.Index(fields=["-requested_at", "-id"], name="return_newest")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.quantity}"


class Oversell(models.Model):
    """An accepted order line whose stock was not there, and why. Append-only; the oversell table counts these."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="oversells", verbose_name=_("order"))
    line_number = models.PositiveSmallIntegerField(_("line"))
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, verbose_name=_("channel"), db_index=False)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    quantity = models.PositiveIntegerField(_("units"))
    cause = models.CharField(_("cause"), max_length=12, choices=OversellCause)
    told_quantity = models.IntegerField(_("the channel had been told"), null=True, blank=True)
    told_at = models.DateTimeField(_("told at"), null=True, blank=True)
    stock_fell_at = models.DateTimeField(_("our stock fell at"), null=True, blank=True)
    found_at = models.DateTimeField(_("found at"))

    class Meta:
        verbose_name = _("oversell")
        verbose_name_plural = _("oversells")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "line_number", "cause"], name="a_line_is_oversold_once_by_a_cause"
            ),
        ]
        indexes = [models.Index(fields=["channel", "-found_at"], name="oversell_of_channel")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_number}: {self.quantity}"


class Refund(models.Model):
    """A refund as its channel tells it: while it is open nothing of the order ships."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="refunds", verbose_name=_("order"))
    external_id = models.CharField(_("channel's refund"), max_length=80, db_collation="C")
    revision = models.BigIntegerField(_("revision"), default=0)
    status = models.CharField(_("status"), max_length=10, choices=RefundStatus)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    lines = models.JSONField(
        _("lines"), default=list, blank=True, help_text=_("Line and units; empty: the whole order.")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    goods_come_back = models.BooleanField(_("goods come back"), default=False)
    asked_at = models.DateTimeField(_("asked at"), null=True, blank=True)
    received_at = models.DateTimeField(_("received at"))
    refunded_at = models.DateTimeField(_("refunded at"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.UniqueConstraint(fields=["order", "external_id"], name="a_refund_exists_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="a_refund_is_never_negative"),
        ]
        indexes = [models.Index(fields=["-received_at", "-id"], name="refund_newest")]

    def __str__(self) -> str:
        return self.external_id


class ParcelScan(models.Model):
    """One thing that happened to a parcel on its way, as its carrier told it. Append-only."""

    fulfillment = models.ForeignKey(
        Fulfillment, on_delete=models.CASCADE, related_name="scans", verbose_name=_("parcel"), db_index=False
    )
    scanned_at = models.DateTimeField(_("scanned at"))
    state = models.CharField(_("state"), max_length=20, choices=ScanState)
    text = models.CharField(_("carrier's words"), max_length=300, blank=True)
    place = models.CharField(_("place"), max_length=80, blank=True)
    told_at = models.DateTimeField(_("told at"))

    class Meta:
        verbose_name = _("parcel scan")
        verbose_name_plural = _("parcel scans")
        constraints = [
            models.UniqueConstraint(fields=["fulfillment", "scanned_at", "state", "text"], name="a_scan_counts_once"),
        ]

    def __str__(self) -> str:
        return f"{self.fulfillment_id}: {self.state}"
