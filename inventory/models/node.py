"""Where stock lies and who can send it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from inventory.statuses import NodeKind


class Node(models.Model):
    """A place that holds stock and may fulfil: central DC, regional DC or store."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=NodeKind)
    region = models.CharField(_("region"), max_length=6, help_text=_("Province code (GB/T 2260) or ISO country code."))
    city = models.CharField(_("city"), max_length=60)
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))
    serves = ArrayField(
        models.CharField(max_length=6),
        default=list,
        blank=True,
        verbose_name=_("serves"),
        help_text=_("Province or country codes this node may ship to; empty means all of mainland China."),
    )
    parcels_per_day = models.PositiveIntegerField(_("parcels per day"), default=1000)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("An inactive node gets no new parcels."))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

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
