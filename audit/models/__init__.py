"""Facts about people and proof."""

from audit.models.approval import Approval, ApprovalRequest
from audit.models.bulk import BulkItem, BulkJob
from audit.models.case import Case, CaseEvent, CaseRule, CaseRuleVersion, CaseTarget
from audit.models.saved_view import SavedView
from audit.models.version import GovernedVersion

__all__ = [
    "Approval",
    "ApprovalRequest",
    "BulkItem",
    "BulkJob",
    "Case",
    "CaseEvent",
    "CaseRule",
    "CaseRuleVersion",
    "CaseTarget",
    "GovernedVersion",
    "SavedView",
]
