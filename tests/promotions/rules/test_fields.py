"""What a rule stays inside: brands, channels, provinces; and whether that is what a person answers for."""

from decimal import Decimal as D

import pytest

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.fields import Bounds, Fields, bounds, is_inside
from promotions.rules.goods import Goods
from promotions.rules.rule import Rule

SAVE = r.SpendAndSave((r.Step(D(100), D(10)),))
BRAND_OF = {"CUP": "Oak", "LID": "Oak", "PAN": "Elm", "TOY": ""}
EAST = frozenset({"31", "32", "33", "34", "35", "36", "37"})
JD, TM = c.OnChannel(("JD",)), c.OnChannel(("TM",))


def found(condition=c.ALWAYS, reward=SAVE, brand=""):
    return bounds(Rule(reward=reward, condition=condition), brand=brand, brand_of=BRAND_OF)


@pytest.mark.parametrize(
    ("condition", "channels", "regions"),
    [
        pytest.param(c.ALWAYS, None, None, id="nothing"),
        pytest.param(JD, {"JD"}, None, id="one channel"),
        pytest.param(c.OnChannel(("JD", "TM")), {"JD", "TM"}, None, id="two channels"),
        pytest.param(c.All((JD, c.Amount(D(100)))), {"JD"}, None, id="one of all is enough"),
        pytest.param(c.All((c.OnChannel(("JD", "TM")), JD)), {"JD"}, None, id="both must be true: the narrower"),
        pytest.param(c.Any((JD, TM)), {"JD", "TM"}, None, id="either"),
        pytest.param(c.Any((JD, c.Amount(D(100)))), None, None, id="or anything else"),
        pytest.param(c.Any(()), None, None, id="an empty group"),
        pytest.param(c.Not(JD), None, None, id="all but one channel"),
        pytest.param(c.All((c.Not(JD), TM)), {"TM"}, None, id="not beside one"),
        pytest.param(c.All((JD, TM)), set(), None, id="never true"),
        pytest.param(c.ShipsTo(("31", "SG")), None, {"31", "SG"}, id="province and country"),
        pytest.param(c.ShipsTo(("east",)), None, EAST, id="an area is its provinces"),
        pytest.param(c.All((JD, c.ShipsTo(("31",)))), {"JD"}, {"31"}, id="channel and province"),
        pytest.param(c.Any((JD, c.ShipsTo(("31",)))), None, None, id="channel or province"),
        pytest.param(c.All((c.Any((c.All((JD, c.Amount(D(9)))), TM)),)), {"JD", "TM"}, None, id="deep"),
    ],
)
def test_a_condition_bounds(condition, channels, regions):
    told = found(condition)
    assert (told.channels, told.regions, told.brands) == (channels, regions, None)


@pytest.mark.parametrize(
    ("reward", "condition", "brand", "brands"),
    [
        pytest.param(r.ItemOff(D(10), goods=Goods(brands=("Oak",))), c.ALWAYS, "Oak", {"Oak"}, id="its own brand"),
        pytest.param(r.ItemOff(D(10), goods=Goods(brands=("Oak",))), c.ALWAYS, "", None, id="the company's promotion"),
        pytest.param(r.ItemOff(D(10), goods=Goods(skus=("CUP", "PAN"))), c.ALWAYS, "Oak", {"Oak", "Elm"}, id="two"),
        pytest.param(r.ItemOff(D(10), goods=Goods(skus=("TOY",))), c.ALWAYS, "Oak", None, id="goods without a brand"),
        pytest.param(r.ItemOff(D(10), goods=Goods(skus=("GHOST",))), c.ALWAYS, "Oak", None, id="unknown goods"),
        pytest.param(r.ItemOff(D(10), goods=Goods(categories=("cups",))), c.ALWAYS, "Oak", None, id="a category"),
        pytest.param(r.ItemOff(D(10), goods=Goods(except_skus=("PAN",))), c.ALWAYS, "Oak", None, id="all but some"),
        pytest.param(r.ItemOff(D(10)), c.ALWAYS, "Oak", None, id="all goods"),
        pytest.param(SAVE, c.Amount(D(9), goods=Goods(brands=("Oak",))), "Oak", None, id="off all, for buyers of one"),
        pytest.param(r.BuyGetOff(Goods(skus=("CUP",)), Goods(skus=("PAN",))), c.ALWAYS, "Oak", {"Oak", "Elm"},
                     id="both sides"),
        pytest.param(r.BuyGetOff(Goods(skus=("CUP",)), Goods()), c.ALWAYS, "Oak", None, id="any goods cheaper"),
        pytest.param(r.BundlePrice((r.Item("CUP"), r.Item("LID")), D(9)), c.ALWAYS, "Oak", {"Oak"}, id="a bundle"),
        pytest.param(r.Gift((r.Item("PAN"),)), c.Amount(D(9), goods=Goods(brands=("Oak",))), "Oak", {"Oak"},
                     id="a gift for buyers of the brand"),
        pytest.param(r.Gift((r.Item("PAN"),)), c.Amount(D(9)), "Oak", None, id="a gift for everybody"),
        pytest.param(r.FreeShipping(), c.Quantity(1, goods=Goods(skus=("LID",))), "Oak", {"Oak"}, id="shipping"),
        pytest.param(r.FreeShipping(), c.Quantity(0, 5, goods=Goods(skus=("LID",))), "Oak", None,
                     id="none of it is enough"),
        pytest.param(r.PurchaseLimit(5, goods=Goods(skus=("CUP",))), c.ALWAYS, "Oak", {"Oak"}, id="a limit"),
    ],
)  # fmt: skip
def test_a_promotion_of_a_brand_bounds_when_what_it_touches_is_of_brands(reward, condition, brand, brands):
    assert found(condition, reward, brand).brands == brands


OAK, TWO, SHANGHAI = frozenset({"Oak"}), frozenset({"JD", "TM"}), frozenset({"31"})


@pytest.mark.parametrize(
    ("told", "fields", "inside"),
    [
        pytest.param(Bounds(), Fields(OAK, TWO, SHANGHAI), False, id="nothing bounds it"),
        pytest.param(Bounds(channels=frozenset({"JD"})), Fields(channels=TWO), True, id="one of two"),
        pytest.param(Bounds(channels=TWO), Fields(channels=frozenset({"JD"})), False, id="only one of both"),
        pytest.param(Bounds(channels=TWO), Fields(channels=TWO), True, id="both"),
        pytest.param(Bounds(channels=frozenset()), Fields(channels=TWO), False, id="never true"),
        pytest.param(Bounds(regions=SHANGHAI), Fields(regions=frozenset({"east"})), True, id="a province of an area"),
        pytest.param(Bounds(regions=EAST), Fields(regions=SHANGHAI), False, id="more than the province"),
        pytest.param(Bounds(brands=OAK, channels=TWO), Fields(brands=OAK), True, id="the brand on any channel"),
        pytest.param(Bounds(channels=TWO), Fields(brands=OAK), False, id="another sort of field"),
        pytest.param(Bounds(brands=OAK), Fields(), False, id="no fields"),
    ],
)
def test_all_of_what_bounds_a_rule_must_belong_to_the_person(told, fields, inside):
    assert is_inside(told, fields) is inside
