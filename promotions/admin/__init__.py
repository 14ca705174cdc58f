"""Pages about what things cost."""

from promotions.admin import promotion

__all__ = ["promotion"]
