"""Goods with a date: which lots there are, where they lie, and which of them are promised."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.models.node import Node
from inventory.models.sku import Category, Sku


class Lot(models.Model):
    """Units of one SKU that were made together and expire together. An empty code stands for goods nobody labelled."""

    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="lots", verbose_name=_("SKU"), db_index=False)
    code = models.CharField(_("lot"), max_length=40, blank=True, db_collation="C")
    expires_date = models.DateField(_("expires on"), null=True, blank=True, help_text=_("The last day it may be used."))
    made_date = models.DateField(_("made on"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [
            models.UniqueConstraint(fields=["sku", "code"], name="a_lot_code_is_unique_in_its_sku"),
            models.CheckConstraint(
                condition=Q(made_date__isnull=True)
                | Q(expires_date__isnull=True)
                | Q(expires_date__gte=F("made_date")),
                name="a_lot_expires_after_it_was_made",
            ),
        ]
        indexes = [models.Index(fields=["expires_date"], name="lot_expiry")]

    def __str__(self) -> str:
        return self.code or "–"


class LotLevel(models.Model):
    """The part of a level that belongs to one lot. A level's lots add up to the level: on hand, reserved and held."""

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="levels", verbose_name=_("lot"), db_index=False)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, verbose_name=_("SKU"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.PROTECT, verbose_name=_("node"), db_index=False)
    on_hand = models.IntegerField(_("on hand"), default=0)
    reserved = models.IntegerField(_("reserved"), default=0)
    quality_hold = models.IntegerField(_("quality hold"), default=0)

    class Meta:
        verbose_name = _("stock of a lot")
        verbose_name_plural = _("stock of lots")
        constraints = [
            models.UniqueConstraint(fields=["lot", "node"], name="one_lot_level_per_lot_and_node"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0)
                & Q(quality_hold__gte=0)
                & Q(on_hand__gte=F("reserved") + F("quality_hold")),
                name="never_reserve_more_than_a_lot_has",
            ),
        ]
        indexes = [models.Index(fields=["sku", "node"], name="lot_level_of_level")]

    def __str__(self) -> str:
        return f"{self.lot_id}@{self.node_id}: {self.on_hand} − {self.reserved}"


class ReservationLot(models.Model):
    """Which lots a reservation will take: first expired, first out."""

    reservation = models.ForeignKey(
        "inventory.Reservation", on_delete=models.CASCADE, related_name="lots", verbose_name=_("reservation")
    )
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, verbose_name=_("lot"))
    quantity = models.IntegerField(_("quantity"))

    class Meta:
        verbose_name = _("lot of a reservation")
        verbose_name_plural = _("lots of reservations")
        constraints = [
            models.UniqueConstraint(fields=["reservation", "lot"], name="a_reservation_names_a_lot_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="a_reserved_lot_has_a_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.lot_id}"


class RemainingLife(models.Model):
    """How many days goods must still have when a channel's order is promised: narrower rules win."""

    channel = models.CharField(
        _("channel"),
        max_length=20,
        blank=True,
        db_collation="C",
        help_text=_("The channel's code; empty: all channels."),
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("category"),
        help_text=_("Empty: all categories."),
    )  # fmt: skip
    days = models.PositiveSmallIntegerField(_("days"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("minimum remaining life")
        verbose_name_plural = _("minimum remaining life")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "category"], nulls_distinct=False, name="one_remaining_life_per_channel_and_category"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel or '*'}: {self.days}"
