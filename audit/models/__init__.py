"""Facts about people and proof."""

from audit.models.case import Case
from audit.models.saved_view import SavedView

__all__ = ["Case", "SavedView"]
