"""A promotion as one sentence, and what a new version changes."""

from datetime import UTC, datetime, time
from decimal import Decimal as D

import pytest

from audit.rules.sentences import Name
from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.differences import changes
from promotions.rules.goods import Goods
from promotions.rules.naming import Names
from promotions.rules.rule import Limits, Rule
from promotions.rules.sentences import describe

SAMPLE = r.Gift((r.Item("SAMPLE-B"),))
CUP = Goods(skus=("CUP",))
NAMES = Names(categories={"cups": Name("杯子", "Cups")}, channels={"TM": Name("天猫", "Tmall")})


def rule(reward, condition=c.ALWAYS, **columns):
    return Rule(reward=reward, condition=condition, **columns)


@pytest.mark.parametrize(
    ("reward", "words"),
    [
        pytest.param(r.SpendAndSave((r.Step(D(300), D(50)),)), "get ¥50 off from ¥300 on", id="spend and save"),
        pytest.param(r.SpendAndSave((r.Step(D(200), D(20)), r.Step(D(400), D("60.50")))),
                     "get ¥20 off from ¥200 on, ¥60.50 off from ¥400 on", id="steps"),
        pytest.param(r.SpendAndSave((r.Step(D(300), D(40)),), is_repeated=True, most=D(120)),
                     "get ¥40 off for every ¥300, at most ¥120", id="repeated"),
        pytest.param(r.SpendAndSave((r.Step(D(300), D("12.5")),), is_percent=True, goods=CUP),
                     "get 12.5% off from ¥300 on, counting only CUP", id="per cent of some goods"),
        pytest.param(r.ItemOff(D(20)), "get any goods at 20% off", id="per cent off"),
        pytest.param(r.ItemOff(D(5), is_percent=False, most_units=2, goods=CUP),
                     "get each unit of CUP ¥5 cheaper for at most 2 units", id="amount off"),
        pytest.param(r.NForPrice(3, D(99), Goods(categories=("cups",))),
                     "get any 3 × goods of category Cups for ¥99", id="n for a price"),
        pytest.param(r.NthOff(goods=CUP), "get every 2nd unit of CUP at 50% off", id="second item"),
        pytest.param(r.NthOff(11, D(100), CUP), "get every 11th unit of CUP at no cost", id="eleventh item"),
        pytest.param(r.BundlePrice((r.Item("A"), r.Item("B", 2)), D(59)), "get 1 × A and 2 × B together for ¥59",
                     id="bundle"),
        pytest.param(r.MemberPrice((r.SkuPrice("A", D(8)), r.SkuPrice("B", D(9)))), "get A for ¥8, B for ¥9",
                     id="member price"),
        pytest.param(SAMPLE, "get 1 × SAMPLE-B", id="gift"),
        pytest.param(r.Gift((r.Item("A"), r.Item("B")), r.Choice.BUYER, every=D(100), most_times=3),
                     "get the buyer's choice of 1 × A or 1 × B for every full ¥100, at most 3 times", id="choice"),
        pytest.param(r.BuyGet(CUP, (r.Item("B"), r.Item("C")), 2, r.Choice.FIRST_IN_STOCK),
                     "get the first in stock of 1 × B, 1 × C for every 2 × CUP", id="buy and get"),
        pytest.param(r.BuyGetOff(CUP, Goods(brands=("Oak",)), 2, 1, D(30), 1),
                     "get 1 × goods of brand Oak at 30% off for every 2 × CUP, once", id="buy and get off"),
        pytest.param(r.FreeShipping(), "are shipped free", id="free shipping"),
        pytest.param(r.FreeShipping(D(8)), "are shipped for up to ¥8 less", id="cheaper shipping"),
        pytest.param(r.Deposit(D(10), D(30), CUP), "get ¥30 for a deposit of ¥10 on each unit of CUP", id="deposit"),
        pytest.param(r.PurchaseLimit(5, goods=CUP), "may have at most 5 × CUP each", id="limit"),
        pytest.param(r.PurchaseLimit(5, 30, CUP), "may have at most 5 × CUP per buyer within 30 days",
                     id="limit of days"),
    ],
)  # fmt: skip
def test_a_reward_reads(reward, words):
    assert str(describe(rule(reward), NAMES)) == f"All orders {words}"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        pytest.param(c.Amount(D(300)), "of ¥300 or more", id="amount"),
        pytest.param(c.Amount(D(300), D(500)), "of ¥300 or more but less than ¥500", id="between"),
        pytest.param(c.Amount(D(99), goods=Goods(except_skus=("LID",))), "with any goods except LID for ¥99 or more",
                     id="amount of goods"),
        pytest.param(c.Quantity(2, goods=CUP), "with at least 2 × CUP", id="quantity"),
        pytest.param(c.Quantity(2, 5), "with 2 to 5 × any goods", id="quantity between"),
        pytest.param(c.ShipsTo(("east", "11")), "shipped to East China or Beijing", id="region"),
        pytest.param(c.OnChannel(("TM", "POS")), "on Tmall or POS", id="channel"),
        pytest.param(c.AtStore(("S1",)), "in the store S1", id="store"),
        pytest.param(c.Member(("gold",)), "by members of tier gold", id="tier"),
        pytest.param(c.Segment(("vip",)), "by buyers in vip", id="segment"),
        pytest.param(c.OrdersBefore(at_most=0), "by first-time buyers", id="first order"),
        pytest.param(c.OrdersBefore(3), "by buyers with at least 3 orders before", id="known buyer"),
        pytest.param(c.PaysBy(("alipay",)), "paid by alipay", id="payment"),
        pytest.param(c.OnWeekdays((7, 6)), "placed on Saturday or Sunday", id="weekdays"),
        pytest.param(c.InHours(time(20), time(0)), "placed between 20:00 and 00:00", id="hours"),
        pytest.param(c.All((c.Amount(D(300)), c.ShipsTo(("east",)))), "of ¥300 or more shipped to East China",
                     id="all"),
        pytest.param(c.Any((c.Amount(D(300)), c.All((c.Member(("gold",)), c.ShipsTo(("east",)))))),
                     "(of ¥300 or more or (by members of tier gold as well as shipped to East China))", id="nested"),
        pytest.param(c.All((c.Amount(D(9)), c.Not(c.ShipsTo(("54",))))), "of ¥9 or more but not shipped to Tibet",
                     id="not"),
    ],
)  # fmt: skip
def test_a_condition_reads(condition, words):
    assert str(describe(rule(SAMPLE, condition), NAMES)) == f"Orders {words} get 1 × SAMPLE-B"


def test_many_goods_are_counted():
    asked = rule(SAMPLE, c.Quantity(1, goods=Goods(skus=tuple(f"S{n}" for n in range(10)))))
    assert str(describe(asked)) == (
        "Orders with at least 1 × S0 or S1 or S2 or S3 or S4 or 5 more get 1 × SAMPLE-B"
    )  # fmt: skip


def test_time_limits_and_a_coupon_stand_in_the_sentence():
    asked = rule(
        r.FreeShipping(), c.Amount(D(99)), needs_coupon=True, limits=Limits(1000, 2, D(5000)),
        starts_at=datetime(2026, 6, 17, 12, tzinfo=UTC), ends_at=datetime(2026, 6, 18, 16, tzinfo=UTC),
    )  # fmt: skip
    assert str(describe(asked)) == (
        "Orders of ¥99 or more with a coupon are shipped free; from 2026-06-17 20:00 until 2026-06-19 00:00; "
        "for at most 1000 orders; at most 2 times for each buyer; ¥5,000 in all"
    )


def told(old, new):
    return [str(change) for change in changes(old, new)]


def test_a_first_version_is_told_as_it_is():
    assert told(None, rule(SAMPLE)) == ["New: All orders get 1 × SAMPLE-B"]


def test_each_difference_is_told_with_what_it_was():
    old = rule(SAMPLE, c.Amount(D(200)), limits=Limits(budget=D(500)))
    new = rule(r.Gift((r.Item("SAMPLE-B", 2),)), c.Amount(D(300)), is_exclusive=True, priority=3, group="618")
    assert told(old, new) == [
        "Which orders: of ¥300 or more (was: of ¥200 or more)",
        "What they get: get 2 × SAMPLE-B (was: get 1 × SAMPLE-B)",
        "Budget: none (was: ¥500)",
        "Group: 618 (was: none)",
        "Excludes all others of its lane: yes (was: no)",
        "Priority: 3 (was: 0)",
    ]


def test_a_version_that_says_the_same_says_so():
    assert told(rule(SAMPLE), rule(SAMPLE)) == ["It says the same."]
