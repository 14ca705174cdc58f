"""Whom we talk to: in, out, the contracts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    """Whom we talk to: in, out, the contracts."""

    name = "channels"
    verbose_name = _("Channels")
