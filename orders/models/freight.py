"""What carriers ask, and how long their parcels really take."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orders.statuses import DeliveryMethod


class FreightTariff(models.Model):
    """A carrier's step price on one lane: so much for the first weight, so much for each further step."""

    carrier_code = models.CharField(_("carrier"), max_length=20)
    method = models.CharField(_("method"), max_length=10, choices=DeliveryMethod, default=DeliveryMethod.STANDARD)
    from_region = models.CharField(
        _("from region"), max_length=6, blank=True, help_text=_("Province code; empty: from everywhere.")
    )
    to_region = models.CharField(
        _("to region"), max_length=6, blank=True, help_text=_("Province code; empty: to everywhere.")
    )
    first_g = models.PositiveIntegerField(_("first weight (g)"), default=1000)
    first_price = models.DecimalField(_("price of the first weight"), max_digits=8, decimal_places=2)
    step_g = models.PositiveIntegerField(_("step (g)"), default=1000)
    step_price = models.DecimalField(_("price of a step"), max_digits=8, decimal_places=2)
    hours_min = models.PositiveSmallIntegerField(_("hours at best"), help_text=_("As the carrier says."))
    hours_max = models.PositiveSmallIntegerField(_("hours at most"), help_text=_("As the carrier says."))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("freight tariff")
        verbose_name_plural = _("freight tariffs")
        constraints = [
            models.UniqueConstraint(
                fields=["carrier_code", "method", "from_region", "to_region", "valid_from"],
                name="a_lane_has_one_tariff_from_a_day",
            ),
            models.CheckConstraint(
                condition=Q(first_price__gte=0) & Q(step_price__gte=0) & Q(first_g__gt=0) & Q(step_g__gt=0),
                name="a_tariff_is_never_negative",
            ),
            models.CheckConstraint(condition=Q(hours_max__gte=F("hours_min")), name="a_way_takes_at_least_its_best"),
        ]

    def __str__(self) -> str:
        return f"{self.carrier_code} {self.from_region or '*'} → {self.to_region or '*'}"


class CarrierLane(models.Model):
    """How long a carrier's parcels took between two regions, learned from its scans."""

    carrier_code = models.CharField(_("carrier"), max_length=20)
    from_region = models.CharField(_("from region"), max_length=6)
    to_region = models.CharField(_("to region"), max_length=6)
    parcels = models.PositiveIntegerField(_("parcels"))
    hours_p50 = models.FloatField(_("hours, median"))
    hours_p90 = models.FloatField(_("hours, nine of ten"))
    late_share = models.FloatField(_("share that came late"), default=0.0)
    learned_at = models.DateTimeField(_("learned at"))

    class Meta:
        verbose_name = _("carrier lane")
        verbose_name_plural = _("carrier lanes")
        constraints = [
            models.UniqueConstraint(
                fields=["carrier_code", "from_region", "to_region"], name="a_carrier_has_a_lane_once"
            ),
            models.CheckConstraint(condition=Q(parcels__gt=0), name="a_lane_is_learned_from_parcels"),
        ]

    def __str__(self) -> str:
        return f"{self.carrier_code} {self.from_region} → {self.to_region}"
