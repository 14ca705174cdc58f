"""What audit's verbs must know of versions of promotions: when they are good, what they say, who may approve them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Count, Sum
from django.utils import timezone

from audit.rules.sentences import Sentence, say
from audit.services import versions
from audit.services.versions import Governed
from audit.statuses import VersionStatus
from inventory.models import Sku
from promotions.models import Allowance, PromotionVersion, Redemption
from promotions.queries import shop
from promotions.rules import differences, sentences, validation
from promotions.rules import rule as rules
from promotions.rules.rewards import BuyGet, Gift, PurchaseLimit
from promotions.rules.rule import Rule
from promotions.services import effects, permissions
from promotions.services.permissions import Right
from promotions.statuses import RedemptionStatus

APPROVE: Final = permissions.CODES[Right.APPROVE].everywhere
ONE, TWO = 1, 2


def publish_due(*, at: datetime) -> int:
    """Put the versions in force whose time has come; returns how many. Safe to run twice."""
    return len(versions.publish_due(GOVERNED, at=at))


def rule_of(version: PromotionVersion) -> Rule:
    """Return what a version says. Raises ``msgspec.ValidationError`` when its body is no rule."""
    return rules.from_json(version.body)


def _complain(version: PromotionVersion) -> Sequence[Sentence]:
    """Return what keeps a version from being submitted."""
    try:
        rule = rule_of(version)
    except msgspec.ValidationError as trouble:
        return [say("The rule cannot be read: %(why)s", why=str(trouble))]
    facts = shop.facts(rule, version.promotion.code, on_date=timezone.localdate())
    return [complaint.why for complaint in validation.complaints(rule, facts)]


def _name(version: PromotionVersion) -> str:
    return f"{version.promotion.code}/{version.number}"


def _url(version: PromotionVersion) -> str:
    return f"/admin/promotions/promotion/{version.promotion_id}/change/"


def _describe(version: PromotionVersion) -> Sentence:
    rule = rule_of(version)
    return sentences.describe(rule, shop.names([rule]))


def _changes(old: PromotionVersion | None, new: PromotionVersion) -> Sequence[Sentence]:
    """Return each difference to what is in force, in words."""
    if old is None:
        return [say("Nothing of this promotion is in force yet.")]
    before, after = rule_of(old), rule_of(new)
    return differences.changes(before, after, shop.names([before, after]))


def _effect(version: PromotionVersion) -> Sequence[Sentence]:
    """Say what its newest trial on past orders found; the orders themselves are above this app."""
    return effects.of(version).told


def _approvals_needed(version: PromotionVersion) -> int:
    """Two when it may give more than one person may decide about, or when nothing bounds it."""
    most = most_spent(rule_of(version))
    return TWO if most is None or most > settings.PROMOTION_TWO_APPROVALS_ABOVE else ONE


def most_spent(rule: Rule) -> Decimal | None:
    """Return what a rule may cost altogether at most; ``None`` when nothing bounds it. Gifts count by their cost."""
    if isinstance(rule.reward, PurchaseLimit):
        return Decimal(0)
    if not isinstance(rule.reward, Gift | BuyGet):
        return rule.limits.budget
    if rule.limits.most_uses is None or rule.reward.most_times is None:
        return None
    items = rule.reward.items
    costs = dict(Sku.objects.filter(code__in=[item.sku for item in items]).values_list("code", "unit_cost"))
    once = sum((costs.get(item.sku, Decimal(0)) * item.quantity for item in items), Decimal(0))
    return once * rule.limits.most_uses * rule.reward.most_times


def _may_approve(user: AbstractBaseUser, version: PromotionVersion) -> bool:
    """Whoever has the right for all promotions, for this one, or in fields that it and what it replaces stay inside."""
    return permissions.may_instead(user, Right.APPROVE, version)


def _applied(changed: Sequence[PromotionVersion]) -> None:
    """Bring the limits of what went live to what it says; never below what is taken already."""
    for version in changed:  # a promotion's old and its new version: two at most
        if version.status == VersionStatus.LIVE:
            _set_limits(version)


def _set_limits(version: PromotionVersion) -> None:
    """A limit that comes new counts what the ledger says was taken before it."""
    limits = rule_of(version).limits
    Allowance.objects.get_or_create(promotion_id=version.promotion_id, buyer="")
    allowance = Allowance.objects.select_for_update(no_key=True).get(promotion_id=version.promotion_id, buyer="")
    if allowance.most_uses is None and allowance.budget is None:
        held = Redemption.objects.filter(promotion=version.promotion_id, status__in=RedemptionStatus.TAKEN)
        taken = held.aggregate(uses=Count("pk"), amount=Sum("amount", default=Decimal(0)))
        allowance.uses, allowance.amount = taken["uses"], taken["amount"]
    allowance.most_uses = None if limits.most_uses is None else max(limits.most_uses, allowance.uses)
    allowance.budget = None if limits.budget is None else max(limits.budget, allowance.amount)
    allowance.save(update_fields=["most_uses", "uses", "budget", "amount"])


GOVERNED: Final = Governed(
    model=PromotionVersion,
    approve_permission=APPROVE,
    complain=_complain,
    name=_name,
    url=_url,
    describe=_describe,
    changes=_changes,
    effect=_effect,
    approvals_needed=_approvals_needed,
    may_approve=_may_approve,
    applied=_applied,
)
