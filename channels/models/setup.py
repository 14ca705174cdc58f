"""Connecting a channel step by step: how far somebody has come, and what the shop lists."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from channels.models.channel import Channel
from channels.statuses import ListingMatch, MatchDecision, SetupStep
from inventory.models import Sku


class ChannelSetup(models.Model):
    """How far a channel's connection has come, kept so that it can be left and taken up again."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, related_name="setup", verbose_name=_("channel"))
    step = models.CharField(_("step"), max_length=12, choices=SetupStep, default=SetupStep.CREDENTIALS)
    started_by = models.CharField(_("started by"), max_length=80)
    started_at = models.DateTimeField(_("started at"))
    checked_at = models.DateTimeField(_("connection tried at"), null=True, blank=True)
    is_reached = models.BooleanField(_("reached"), default=False)
    check_result = SentenceField(verbose_name=_("result"))
    listings_asked_at = models.DateTimeField(_("listings asked for at"), null=True, blank=True)
    listings_found = models.PositiveIntegerField(_("listings found"), default=0)
    listings_read_at = models.DateTimeField(_("all listings read at"), null=True, blank=True)
    listings_problem = SentenceField(verbose_name=_("why the listings could not be read"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("connection of a channel")
        verbose_name_plural = _("connections of channels")

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.step}"


class FoundListing(models.Model):
    """One thing that a shop lists, the SKU we take it for, and what a person decided."""

    setup = models.ForeignKey(
        ChannelSetup, on_delete=models.CASCADE, related_name="found", verbose_name=_("connection"), db_index=False
    )
    external_item_id = models.CharField(_("item id"), max_length=40, blank=True, db_collation="C")
    external_sku_id = models.CharField(_("SKU id"), max_length=40, blank=True, db_collation="C")
    external_code = models.CharField(_("code on the channel"), max_length=80, blank=True, db_collation="C")
    title = models.CharField(_("title"), max_length=300, blank=True)
    barcode = models.CharField(_("barcode"), max_length=40, blank=True)
    quantity = models.IntegerField(_("quantity"), null=True, blank=True)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    sku = models.ForeignKey(Sku, on_delete=models.CASCADE, null=True, blank=True, verbose_name=_("SKU"))
    matched_by = models.CharField(_("matched by"), max_length=10, choices=ListingMatch, default=ListingMatch.NONE)
    confidence = models.PositiveSmallIntegerField(_("confidence (per cent)"), default=0)
    decision = models.CharField(_("decision"), max_length=10, choices=MatchDecision, default=MatchDecision.OPEN)

    class Meta:
        verbose_name = _("found listing")
        verbose_name_plural = _("found listings")
        constraints = [
            models.UniqueConstraint(
                fields=["setup", "external_item_id", "external_sku_id", "external_code"], name="a_listing_is_found_once"
            ),
        ]
        indexes = [models.Index(fields=["setup", "decision", "id"], name="found_listing_open")]

    def __str__(self) -> str:
        return f"{self.external_code or self.external_item_id} → {self.sku_id}"
