"""Words for nodes, SKUs, reservations and movements."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class NodeKind(TextChoices):
    """What sort of place holds stock."""

    CENTRAL_DC = "central_dc", _("Central DC")
    REGIONAL_DC = "regional_dc", _("Regional DC")
    STORE = "store", _("Store")


class SkuKind(TextChoices):
    """What is sold: a thing, several things under one code, or something given."""

    SINGLE = "single", _("Single")
    BUNDLE = "bundle", _("Bundle")
    GIFT = "gift", _("Gift")


class ReservationStatus(TextChoices):
    """A reservation holds stock until it is consumed by a shipment or released."""

    ACTIVE = "active", _("Active")
    CONSUMED = "consumed", _("Consumed")
    RELEASED = "released", _("Released")


class MovementKind(TextChoices):
    """Why stock on hand changed."""

    OPENING = "opening", _("Opening balance")
    RECEIPT = "receipt", _("Receipt")
    SHIPMENT = "shipment", _("Shipment")
    RETURN = "return", _("Return")
    ADJUSTMENT = "adjustment", _("Adjustment")
    TRANSFER_OUT = "transfer_out", _("Transfer out")
    TRANSFER_IN = "transfer_in", _("Transfer in")
    COUNT = "count", _("Count")
