"""What we have: balances, the ledger that explains them, and what is already promised."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.node import Node
from inventory.models.sku import Sku
from inventory.statuses import MovementKind, ReservationStatus


class StockLevel(models.Model):
    """The balance of one SKU at one node. Written by guarded updates only, never by ``save``."""

    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="levels", verbose_name=_("SKU"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="levels", verbose_name=_("node"))
    on_hand = models.IntegerField(_("on hand"), default=0)
    reserved = models.IntegerField(_("reserved"), default=0)
    safety_stock = models.PositiveIntegerField(
        _("safety stock"), default=0, help_text=_("Units that are never promised to an order.")
    )
    own_safety_stock = models.PositiveIntegerField(
        _("own safety stock"), default=0, db_default=0, help_text=_("Used where no safety stock rule fits.")
    )
    quality_hold = models.IntegerField(
        _("quality hold"), default=0, db_default=0, help_text=_("Units on hand that wait for a decision.")
    )

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        constraints = [
            models.UniqueConstraint(fields=["sku", "node"], name="one_level_per_sku_and_node"),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="on_hand_is_never_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="reserved_is_never_negative"),
            models.CheckConstraint(condition=Q(quality_hold__gte=0), name="quality_hold_is_never_negative"),
            models.CheckConstraint(
                condition=Q(on_hand__gte=F("reserved") + F("quality_hold")), name="never_reserve_more_than_on_hand"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku_id}@{self.node_id}: {self.on_hand} − {self.reserved}"

    @property
    def available(self) -> int:
        """Units that may still be promised."""
        return max(0, self.on_hand - self.reserved - self.quality_hold - self.safety_stock)


class Reservation(models.Model):
    """Units of one SKU at one node that are promised to one caller until shipped, released or expired."""

    key = models.CharField(_("key"), max_length=160, db_collation="C", help_text=_("The caller's idempotency key."))
    reference = models.CharField(_("reference"), max_length=120, db_collation="C", help_text=_("Whom it is for."))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"), db_index=False)
    quantity = models.IntegerField(_("quantity"))
    pool = models.ForeignKey(
        "inventory.SharePool", on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("from the share"),
        db_index=False,
    )  # fmt: skip
    status = models.CharField(_("status"), max_length=10, choices=ReservationStatus, default=ReservationStatus.ACTIVE)
    reserved_at = models.DateTimeField(_("reserved at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.UniqueConstraint(fields=["key"], name="a_key_reserves_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_reservation_has_a_quantity"),
        ]
        indexes = [
            models.Index(fields=["reference"], name="reservation_reference"),
            models.Index(fields=["sku", "node"], condition=Q(status="active"), name="reservation_active"),
            models.Index(fields=["pool"], condition=Q(pool__isnull=False), name="reservation_pool"),
            models.Index(
                fields=["expires_at"], condition=Q(status="active", expires_at__isnull=False), name="reservation_expiry"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class ReservationMove(models.Model):
    """A reservation went to another node: without this its past would be lost. Append-only."""

    reservation = models.ForeignKey(
        Reservation, on_delete=models.CASCADE, related_name="moves", verbose_name=_("reservation")
    )
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    from_node = models.ForeignKey(
        Node, on_delete=models.PROTECT, related_name="+", verbose_name=_("from"), db_index=False
    )
    to_node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="+", verbose_name=_("to"), db_index=False)
    moved_at = models.DateTimeField(_("moved at"))

    class Meta:
        verbose_name = _("move of a reservation")
        verbose_name_plural = _("moves of reservations")
        indexes = [models.Index(fields=["sku", "moved_at"], name="reservation_move_of_sku")]

    def __str__(self) -> str:
        return f"{self.reservation_id}: {self.from_node_id} → {self.to_node_id}"


class StockSignal(models.Model):
    """A SKU whose promise may have changed: written with the change, taken by whoever tells channels. Not proof."""

    sku = models.ForeignKey(Sku, on_delete=models.CASCADE, verbose_name=_("SKU"), db_index=False, db_constraint=False)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("stock signal")
        verbose_name_plural = _("stock signals")

    def __str__(self) -> str:
        return f"{self.sku_id} {self.changed_at}"


class StockMovement(models.Model):
    """One change of stock on hand, with its cause. Append-only: the balance is the sum of these."""

    key = models.CharField(_("key"), max_length=160, db_collation="C", help_text=_("The caller's idempotency key."))
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"), db_index=False)
    kind = models.CharField(_("kind"), max_length=14, choices=MovementKind)
    lot = models.ForeignKey(
        "inventory.Lot", on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("lot"), db_index=False
    )
    quantity = models.IntegerField(_("change"), help_text=_("Positive comes in, negative goes out."))
    reference = models.CharField(_("reference"), max_length=120, blank=True, db_collation="C")
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    actor = models.CharField(_("by"), max_length=80)
    moved_at = models.DateTimeField(_("moved at"))

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        constraints = [
            models.UniqueConstraint(fields=["key"], name="a_key_moves_stock_once"),
            models.CheckConstraint(condition=~Q(quantity=0), name="a_movement_moves_something"),
        ]
        indexes = [
            models.Index(fields=["sku", "node", "moved_at"], name="movement_of_level"),
            models.Index(fields=["moved_at"], name="movement_time"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="movement_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.quantity:+d} × {self.sku_id}@{self.node_id}"
