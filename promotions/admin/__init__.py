"""Pages about what things cost."""

from promotions.admin import campaign, coupon, coupon_batch, promotion, redemption, scope

__all__ = ["campaign", "coupon", "coupon_batch", "promotion", "redemption", "scope"]
