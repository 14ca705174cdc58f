"""Parcels: what one node sends of one order."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models import Node, Sku
from orders.models.order import Order, OrderLine
from orders.statuses import FulfillmentStatus


class Fulfillment(models.Model):
    """One parcel of one order from one node."""

    number = models.CharField(_("parcel"), max_length=110, db_collation="C")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="fulfillments", verbose_name=_("order"))
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"), db_index=False)
    status = models.CharField(_("status"), max_length=10, choices=FulfillmentStatus, default=FulfillmentStatus.PLANNED)
    planned_at = models.DateTimeField(_("planned at"))
    release_after = models.DateTimeField(
        _("release after"), null=True, blank=True,
        help_text=_("Until then a better plan may move the parcel to another node."),
    )  # fmt: skip
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    packed_at = models.DateTimeField(_("packed at"), null=True, blank=True)
    shipped_at = models.DateTimeField(_("shipped at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    carrier_code = models.CharField(_("carrier"), max_length=20, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=60, blank=True, db_collation="C")
    # What the plan reckoned with; the truth comes with the carrier.
    planned_carrier = models.CharField(_("planned carrier"), max_length=20, blank=True, default="", db_default="")
    planned_cost = models.DecimalField(_("planned cost"), max_digits=10, decimal_places=2, null=True, blank=True)
    distance_km = models.FloatField(_("distance (km)"), null=True, blank=True)
    arrives_from = models.DateField(_("arrives from"), null=True, blank=True)
    arrives_until = models.DateField(_("arrives until"), null=True, blank=True)
    claim_by = models.DateTimeField(
        _("claim by"), null=True, blank=True, help_text=_("A node that has not begun by then loses the parcel.")
    )

    class Meta:
        verbose_name = _("fulfillment")
        verbose_name_plural = _("fulfillments")
        constraints = [models.UniqueConstraint(fields=["number"], name="a_parcel_number_is_unique")]
        indexes = [
            models.Index(fields=["node", "status", "-planned_at"], name="fulfillment_node_work"),
            models.Index(fields=["-planned_at", "-id"], name="fulfillment_newest"),
            models.Index(
                fields=["status", "-planned_at", "-id"],
                condition=Q(status__in=FulfillmentStatus.OPEN),
                name="fulfillment_open_work",
            ),
            models.Index(
                fields=["release_after"], condition=Q(status=FulfillmentStatus.PLANNED), name="fulfillment_to_release"
            ),
            models.Index(
                fields=["claim_by"],
                condition=Q(status=FulfillmentStatus.RELEASED, claim_by__isnull=False),
                name="fulfillment_to_claim",
            ),
            models.Index(fields=["tracking_number"], condition=~Q(tracking_number=""), name="fulfillment_tracking"),
        ]

    def __str__(self) -> str:
        return self.number


class FulfillmentLine(models.Model):
    """How many of which SKU are in a parcel; a bundle's parts each have their own."""

    fulfillment = models.ForeignKey(
        Fulfillment, on_delete=models.CASCADE, related_name="lines", verbose_name=_("fulfillment")
    )
    order_line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, verbose_name=_("order line"), db_index=False)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("parcel line")
        verbose_name_plural = _("parcel lines")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_parcel_line_has_a_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku_id}"
