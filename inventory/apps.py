"""What we have and may promise."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    """What we have and may promise."""

    name = "inventory"
    verbose_name = _("Inventory")
