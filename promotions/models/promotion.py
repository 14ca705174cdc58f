"""What marketing publishes: a promotion, and the versions of what it says."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audit.models import GovernedVersion
from audit.models.version import constraints_of
from promotions.models.campaign import Campaign


class Promotion(models.Model):
    """One promotion under a code that never changes; what it says stands in its versions."""

    code = models.CharField(_("code"), max_length=40, unique=True, db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("English name"), max_length=120, blank=True)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="promotions", verbose_name=_("campaign")
    )
    brand = models.CharField(
        _("brand"), max_length=60, blank=True, help_text=_("Whose promotion it is; empty: the whole company's.")
    )
    created_at = models.DateTimeField(_("created at"))
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        permissions = [
            ("approve_promotion", "Can approve versions of one promotion"),
            ("stop_promotion", "Can stop one promotion"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Za-z0-9_-]+$"), name="a_promotion_code_is_a_word"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class PromotionVersion(GovernedVersion):
    """What a promotion says from a moment on; ``body`` is a ``promotions.rules.rule.Rule`` as JSON."""

    subject_field = "promotion"

    promotion = models.ForeignKey(
        Promotion, on_delete=models.PROTECT, related_name="versions", verbose_name=_("promotion")
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("version of a promotion")
        verbose_name_plural = _("versions of promotions")
        permissions = [
            ("approve_promotionversion", "Can approve versions of promotions"),
            ("stop_promotionversion", "Can stop a live promotion at once"),
        ]
        constraints = constraints_of("promotion", "promotion")
        indexes = [
            models.Index(fields=["promotion"], condition=models.Q(status="live"), name="promotion_live"),
            models.Index(fields=["publish_at"], condition=models.Q(status="scheduled"), name="promotion_scheduled"),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id}/{self.number}"
