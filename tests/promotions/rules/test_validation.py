"""What is refused in a rule, and with which words."""

from datetime import UTC, datetime, time
from decimal import Decimal as D

import pytest

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.complaining import ShopFacts
from promotions.rules.goods import Goods
from promotions.rules.rule import Limits, Rule
from promotions.rules.validation import complaints

CUP = Goods(skus=("CUP",))
SHOP = ShopFacts(
    prices={"CUP": D(10), "LID": D(4), "SAMPLE": D(0)}, gift_units={"SAMPLE": 5, "LID": 5},
    categories=frozenset({"cups"}), brands=frozenset({"Oak"}), channels=frozenset({"POS"}), stores=frozenset({"S1"}),
)  # fmt: skip
GIFT = r.Gift((r.Item("SAMPLE"),))


def told(made, facts=SHOP):
    return [(complaint.field, str(complaint.why)) for complaint in complaints(made, facts)]


def steps(*pairs, **columns):
    return r.SpendAndSave(tuple(r.Step(D(least), D(off)) for least, off in pairs), **columns)


GOOD = [
    steps((300, 50)), steps((200, 20), (400, 60)), steps((300, "12.5"), is_percent=True),
    steps((300, 40), is_repeated=True, most=D(120)), r.ItemOff(D(20), goods=CUP), r.ItemOff(D(3), False, goods=CUP),
    r.NForPrice(3, D(25), CUP), r.NthOff(goods=CUP), r.BundlePrice((r.Item("CUP"), r.Item("LID")), D(12)),
    r.MemberPrice((r.SkuPrice("CUP", D(8)),)), GIFT, r.Gift((r.Item("SAMPLE"),), every=D(100), most_times=3),
    r.BuyGet(CUP, (r.Item("LID"),)), r.BuyGetOff(CUP, Goods(brands=("Oak",))), r.FreeShipping(D(8)),
    r.Deposit(D(2), D(5), CUP), r.PurchaseLimit(5, 30, Goods(categories=("cups",))),
    r.Gift((r.Item("SAMPLE"), r.Item("CUP")), r.Choice.FIRST_IN_STOCK),
]  # fmt: skip


@pytest.mark.parametrize("reward", GOOD, ids=lambda reward: type(reward).__name__)
def test_a_good_rule_is_not_complained_about(reward):
    assert told(Rule(reward=reward)) == []


@pytest.mark.parametrize(
    ("reward", "complaint"),
    [
        pytest.param(steps(), ("steps", "Say from which amount on how much comes off."), id="no step"),
        pytest.param(steps((400, 60), (200, 20)), ("steps", "The step from ¥200 must ask for more and give more than "
                     "the step from ¥400 before it."), id="out of order"),
        pytest.param(steps((50, 60)), ("steps", "The step from ¥50 takes off ¥60: more than the goods cost."),
                     id="more than the step"),
        pytest.param(steps((50, 120), is_percent=True),
                     ("steps", "120 per cent is not possible: choose more than 0 and at most 100."), id="per cent"),
        pytest.param(steps((100, 5), (200, 15), is_repeated=True), ("steps", "Only one step can be repeated for every "
                     "full amount. Leave one, or do not repeat."), id="repeated steps"),
        pytest.param(r.ItemOff(D(20), False, goods=CUP), ("off", "It takes off ¥20, but CUP costs only ¥10."),
                     id="more than the price"),
        pytest.param(r.NForPrice(1, D(9), CUP), ("count", "Take at least two units together."), id="one for a price"),
        pytest.param(r.BundlePrice((r.Item("CUP"), r.Item("LID")), D(20)),
                     ("price", "Together they cost ¥20, apart only ¥14."), id="dear bundle"),
        pytest.param(r.MemberPrice((r.SkuPrice("CUP", D(10)),)),
                     ("prices", "CUP costs everybody ¥10: the members' price must be less."), id="member price"),
        pytest.param(r.Gift((r.Item("SAMPLE", 6),)), ("items", "There is no stock of the gift SAMPLE (5 units). Order "
                     "it or choose another."), id="gift without stock"),
        pytest.param(r.Gift((r.Item("SAMPLE"),), most_times=2),
                     ("every", "Say for which amount the gift is given again."), id="again for what"),
        pytest.param(r.BuyGet(Goods(), (r.Item("SAMPLE"),)), ("goods", "Say which goods must be bought."),
                     id="buy anything"),
        pytest.param(r.BuyGet(Goods(skus=("LID",)), (r.Item("LID"),)),
                     ("items", "LID is the gift and the only goods that must be bought."), id="gift of itself"),
        pytest.param(r.Deposit(D(5), D(5), CUP), ("worth", "A deposit of ¥5 must be worth more than itself, not ¥5."),
                     id="deposit"),
        pytest.param(r.Deposit(D(5), D(30), CUP), ("worth", "The deposit is worth ¥30, but CUP costs only ¥10."),
                     id="deposit above the price"),
        pytest.param(r.PurchaseLimit(0), ("units", "This is at least 1. Leave it empty for no limit."), id="no unit"),
        pytest.param(r.FreeShipping(D(0)), ("most", "At most ¥0 would give nothing. Leave it empty for no limit."),
                     id="shipping for nothing less"),
        pytest.param(r.NthOff(goods=Goods(skus=("CPU",))),
                     ("goods", "The SKU CPU is not known. Look at its spelling."), id="unknown SKU"),
        pytest.param(r.NthOff(goods=Goods(categories=("mugs",))), ("goods", "The category mugs is not known."),
                     id="unknown category"),
        pytest.param(r.NthOff(goods=Goods(brands=("Elm",))), ("goods", "The brand Elm is not known."),
                     id="unknown brand"),
    ],
)  # fmt: skip
def test_a_bad_reward_is_complained_about(reward, complaint):
    assert told(Rule(reward=reward)) == [complaint]


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        pytest.param(c.Any(), "A group of conditions is empty. Add a condition or remove the group.", id="empty any"),
        pytest.param(c.All((c.Amount(D(9)), c.All())),
                     "A group of conditions is empty. Add a condition or remove the group.", id="empty within"),
        pytest.param(c.Not(c.OnChannel(("JD",))), "The channel JD is not known.", id="unknown channel"),
        pytest.param(c.AtStore(("S9",)), "The store S9 is not known.", id="unknown store"),
        pytest.param(c.ShipsTo(("mars",)), "The region mars is not known. Choose a province or an area.", id="region"),
        pytest.param(c.Amount(), "An amount of ¥0 or more is always true. Say how much.", id="no amount"),
        pytest.param(c.Amount(D(300), D(300)), "From ¥300 to less than ¥300 there is nothing.", id="empty amount"),
        pytest.param(c.Quantity(3, 2), "From 3 to 2 units there is nothing.", id="empty quantity"),
        pytest.param(c.OrdersBefore(), "0 orders or more is always true. Say how many.", id="no orders"),
        pytest.param(c.OnWeekdays(), "Choose at least one weekday.", id="no weekday"),
        pytest.param(c.OnWeekdays((8,)), "A weekday is 1 (Monday) to 7 (Sunday).", id="eighth day"),
        pytest.param(c.InHours(time(20), time(20)), "The hours begin and end at 20:00: that is no time at all.",
                     id="no hours"),
        pytest.param(c.Member(), "A condition names nothing. Say which, or remove it.", id="no tier"),
    ],
)  # fmt: skip
def test_a_bad_condition_is_complained_about(condition, why):
    assert told(Rule(reward=GIFT, condition=condition)) == [("condition", why)]


def test_time_and_limits_are_looked_at():
    made = Rule(
        reward=GIFT, starts_at=datetime(2026, 6, 18, tzinfo=UTC), ends_at=datetime(2026, 6, 17, tzinfo=UTC),
        limits=Limits(0, 0, D(0)),
    )  # fmt: skip
    zero = "A limit of 0 gives nothing to anybody. Leave it empty for no limit."
    assert told(made) == [
        ("ends_at", "It ends at 2026-06-17 08:00, before it starts at 2026-06-18 08:00."),
        ("most_uses", zero), ("most_uses_of_a_buyer", zero), ("budget", zero),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "count"),
    [(Limits(), 1), (Limits(most_uses=5), 0), (Limits(budget=D(5)), 0), (Limits(most_uses_of_a_buyer=1), 1)],
)
def test_what_nothing_bounds_needs_a_budget(limits, count):
    found = told(Rule(reward=GIFT, limits=limits), ShopFacts(most_unbounded=D(1000)))
    words = "Nothing bounds what it gives. Above ¥1,000 it needs a budget or a number of orders."
    assert found == [("budget", words)] * count


def test_a_circle_of_gifts_is_found_through_other_promotions():
    facts = ShopFacts(gives={"B": frozenset({"C"}), "C": frozenset({"A", "D"})})
    words = "The gifts go round in a circle: A → B → C → A. Stop the other promotion or choose another gift."
    assert told(Rule(reward=r.BuyGet(Goods(skus=("A",)), (r.Item("B"),))), facts) == [("items", words)]
    assert told(Rule(reward=r.BuyGet(Goods(skus=("D2",)), (r.Item("B"),))), facts) == []


def test_everything_that_is_wrong_is_told_once():
    made = Rule(reward=r.NthOff(1, D(0), CUP), condition=c.All((c.Any(), c.Any())))
    assert [field for field, _why in told(made)] == ["nth", "percent", "condition"]
