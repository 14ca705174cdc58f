"""Stock on its way from one node to another."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.node import Node
from inventory.models.sku import Sku
from inventory.statuses import TransferStatus


class Transfer(models.Model):
    """One consignment between two nodes. Sending takes its units out of the source, receiving puts them in."""

    number = models.CharField(_("number"), max_length=40, db_collation="C")
    source = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="transfers_out", verbose_name=_("from"))
    destination = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="transfers_in", verbose_name=_("to"))
    status = models.CharField(_("status"), max_length=14, choices=TransferStatus, default=TransferStatus.DRAFT)
    note = models.CharField(_("note"), max_length=160, blank=True)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.CharField(_("created by"), max_length=80)
    arrives_date = models.DateField(_("arrives on"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.UniqueConstraint(fields=["number"], name="a_transfer_number_is_unique"),
            models.CheckConstraint(condition=~Q(source=F("destination")), name="a_transfer_goes_somewhere_else"),
        ]
        indexes = [models.Index(fields=["status", "-created_at"], name="transfer_queue")]

    def __str__(self) -> str:
        return self.number


class TransferLine(models.Model):
    """Units of one SKU in a transfer: what was asked, what left, what came, and what never will."""

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="lines", verbose_name=_("transfer"))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"))
    quantity = models.PositiveIntegerField(_("quantity"))
    quantity_sent = models.PositiveIntegerField(_("sent"), default=0)
    quantity_received = models.PositiveIntegerField(_("received"), default=0)
    quantity_lost = models.PositiveIntegerField(_("lost on the way"), default=0)

    class Meta:
        verbose_name = _("transfer line")
        verbose_name_plural = _("transfer lines")
        constraints = [
            models.UniqueConstraint(fields=["transfer", "sku"], name="a_transfer_names_a_sku_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_transfer_line_has_a_quantity"),
            models.CheckConstraint(condition=Q(quantity_sent__lte=F("quantity")), name="never_send_more_than_asked"),
            models.CheckConstraint(
                condition=Q(quantity_sent__gte=F("quantity_received") + F("quantity_lost")),
                name="never_receive_more_than_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku_id}"

    @property
    def in_transit(self) -> int:
        """Units that left and have neither come nor been given up."""
        return self.quantity_sent - self.quantity_received - self.quantity_lost
