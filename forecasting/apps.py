"""What will be wanted and what threatens it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ForecastingConfig(AppConfig):
    """What will be wanted and what threatens it."""

    name = "forecasting"
    verbose_name = _("Forecasting")
