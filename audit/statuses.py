"""Words for the states of what people must decide, and the moves they allow."""

from enum import nonmember

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CaseStatus(TextChoices):
    """Whether somebody still has to act."""

    OPEN = "open", _("Open")
    RESOLVED = "resolved", _("Resolved")


class ResolvedHow(TextChoices):
    """Who or what ended a case."""

    PERSON = "person", _("By a person")
    CAUSE_GONE = "cause_gone", _("The cause went away")
    RULE = "rule", _("By a rule")


class CaseNews(TextChoices):
    """What happens to a case."""

    OPENED = "opened", _("Opened")
    ASSIGNED = "assigned", _("Assigned")
    SNOOZED = "snoozed", _("Put off")
    NOTED = "noted", _("Noted")
    DECIDED = "decided", _("Decided")
    RESOLVED = "resolved", _("Resolved")


class VersionStatus(TextChoices):
    """How far one version of a rule that people edit has come."""

    DRAFT = "draft", _("Draft")
    CHECKED = "checked", _("Checked")
    SUBMITTED = "submitted", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    SCHEDULED = "scheduled", _("Scheduled")
    LIVE = "live", _("Live")
    PAUSED = "paused", _("Paused")
    RETIRED = "retired", _("Retired")

    OPEN = nonmember(("draft", "checked", "submitted", "approved", "scheduled"))  # not in force yet
    EDITABLE = nonmember(("draft", "checked"))
    IN_FORCE = nonmember(("live", "paused"))
    MOVES = nonmember(
        {
            "draft": ("checked", "retired"),
            "checked": ("draft", "submitted", "retired"),
            "submitted": ("draft", "approved"),
            "approved": ("draft", "scheduled", "live", "retired"),
            "scheduled": ("approved", "live", "retired"),
            "live": ("paused", "retired"),
            "paused": ("live", "retired"),
            "retired": (),
        }
    )


class ApprovalStatus(TextChoices):
    """Where a request for approval stands."""

    WAITING = "waiting", _("Waiting")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Sent back")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class BulkStatus(TextChoices):
    """How far a bulk job is."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")


class BulkItemStatus(TextChoices):
    """What became of one row of a bulk job."""

    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")
