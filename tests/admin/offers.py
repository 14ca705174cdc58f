"""Promotions for the pages that show them."""

from decimal import Decimal

from django.contrib.auth.models import User

from audit.services import versions
from audit.services.versions import Deed, Text
from inventory.models import Sku
from promotions.models import Coupon, PromotionVersion
from promotions.rules import conditions
from promotions.rules import rule as rules
from promotions.rules.rewards import Gift, Item
from promotions.rules.rule import Limits, Rule
from promotions.services import coupons, drafting, limits
from promotions.services.coupons import Wanted
from promotions.services.drafting import NewPromotion
from promotions.services.limits import Taking
from promotions.services.promotions import GOVERNED
from tests.small_company import NOON, TESTER


def promise_gift(code: str, sku: Sku) -> PromotionVersion:
    """Draft a promotion that gives a SKU with orders of ¥300 or more to East China."""
    condition = conditions.All((conditions.Amount(Decimal(300)), conditions.ShipsTo(("east",))))
    rule = Rule(reward=Gift((Item(sku.code),)), condition=condition, limits=Limits(most_uses=1000))
    author = User.objects.get(username="boss")
    wanted = NewPromotion(code, "Autumn")
    return drafting.begin(wanted, Text(rules.to_json(rule)), Deed(author, NOON, "Too small"))


def ask_for(version: PromotionVersion) -> PromotionVersion:
    """Submit a draft for approval and return it."""
    deed = Deed(version.author, NOON, "Too small")
    return versions.submit(GOVERNED, version.pk, deed, read_digest=version.digest)


def give_coupons(version: PromotionVersion) -> Coupon:
    """Make a batch of two coupons of a promotion, and let an order take one."""
    batch = coupons.make_batch(version.promotion, Wanted("Autumn", 2), actor=TESTER, at=NOON)
    for coupon in batch.coupons.all():  # ten letters without a digit would read like a word
        batch.coupons.filter(pk=coupon.pk).update(code=f"A1B2C{coupon.pk}")
    coupon = batch.coupons.earliest("pk")
    limits.take([Taking("JD-1", "JD", version.promotion_id, 1, Decimal(1), coupon_id=coupon.pk)], at=NOON)
    return coupon
