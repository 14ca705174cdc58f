"""Pages about what things cost."""

from promotions.admin import campaign

__all__ = ["campaign"]
