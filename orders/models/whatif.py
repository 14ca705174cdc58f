"""What would have happened with another policy, other nodes, stock, capacity or weather. Touches nothing."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models.sentences import SentenceField
from orders.models.order import Order
from orders.statuses import BacktestStatus, WhatIfSource


class WhatIf(models.Model):
    """Several variants tried on the same orders, worked off in the background."""

    name = models.CharField(_("name"), max_length=80)
    source = models.CharField(_("orders of"), max_length=10, choices=WhatIfSource, default=WhatIfSource.HISTORY)
    starts_at = models.DateTimeField(_("decisions from"))
    ends_at = models.DateTimeField(_("decisions until"))
    status = models.CharField(_("status"), max_length=10, choices=BacktestStatus, default=BacktestStatus.WAITING)
    steps_total = models.PositiveIntegerField(_("steps"), default=0)
    steps_done = models.PositiveIntegerField(_("steps done"), default=0)
    why = SentenceField(verbose_name=_("why not"))
    asked_by = models.CharField(_("asked by"), max_length=80)
    asked_at = models.DateTimeField(_("asked at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("what-if run")
        verbose_name_plural = _("what-if runs")
        indexes = [models.Index(fields=["-asked_at"], name="what_if_newest")]

    def __str__(self) -> str:
        return self.name


class WhatIfVariant(models.Model):
    """One change against what was: see ``orders.rules.routing.variants`` for what ``changes`` may hold."""

    what_if = models.ForeignKey(
        WhatIf, on_delete=models.CASCADE, related_name="variants", verbose_name=_("what-if run")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    name = models.CharField(_("name"), max_length=80)
    changes = models.JSONField(_("changes"), default=dict)
    result = models.JSONField(_("figures"), default=dict)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        constraints = [
            models.UniqueConstraint(fields=["what_if", "position"], name="a_variant_has_one_position"),
        ]

    def __str__(self) -> str:
        return self.name


class WhatIfDifference(models.Model):
    """One order that a variant routes otherwise than it was routed."""

    variant = models.ForeignKey(
        WhatIfVariant, on_delete=models.CASCADE, related_name="differences", verbose_name=_("variant")
    )
    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("order"), db_index=False
    )
    reference = models.CharField(_("order"), max_length=102, db_collation="C")
    before = models.JSONField(_("as it was"))
    after = models.JSONField(_("as it would be"))
    saving = models.DecimalField(_("saving"), max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        indexes = [models.Index(fields=["variant", "-saving"], name="what_if_difference_saving")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.saving}"
