"""Whom we talk to."""

from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audit.models.sentences import SentenceField
from channels.models.sealed import SealedField
from channels.statuses import Breaker
from inventory.models import Node, Sku


class Channel(models.Model):
    """One shop on one platform, a store chain's tills, or a node's own system."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    platform = models.CharField(_("platform"), max_length=20, help_text=_("tmall, jd, pos …, for people and reports."))
    adapter = models.CharField(_("adapter"), max_length=20, help_text=_("Which code speaks with it."))
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    is_active = models.BooleanField(_("active"), default=True)
    base_url = models.CharField(_("address"), max_length=200, blank=True)
    credentials = SealedField(_("credentials"), default="", blank=True)
    options = models.JSONField(_("options"), default=dict, blank=True)
    unpaid_minutes = models.PositiveIntegerField(
        _("unpaid term (minutes)"), default=30, help_text=_("How long an unpaid order holds its stock.")
    )
    is_sandbox = models.BooleanField(
        _("sandbox"), default=False, help_text=_("Its orders are test orders; nothing real is told to it.")
    )
    fee_percent = models.DecimalField(_("fee (per cent)"), max_digits=5, decimal_places=2, default=Decimal(0))
    calls_per_second = models.DecimalField(
        _("calls a second"), max_digits=7, decimal_places=2, null=True, blank=True,
        help_text=_("What the platform allows this account; empty: no limit known."),
    )  # fmt: skip
    calls_at_once = models.PositiveSmallIntegerField(
        _("calls at once"), default=2, help_text=_("More calls to this channel wait, so that the others never do.")
    )
    priority = models.SmallIntegerField(
        _("priority"), default=0, help_text=_("Its orders' priority when stock is short; higher is served first.")
    )
    nodes = models.ManyToManyField(
        Node, blank=True, verbose_name=_("nodes"), help_text=_("Which nodes serve its orders; empty: all.")
    )
    is_priced_here = models.BooleanField(
        _("our promotions make its prices"), default=False, db_default=False,
        help_text=_("Most channels make their own prices: then only gifts and purchase limits are ours."),
    )  # fmt: skip
    ship_within_hours = models.PositiveIntegerField(_("ship within (hours)"), default=48)
    history = HistoricalRecords(excluded_fields=["credentials"], m2m_fields=[nodes])

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            # Order numbers are CHANNEL-number: a dash in the code would let two channels make the same one.
            models.CheckConstraint(condition=models.Q(code__regex=r"^[A-Za-z0-9_]+$"), name="a_channel_code_is_a_word"),
            models.CheckConstraint(
                condition=Q(credentials="") | Q(credentials__startswith="v1:"), name="credentials_are_sealed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Draw a new row's key before its credentials are sealed: they are bound to it."""
        if self.pk is None and self.credentials:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [self._meta.db_table])
                (self.pk,) = cursor.fetchone()
        super().save(*args, **kwargs)


class Listing(models.Model):
    """What a channel calls one of our SKUs."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="listings", verbose_name=_("channel"))
    external_code = models.CharField(_("code on the channel"), max_length=80, db_collation="C")
    external_item_id = models.CharField(_("item id"), max_length=40, blank=True)
    external_sku_id = models.CharField(_("SKU id"), max_length=40, blank=True)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="listings", verbose_name=_("SKU"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_code"], name="a_channel_code_means_one_sku"),
        ]

    def __str__(self) -> str:
        return f"{self.external_code} → {self.sku_id}"


class ListingStock(models.Model):
    """What a channel should say of a listing's stock, and what it accepted last."""

    listing = models.OneToOneField(Listing, on_delete=models.CASCADE, related_name="stock", verbose_name=_("listing"))
    quantity_due = models.IntegerField(_("should say"), null=True, blank=True)
    due_since_at = models.DateTimeField(_("since"), null=True, blank=True)
    quantity_accepted = models.IntegerField(_("accepted"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    quantity_seen = models.IntegerField(
        _("channel's own figure"), null=True, blank=True, help_text=_("What the channel itself said when last asked.")
    )
    seen_at = models.DateTimeField(_("asked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("stock of a listing")
        verbose_name_plural = _("stock of listings")
        indexes = [models.Index(fields=["due_since_at"], condition=Q(due_since_at__isnull=False), name="listing_due")]

    def __str__(self) -> str:
        return f"{self.listing_id}: {self.quantity_accepted} → {self.quantity_due}"


class StockPush(models.Model):
    """One figure that a channel accepted, and how long that took since our stock had changed. Append-only."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, verbose_name=_("listing"), db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, verbose_name=_("channel"), db_index=False)
    quantity = models.IntegerField(_("quantity"))
    changed_at = models.DateTimeField(_("stock changed at"))
    accepted_at = models.DateTimeField(_("accepted at"))
    is_urgent = models.BooleanField(_("urgent"), default=False)

    class Meta:
        verbose_name = _("stock push")
        verbose_name_plural = _("stock pushes")
        indexes = [
            models.Index(fields=["listing", "-accepted_at"], name="stock_push_of_listing"),
            models.Index(fields=["channel", "-accepted_at"], name="stock_push_of_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id}: {self.quantity}"


class PullCursor(models.Model):
    """How far a channel's orders have been pulled; moves only after the pulled rows are stored."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, verbose_name=_("channel"))
    pulled_until = models.DateTimeField(_("pulled until"))
    reconciled_until = models.DateTimeField(_("reconciled until"), null=True, blank=True)
    last_reconciled_at = models.DateTimeField(_("last reconciled at"), null=True, blank=True)
    last_pulled_at = models.DateTimeField(_("last pulled at"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("pull cursor")
        verbose_name_plural = _("pull cursors")

    def __str__(self) -> str:
        return f"{self.channel_id} until {self.pulled_until}"


class WantedOrder(models.Model):
    """An order of which a channel pushed the number only: it is fetched as soon as possible."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, verbose_name=_("channel"), db_index=False)
    external_id = models.CharField(_("channel's number"), max_length=80, db_collation="C")
    wanted_at = models.DateTimeField(_("wanted since"))
    not_before = models.DateTimeField(_("not before"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    reason = SentenceField(verbose_name=_("reason"))

    class Meta:
        verbose_name = _("order to fetch")
        verbose_name_plural = _("orders to fetch")
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="an_order_is_wanted_once")]
        indexes = [models.Index(fields=["not_before"], name="wanted_order_due")]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.external_id}"


class ChannelHealth(models.Model):
    """Whether a channel can be called now: its breaker and how many calls it has left this moment."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, related_name="health", verbose_name=_("channel"))
    breaker = models.CharField(_("breaker"), max_length=10, choices=Breaker, default=Breaker.CLOSED)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    probe_at = models.DateTimeField(_("next try at"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last success at"), null=True, blank=True)
    reason = SentenceField(verbose_name=_("reason"))
    calls_left = models.FloatField(_("calls left"), default=0)
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("channel health")
        verbose_name_plural = _("channel health")

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.breaker}"
