"""What an order costs and who may change it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PromotionsConfig(AppConfig):
    """What an order costs and who may change it."""

    name = "promotions"
    verbose_name = _("Promotions")
