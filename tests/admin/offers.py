"""Promotions for the pages that show them."""

from decimal import Decimal

from django.contrib.auth.models import User

from audit.services import versions
from audit.services.versions import Deed, Text
from inventory.models import Sku
from promotions.models import PromotionVersion
from promotions.rules import conditions
from promotions.rules import rule as rules
from promotions.rules.rewards import Gift, Item
from promotions.rules.rule import Limits, Rule
from promotions.services import drafting
from promotions.services.drafting import NewPromotion
from promotions.services.promotions import GOVERNED
from tests.small_company import NOON


def promise_gift(code: str, sku: Sku) -> PromotionVersion:
    """Draft a promotion that gives a SKU with orders of ¥300 or more to East China."""
    condition = conditions.All((conditions.Amount(Decimal(300)), conditions.ShipsTo(("east",))))
    rule = Rule(reward=Gift((Item(sku.code),)), condition=condition, limits=Limits(most_uses=1000))
    author = User.objects.get(username="boss")
    wanted = NewPromotion(code, "Autumn")
    return drafting.begin(wanted, Text(rules.to_json(rule)), Deed(author, NOON, "Too small"))


def ask_for(version: PromotionVersion) -> PromotionVersion:
    """Submit a draft for approval."""
    deed = Deed(version.author, NOON, "Too small")
    return versions.submit(GOVERNED, version.pk, deed, read_digest=version.digest)
