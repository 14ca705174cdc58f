"""Words for the states of what people must decide."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CaseStatus(TextChoices):
    """Whether somebody still has to act."""

    OPEN = "open", _("Open")
    RESOLVED = "resolved", _("Resolved")
