"""Pages about what things cost."""

from promotions.admin import campaign, promotion

__all__ = ["campaign", "promotion"]
