"""Versions of promotions under audit's verbs: how many approvals, who gives them, limits, publishing to the minute."""

from datetime import timedelta
from decimal import Decimal

import pytest
from guardian.shortcuts import assign_perm

from audit.models import ApprovalRequest
from audit.services import versions
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, NotGood, Text
from promotions.models import Allowance, Promotion, PromotionVersion, Redemption
from promotions.rules.goods import Goods
from promotions.rules.rewards import BuyGet, FreeShipping, Item, PurchaseLimit
from promotions.rules.rule import Limits, Rule
from promotions.services import promotions
from promotions.services.promotions import GOVERNED
from tests import small_company as company
from tests.promotions.services import scenes
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
CHEAP = Rule(reward=FreeShipping(), limits=Limits(budget=Decimal("50000")))


def needed(rule):
    scenes.submitted("P", rule)
    return ApprovalRequest.objects.get().approvals_needed


def test_a_promotion_up_to_the_bound_needs_one_approval():
    assert needed(CHEAP) == 1


def test_a_promotion_above_the_bound_needs_two_approvals():
    assert needed(Rule(reward=FreeShipping(), limits=Limits(budget=Decimal("50000.01")))) == 2


def test_a_promotion_that_nothing_bounds_needs_two_approvals():
    assert needed(Rule(reward=FreeShipping())) == 2


@pytest.mark.parametrize("limits", [Limits(), Limits(most_uses_of_a_buyer=1)], ids=["none", "for a buyer only"])
def test_where_it_is_wished_a_promotion_that_nothing_bounds_is_refused(settings, limits):
    settings.PROMOTION_UNBOUNDED_BUDGETS = "refuse"
    with pytest.raises(NotGood) as refused:
        scenes.submitted("P", Rule(reward=FreeShipping(), limits=limits))
    assert [str(reason) for reason in refused.value.reasons] == [
        "Nothing bounds what it gives. Above ¥50,000 it needs a budget or a number of orders."
    ]
    assert (PromotionVersion.objects.get().status, ApprovalRequest.objects.count()) == ("draft", 0)


@pytest.mark.parametrize("limits", [Limits(budget=Decimal(60000)), Limits(most_uses=9)], ids=["budget", "orders"])
def test_where_unbounded_ones_are_refused_a_bound_is_enough(settings, limits):
    settings.PROMOTION_UNBOUNDED_BUDGETS = "refuse"
    assert needed(Rule(reward=FreeShipping(), limits=limits)) == 2


def test_where_unbounded_ones_are_refused_a_purchase_limit_still_stands(settings):
    settings.PROMOTION_UNBOUNDED_BUDGETS = "refuse"
    assert needed(Rule(reward=PurchaseLimit(units=2))) == 1


def test_without_somebody_who_knows_orders_the_request_says_so(settings):
    settings.PROMOTION_EFFECT = ""
    scenes.submitted("P", CHEAP)
    told = [str(one["text"]) for one in ApprovalRequest.objects.get().effect]
    assert told == ["What it would have done to past orders is not known here."]


def test_a_purchase_limit_gives_nothing_and_needs_one_approval():
    assert needed(Rule(reward=PurchaseLimit(units=2))) == 1


@pytest.mark.parametrize(("uses", "approvals"), [(1000, 1), (1001, 2)])
def test_gifts_count_by_what_they_cost(uses, approvals):
    gift = company.sku("GIFT")
    gift.unit_cost = Decimal("25.00")
    gift.save()
    company.stock(gift, company.node("SH"), 2)
    company.sku("CUP")
    reward = BuyGet(goods=Goods(skus=("CUP",)), items=(Item("GIFT", 2),), most_times=1)
    assert needed(Rule(reward=reward, limits=Limits(most_uses=uses))) == approvals


def test_with_two_needed_the_first_yes_changes_nothing():
    version = scenes.submitted("P", Rule(reward=FreeShipping()))
    for name, status in (("boss", "submitted"), ("second boss", "live")):
        deed = Deed(scenes.person(name, may_approve=True), NOON)
        assert versions.approve(GOVERNED, version.pk, deed, read_digest=version.digest).status == status


def test_without_the_right_nobody_approves():
    version = scenes.submitted("P", CHEAP)
    with pytest.raises(NotAllowed):
        versions.approve(GOVERNED, version.pk, Deed(scenes.person("clerk"), NOON), read_digest=version.digest)
    assert PromotionVersion.objects.get().status == "submitted"


def test_the_right_for_one_promotion_is_enough_for_that_one_only():
    mine, other = scenes.submitted("MINE", CHEAP), scenes.submitted("OTHER", CHEAP)
    clerk = scenes.person("clerk")
    assign_perm("promotions.approve_promotion", clerk, mine.promotion)
    assert versions.approve(GOVERNED, mine.pk, Deed(clerk, NOON), read_digest=mine.digest).status == "live"
    with pytest.raises(NotAllowed):
        versions.approve(GOVERNED, other.pk, Deed(clerk, NOON), read_digest=other.digest)
    assert PromotionVersion.objects.get(pk=other.pk).status == "submitted"


def test_a_body_that_is_no_rule_is_refused_with_its_place():
    promotion = Promotion.objects.create(code="P", name="P", created_at=NOON)
    deed = Deed(scenes.person("author"), NOON)
    version = versions.draft(GOVERNED, promotion.pk, Text({"reward": {"is": "free_shipping", "mots": "8"}}), deed)
    with pytest.raises(NotGood) as refused:
        versions.check(GOVERNED, version.pk, deed)
    assert "mots" in str(refused.value.reasons[0])
    assert PromotionVersion.objects.get().status == "draft"


def test_going_live_sets_the_limits():
    version = scenes.live("P", Rule(reward=FreeShipping(), limits=Limits(most_uses=7, budget=Decimal("50.00"))))
    row = Allowance.objects.get()
    assert (row.promotion_id, row.buyer, row.most_uses, row.budget) == (version.promotion_id, "", 7, Decimal("50.00"))


def test_a_lower_limit_is_never_below_what_is_taken():
    scenes.live("P", Rule(reward=FreeShipping(), limits=Limits(most_uses=9, budget=Decimal(90))))
    Allowance.objects.update(uses=5, amount=Decimal(50))
    scenes.live("P", Rule(reward=FreeShipping(), limits=Limits(most_uses=3, budget=Decimal(60))))
    row = Allowance.objects.get()
    assert (row.most_uses, row.uses, row.budget, row.amount) == (5, 5, Decimal(60), Decimal(50))


def test_a_limit_that_comes_new_counts_what_was_used_before_it():
    first = scenes.live("P", Rule(reward=FreeShipping()))
    for number, status in enumerate(("reserved", "committed", "released")):
        Redemption.objects.create(
            promotion=first.promotion, version_number=1, reference=f"JD-{number}", channel="JD", status=status,
            amount=Decimal(8), taken_at=NOON,
        )  # fmt: skip
    scenes.live("P", Rule(reward=FreeShipping(), limits=Limits(budget=Decimal(100))))
    row = Allowance.objects.get()
    assert (row.uses, row.amount, row.budget) == (2, Decimal(16), Decimal(100))


def test_a_scheduled_version_goes_live_at_its_minute_and_not_before():
    at = NOON + timedelta(hours=9)
    version = scenes.live("P", CHEAP, publish_at=at)
    assert version.status == "scheduled"
    assert promotions.publish_due(at=at - timedelta(seconds=1)) == 0
    assert PromotionVersion.objects.get().status == "scheduled"
    assert promotions.publish_due(at=at) == 1
    assert promotions.publish_due(at=at) == 0
    version = PromotionVersion.objects.get()
    assert (version.status, version.live_at) == ("live", at)
