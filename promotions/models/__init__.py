"""Facts about promotions."""

from promotions.models.campaign import Campaign
from promotions.models.limits import Allowance, Coupon, CouponBatch, Redemption
from promotions.models.promotion import Promotion, PromotionVersion
from promotions.models.scope import Scope

__all__ = [
    "Allowance",
    "Campaign",
    "Coupon",
    "CouponBatch",
    "Promotion",
    "PromotionVersion",
    "Redemption",
    "Scope",
]
