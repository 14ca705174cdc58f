"""The desk: the base of every page, the work queue, and the pages of other packages on that base."""

from audit.admin import approval, case, people, schedule

__all__ = ["approval", "case", "people", "schedule"]
