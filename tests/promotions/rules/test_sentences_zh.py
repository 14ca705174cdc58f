"""The same sentences as Chinese readers see them: what stands before an order in Chinese, and what follows it."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.utils import translation

from audit.models.sentences import render
from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.differences import changes
from promotions.rules.goods import Goods
from promotions.rules.rule import Limits
from promotions.rules.sentences import describe
from tests.promotions.rules.test_sentences import CUP, NAMES, SAMPLE, rule


def in_chinese(sentence):
    with translation.override("zh-hans"):
        return render(sentence.stored())


def reads(asked):
    return in_chinese(describe(asked, NAMES))


@pytest.mark.parametrize(
    ("reward", "words"),
    [
        pytest.param(r.SpendAndSave((r.Step(D(300), D(50)),)), "满¥300减¥50", id="spend and save"),
        pytest.param(r.SpendAndSave((r.Step(D(200), D(20)), r.Step(D(400), D("60.50")))),
                     "满¥200减¥20、满¥400减¥60.50", id="steps"),
        pytest.param(r.SpendAndSave((r.Step(D(300), D(40)),), is_repeated=True, most=D(120)),
                     "每满¥300减¥40，最多优惠¥120", id="repeated"),
        pytest.param(r.SpendAndSave((r.Step(D(300), D("12.5")),), is_percent=True, goods=CUP),
                     "满¥300打8.75折，仅计CUP", id="per cent of some goods"),
        pytest.param(r.ItemOff(D(20)), "任意商品打8折", id="per cent off"),
        pytest.param(r.ItemOff(D(5), is_percent=False, most_units=2, goods=CUP), "CUP每件减¥5，最多 2 件",
                     id="amount off"),
        pytest.param(r.NForPrice(3, D(99), Goods(categories=("cups",))), "“杯子”类商品任选 3 件共¥99",
                     id="n for a price"),
        pytest.param(r.NthOff(goods=CUP), "CUP第 2 件5折", id="second item"),
        pytest.param(r.BundlePrice((r.Item("A"), r.Item("B", 2)), D(59)), "1 × A和2 × B套装价¥59", id="bundle"),
        pytest.param(r.MemberPrice((r.SkuPrice("A", D(8)), r.SkuPrice("B", D(9)))), "A 只要¥8、B 只要¥9",
                     id="member price"),
        pytest.param(SAMPLE, "赠 1 × SAMPLE-B", id="gift"),
        pytest.param(r.Gift((r.Item("A"), r.Item("B")), r.Choice.BUYER, every=D(100), most_times=3),
                     "每满¥100赠 1 × A或1 × B（买家任选其一），最多 3 次", id="choice"),
        pytest.param(r.BuyGet(CUP, (r.Item("B"), r.Item("C")), 2, r.Choice.FIRST_IN_STOCK),
                     "每买 2 件CUP赠 1 × B、1 × C中首个有货的一种", id="buy and get"),
        pytest.param(r.BuyGetOff(CUP, Goods(brands=("Oak",)), 2, 1, D(30), 1),
                     "每买 2 件CUP，1 件“Oak”品牌商品7折，仅一次", id="buy and get off"),
        pytest.param(r.FreeShipping(), "包邮", id="free shipping"),
        pytest.param(r.FreeShipping(D(8)), "运费最多减¥8", id="cheaper shipping"),
        pytest.param(r.Deposit(D(10), D(30), CUP), "CUP每件付定金¥10抵¥30", id="deposit"),
        pytest.param(r.PurchaseLimit(5, goods=CUP), "CUP每单限购 5 件", id="limit"),
        pytest.param(r.PurchaseLimit(5, 30, CUP), "CUP每人 30 天内限购 5 件", id="limit of days"),
    ],
)  # fmt: skip
def test_a_reward_reads(reward, words):
    assert reads(rule(reward)) == f"所有订单，{words}"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        pytest.param(c.Amount(D(300)), "实付满¥300", id="amount"),
        pytest.param(c.Amount(D(300), D(500)), "实付满¥300且不足¥500", id="between"),
        pytest.param(c.Amount(D(99), goods=Goods(except_skus=("LID",))), "含任意商品（LID除外）满¥99",
                     id="amount of goods"),
        pytest.param(c.Quantity(2, goods=CUP), "含CUP至少 2 件", id="quantity"),
        pytest.param(c.Quantity(2, 5), "含任意商品 2 至 5 件", id="quantity between"),
        pytest.param(c.ShipsTo(("east", "11")), "寄往华东或北京", id="region"),
        pytest.param(c.OnChannel(("TM", "POS")), "来自天猫或POS", id="channel"),
        pytest.param(c.AtStore(("S1",)), "在门店 S1 购买", id="store"),
        pytest.param(c.Member(("gold",)), "由 gold 会员购买", id="tier"),
        pytest.param(c.OrdersBefore(at_most=0), "首次购买", id="first order"),
        pytest.param(c.OrdersBefore(3), "此前至少有 3 单", id="known buyer"),
        pytest.param(c.OnWeekdays((7, 6)), "在周六或周日下单", id="weekdays"),
        pytest.param(c.All((c.Amount(D(300)), c.ShipsTo(("east",)))), "实付满¥300、寄往华东", id="all"),
        pytest.param(c.Any((c.Amount(D(300)), c.All((c.Member(("gold",)), c.ShipsTo(("east",)))))),
                     "（实付满¥300或（由 gold 会员购买且寄往华东））", id="nested"),
        pytest.param(c.All((c.Amount(D(9)), c.Not(c.ShipsTo(("54",))))), "实付满¥9、非寄往西藏", id="not"),
    ],
)  # fmt: skip
def test_a_condition_stands_before_the_orders(condition, words):
    assert reads(rule(SAMPLE, condition)) == f"{words}的订单，赠 1 × SAMPLE-B"


def test_time_limits_and_a_coupon_stand_in_the_sentence():
    asked = rule(
        r.FreeShipping(), c.Amount(D(99)), needs_coupon=True, limits=Limits(1000, 2, D(5000)),
        starts_at=datetime(2026, 6, 17, 12, tzinfo=UTC), ends_at=datetime(2026, 6, 18, 16, tzinfo=UTC),
    )  # fmt: skip
    assert reads(asked) == (
        "实付满¥99并使用优惠券的订单，包邮；2026-06-17 20:00 起至 2026-06-19 00:00 止；"
        "最多 1000 单；每位买家最多 2 次；预算共¥5,000"
    )


def test_each_difference_is_told_with_what_it_was():
    old = rule(SAMPLE, c.Amount(D(200)), limits=Limits(budget=D(500)))
    new = rule(r.Gift((r.Item("SAMPLE-B", 2),)), c.Amount(D(300)), is_exclusive=True, priority=3, group="618")
    assert [in_chinese(change) for change in changes(old, new)] == [
        "适用订单：实付满¥300（原为：实付满¥200）",
        "优惠内容：赠 2 × SAMPLE-B（原为：赠 1 × SAMPLE-B）",
        "预算：无（原为：¥500）",
        "互斥组：618（原为：无）",
        "排斥同一环节的其他规则：是（原为：否）",
        "优先级：3（原为：0）",
    ]
