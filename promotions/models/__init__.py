"""Facts about promotions."""

from promotions.models.promotion import Promotion

__all__ = ["Promotion"]
