"""Who may, who did, who must decide."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """Who may, who did, who must decide."""

    name = "audit"
    verbose_name = _("People and proof")
