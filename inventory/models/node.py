"""Where stock lies and who can send it."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.statuses import Capability, NodeKind


class Node(models.Model):
    """A place that holds stock and may fulfil: central DC, regional DC or store."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=NodeKind)
    region = models.CharField(_("region"), max_length=6, help_text=_("Province code (GB/T 2260) or ISO country code."))
    city = models.CharField(_("city"), max_length=60)
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, help_text=_("Empty: that of the city, or of the province.")
    )
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    serves = ArrayField(
        models.CharField(max_length=6),
        default=list,
        blank=True,
        verbose_name=_("serves"),
        help_text=_("Province or country codes this node may ship to; empty means all of mainland China."),
    )
    parcels_per_day = models.PositiveIntegerField(_("parcels per day"), default=1000)
    parcels_per_hour = models.PositiveIntegerField(
        _("parcels per hour"),
        null=True,
        blank=True,
        help_text=_("How fast waiting work is done; empty: not known."),
    )
    cut_off = models.TimeField(
        _("cut-off"), null=True, blank=True, help_text=_("What is released later leaves the next day.")
    )
    pick_cost = models.DecimalField(
        _("cost of a parcel"), max_digits=8, decimal_places=2, default=Decimal("3.00"), db_default=Decimal("3.00"),
        help_text=_("Picking and packing, without freight."),
    )  # fmt: skip
    claim_minutes = models.PositiveSmallIntegerField(
        _("minutes to begin"), null=True, blank=True,
        help_text=_("A parcel that is not begun so long after its release goes to another node; empty: never."),
    )  # fmt: skip
    groups = ArrayField(
        models.CharField(max_length=30), default=list, db_default=[], blank=True, verbose_name=_("groups"),
        help_text=_("Words by which routing policies name several nodes."),
    )  # fmt: skip
    capabilities = ArrayField(
        models.CharField(max_length=12, choices=Capability), default=list, db_default=[], blank=True,
        verbose_name=_("capabilities"),
    )  # fmt: skip
    down_until = models.DateTimeField(
        _("down until"), null=True, blank=True, help_text=_("For a while, without making the node inactive.")
    )
    down_reason = models.CharField(_("why it is down"), max_length=120, blank=True, default="", db_default="")
    is_active = models.BooleanField(_("active"), default=True, help_text=_("An inactive node gets no new parcels."))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("node")
        verbose_name_plural = _("nodes")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(latitude__isnull=True, longitude__isnull=True)
                | models.Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="a_place_has_both_coordinates_or_none",
            ),
            models.CheckConstraint(condition=models.Q(pick_cost__gte=0), name="a_pick_cost_is_never_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class NodeDay(models.Model):
    """How many parcels a node has taken on one day, guarded by its capacity."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, verbose_name=_("node"))
    day_date = models.DateField(_("day"))
    capacity = models.PositiveIntegerField(_("capacity"))
    used = models.PositiveIntegerField(_("used"), default=0)

    class Meta:
        verbose_name = _("node day")
        verbose_name_plural = _("node days")
        constraints = [
            models.UniqueConstraint(fields=["node", "day_date"], name="a_node_has_each_day_once"),
            models.CheckConstraint(condition=models.Q(used__lte=models.F("capacity")), name="never_over_capacity"),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.day_date}: {self.used}/{self.capacity}"


class StockPosition(models.Model):
    """What a unit of a SKU is worth where it lies. Written by a job from days of cover, or from a forecast."""

    sku = models.ForeignKey("inventory.Sku", on_delete=models.CASCADE, verbose_name=_("SKU"), db_index=False)
    node = models.ForeignKey(Node, on_delete=models.CASCADE, verbose_name=_("node"), db_index=False)
    daily_demand = models.FloatField(
        _("wanted a day"), default=0.0, help_text=_("Units that the node's own region wants.")
    )
    days_of_cover = models.FloatField(_("days of cover"), null=True, blank=True)
    shadow_price = models.DecimalField(
        _("shadow price"), max_digits=8, decimal_places=2, default=Decimal(0),
        help_text=_("What taking one more unit away will probably cost."),
    )  # fmt: skip
    is_markdown = models.BooleanField(_("to be sold first"), default=False)
    source = models.CharField(_("source"), max_length=20, default="cover")
    computed_at = models.DateTimeField(_("computed at"))

    class Meta:
        verbose_name = _("stock position")
        verbose_name_plural = _("stock positions")
        constraints = [
            models.UniqueConstraint(fields=["sku", "node"], name="a_unit_has_one_worth_at_a_node"),
            models.CheckConstraint(condition=models.Q(shadow_price__gte=0), name="a_shadow_price_is_never_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.sku_id}@{self.node_id}: {self.shadow_price}"
