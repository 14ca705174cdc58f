"""Stock that comes from outside: what is expected, and what really came."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.node import Node
from inventory.models.sku import Sku
from inventory.statuses import ExpectedStatus


class ExpectedReceipt(models.Model):
    """One delivery that a supplier has promised to a node, e.g. a purchase order."""

    number = models.CharField(_("number"), max_length=40, db_collation="C")
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"))
    supplier = models.CharField(_("supplier"), max_length=80, blank=True)
    status = models.CharField(_("status"), max_length=14, choices=ExpectedStatus, default=ExpectedStatus.OPEN)
    due_date = models.DateField(_("due on"))
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("expected receipt")
        verbose_name_plural = _("expected receipts")
        constraints = [models.UniqueConstraint(fields=["number"], name="an_expected_receipt_number_is_unique")]
        indexes = [models.Index(fields=["status", "due_date"], name="expected_queue")]

    def __str__(self) -> str:
        return self.number


class ExpectedLine(models.Model):
    """Units of one SKU in an expected receipt, and how many of them have come."""

    expected = models.ForeignKey(
        ExpectedReceipt, on_delete=models.CASCADE, related_name="lines", verbose_name=_("expected receipt")
    )
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"))
    quantity = models.PositiveIntegerField(_("quantity"))
    quantity_received = models.PositiveIntegerField(_("received"), default=0)

    class Meta:
        verbose_name = _("expected line")
        verbose_name_plural = _("expected lines")
        constraints = [
            models.UniqueConstraint(fields=["expected", "sku"], name="an_expected_receipt_names_a_sku_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="an_expected_line_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(quantity_received__lte=F("quantity")), name="never_receive_more_than_expected"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku_id}"


class Receipt(models.Model):
    """One arrival of goods at a node, against an expected receipt or without one. Append-only."""

    number = models.CharField(_("number"), max_length=60, db_collation="C")
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"))
    expected = models.ForeignKey(
        ExpectedReceipt,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="receipts",
        verbose_name=_("expected receipt"),
    )
    received_at = models.DateTimeField(_("received at"))
    received_by = models.CharField(_("received by"), max_length=80)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [models.UniqueConstraint(fields=["number"], name="a_receipt_number_is_unique")]
        indexes = [models.Index(fields=["-received_at", "-id"], name="receipt_newest")]

    def __str__(self) -> str:
        return self.number


class ReceiptLine(models.Model):
    """What came of one SKU; damaged units are on hand too, under a quality hold."""

    receipt = models.ForeignKey(Receipt, on_delete=models.CASCADE, related_name="lines", verbose_name=_("receipt"))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"))
    quantity_expected = models.PositiveIntegerField(_("expected"), null=True)
    quantity_received = models.PositiveIntegerField(_("received"))
    lot_code = models.CharField(_("lot"), max_length=40, blank=True, db_collation="C")
    expires_date = models.DateField(_("expires on"), null=True, blank=True)
    quantity_damaged = models.PositiveIntegerField(_("damaged"), default=0)
    reason_code = models.CharField(_("reason of the discrepancy"), max_length=30, blank=True)
    note = models.CharField(_("note"), max_length=160, blank=True)

    class Meta:
        verbose_name = _("receipt line")
        verbose_name_plural = _("receipt lines")
        constraints = [
            models.UniqueConstraint(fields=["receipt", "sku", "lot_code"], name="a_receipt_names_a_lot_once"),
            models.CheckConstraint(
                condition=Q(quantity_damaged__lte=F("quantity_received")), name="never_more_damaged_than_received"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity_received} × {self.sku_id}"
