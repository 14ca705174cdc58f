"""Facts about people and proof."""

from audit.models.case import Case

__all__ = ["Case"]
