"""Quotes under the live rules: what is read and how often, what one basket leaves for the next, versions for ever."""

from datetime import timedelta
from decimal import Decimal

import pytest

from audit.services import versions
from audit.services.versions import Deed
from promotions.models import Allowance, Coupon, PromotionVersion, Redemption
from promotions.rules.baskets import Basket, BasketLine, Outcome
from promotions.rules.goods import Goods
from promotions.rules.rewards import BuyGet, Item, SpendAndSave, Step
from promotions.rules.rule import Limits, Rule
from promotions.services import quotes
from promotions.services.promotions import GOVERNED
from tests import small_company as company
from tests.promotions.services import scenes
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
SAVE_5 = SpendAndSave((Step(Decimal(20), Decimal(5)),))


@pytest.fixture
def cup():
    return company.sku("CUP")


def basket(cup, number=1, quantity=2, **facts):
    line = BasketLine(1, cup.pk, quantity, Decimal("10.00"))
    return Basket(f"JD-{number}", "JD", "CNY", (line,), placed_at=NOON, **facts)


def outcomes(quote):
    return {verdict.code: verdict.outcome for verdict in quote.verdicts}


def totals(baskets, at=NOON):
    return [quote.total for quote in quotes.quote(baskets, at=at)]


def test_without_live_rules_one_query_is_made_and_prices_stand(cup, django_assert_num_queries):
    quotes.quote([], at=NOON)
    with django_assert_num_queries(1):
        assert totals([basket(cup), basket(cup, 2, 3)]) == [Decimal("20.00"), Decimal("30.00")]


def test_a_rule_holds_from_the_moment_it_is_live_until_it_is_stopped(cup):
    assert totals([basket(cup)]) == [Decimal("20.00")]
    version = scenes.live("SAVE", Rule(reward=SAVE_5))
    assert totals([basket(cup)]) == [Decimal("15.00")]
    scenes.stop(version)
    assert totals([basket(cup)]) == [Decimal("20.00")]
    versions.resume(GOVERNED, version.pk, Deed(scenes.person("boss"), NOON))
    assert totals([basket(cup)]) == [Decimal("15.00")]


def test_goods_of_a_rule_are_found_by_what_our_sku_is(cup):
    cup.brand = "North"
    cup.save()
    reward = SpendAndSave((Step(Decimal(20), Decimal(5)),), goods=Goods(brands=("North",)))
    scenes.live("SAVE", Rule(reward=reward))
    assert totals([basket(cup)]) == [Decimal("15.00")]


def test_a_limit_is_counted_down_from_basket_to_basket_and_nothing_is_taken(cup):
    scenes.live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses=1)))
    first, second = quotes.quote([basket(cup), basket(cup, 2)], at=NOON)
    assert (outcomes(first), outcomes(second)) == ({"SAVE": Outcome.APPLIED}, {"SAVE": Outcome.SPENT})
    assert (Allowance.objects.get().uses, Redemption.objects.count()) == (0, 0)


def test_a_budget_is_counted_down_too(cup):
    scenes.live("SAVE", Rule(reward=SAVE_5, limits=Limits(budget=Decimal(9))))
    assert totals([basket(cup), basket(cup, 2)]) == [Decimal("15.00"), Decimal("20.00")]


def test_a_buyers_limit_looks_at_this_buyer(cup):
    scenes.live("SAVE", Rule(reward=SAVE_5, limits=Limits(most_uses_of_a_buyer=1)))
    same = [basket(cup, number, buyer="JD:b") for number in (1, 2)]
    assert totals([*same, basket(cup, 3, buyer="JD:c")]) == [Decimal("15.00"), Decimal("20.00"), Decimal("15.00")]


def test_a_coupon_works_in_its_time_and_as_often_as_it_may(cup):
    version = scenes.live("SAVE", Rule(reward=SAVE_5, needs_coupon=True))
    Coupon.objects.create(
        code="HI", promotion=version.promotion, most_uses=1, starts_at=NOON, ends_at=NOON + timedelta(hours=1)
    )
    wanted = [basket(cup, number, coupons=("HI",)) for number in (1, 2)]
    assert totals([*wanted, basket(cup, 3)]) == [Decimal("15.00"), Decimal("20.00"), Decimal("20.00")]
    assert totals(wanted[:1], NOON - timedelta(seconds=1)) == [Decimal("20.00")]
    assert totals(wanted[:1], NOON + timedelta(hours=1)) == [Decimal("20.00")]


def test_the_last_gift_is_given_once(cup):
    gift = company.sku("GIFT")
    company.stock(gift, company.node("SH"), 1)
    scenes.live("GIVE", Rule(reward=BuyGet(goods=Goods(skus=("CUP",)), items=(Item("GIFT"),), most_times=1)))
    first, second = quotes.quote([basket(cup), basket(cup, 2)], at=NOON)
    assert [(line.sku, line.quantity) for line in first.gifts] == [("GIFT", 1)]
    assert (second.gifts, outcomes(second)) == ((), {"GIVE": Outcome.NO_STOCK})


def test_the_number_of_queries_does_not_grow_with_the_baskets(cup, django_assert_num_queries):
    gift = company.sku("GIFT")
    company.stock(gift, company.node("SH"), 100)
    version = scenes.live("SAVE", Rule(reward=SAVE_5, needs_coupon=True, limits=Limits(most_uses=500)))
    Coupon.objects.create(code="HI", promotion=version.promotion)
    scenes.live("GIVE", Rule(reward=BuyGet(goods=Goods(skus=("CUP",)), items=(Item("GIFT"),), most_times=1)))
    quotes.live()
    for count in (1, 60):
        baskets = [basket(cup, number, buyer=f"JD:{number}", coupons=("HI",)) for number in range(count)]
        with django_assert_num_queries(8):  # live, goods, limits, coupons, nodes, gifts: bundles, stock, lots
            assert set(totals(baskets)) == {Decimal("15.00")}


def test_pinned_versions_give_the_same_price_after_they_are_gone(cup):
    scenes.live("SAVE", Rule(reward=SAVE_5))
    pins = quotes.live().pins
    scenes.live("SAVE", Rule(reward=SpendAndSave((Step(Decimal(20), Decimal(1)),))))
    scenes.stop(PromotionVersion.objects.get(status="live"))
    quotes._kept.clear()
    request = quotes.Request(basket(cup), quotes.pinned([pins])[pins])
    assert (pins, quotes.quote_all([request], at=NOON)[0].quote.total) == ((("SAVE", 1),), Decimal("15.00"))
