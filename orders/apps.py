"""An order's life."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """An order's life."""

    name = "orders"
    verbose_name = _("Orders")
