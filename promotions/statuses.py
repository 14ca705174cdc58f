"""Words for what orders take of promotions."""

from enum import nonmember

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RedemptionStatus(TextChoices):
    """Whether an order still holds what it took."""

    RESERVED = "reserved", _("Reserved")
    COMMITTED = "committed", _("Used")
    RELEASED = "released", _("Given back")

    TAKEN = nonmember(("reserved", "committed"))


class ScopeKind(TextChoices):
    """By what a part of the business is told apart."""

    BRAND = "brand", _("Brand")
    CHANNEL = "channel", _("Channel")
    REGION = "region", _("Region")
