"""Facts about people and proof."""

from audit.models.case import Case
from audit.models.job_run import JobRun

__all__ = ["Case", "JobRun"]
