"""Facts about people and proof."""

from audit.models.approval import Approval, ApprovalRequest
from audit.models.case import Case
from audit.models.saved_view import SavedView
from audit.models.version import GovernedVersion

__all__ = ["Approval", "ApprovalRequest", "Case", "GovernedVersion", "SavedView"]
