"""What each reward gives, to the cent."""

from decimal import Decimal as D

import pytest

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import Circumstances, Left
from promotions.rules.goods import Goods
from tests.promotions.rules.shop import basket, line, nets, outcomes, priced, rule

CUPS, PENS = Goods(categories=("cups",)), Goods(categories=("pens",))
STEPS = (r.Step(D(100), D(10)), r.Step(D(300), D(50)))


@pytest.mark.parametrize(
    ("reward", "lines", "expected"),
    [
        pytest.param(r.SpendAndSave(steps=STEPS), [line(1, "A", "99.99")], ["99.99"], id="below the first step"),
        pytest.param(r.SpendAndSave(steps=STEPS), [line(1, "A", "100")], ["90.00"], id="just the first step"),
        pytest.param(r.SpendAndSave(steps=STEPS), [line(1, "A", "200"), line(2, "B", "100")], ["166.67", "83.33"],
                     id="the highest step, shared in proportion"),
        pytest.param(r.SpendAndSave(steps=(r.Step(D(100), D(10)),), is_repeated=True), [line(1, "A", "350")],
                     ["320.00"], id="once per full amount"),
        pytest.param(r.SpendAndSave(steps=(r.Step(D(100), D(10)),), is_repeated=True, most=D(15)),
                     [line(1, "A", "350")], ["335.00"], id="at most"),
        pytest.param(r.SpendAndSave(steps=(r.Step(D(100), D(15)),), is_percent=True), [line(1, "A", "100.10")],
                     ["85.08"], id="per cent, half a cent up"),
        pytest.param(r.SpendAndSave(steps=(r.Step(D(100), D(10)),), goods=PENS),
                     [line(1, "A", "90"), line(2, "P", "100", category="pens")], ["90.00", "90.00"],
                     id="only of its goods"),
        pytest.param(r.SpendAndSave(steps=(r.Step(D(10), D(50)),)), [line(1, "A", "20")], ["0.00"],
                     id="never below nothing"),
        pytest.param(r.SpendAndSave(steps=(r.Step(D(3), D(1)),)),
                     [line(1, "A", "1"), line(2, "B", "1"), line(3, "C", "1")], ["0.66", "0.67", "0.67"],
                     id="the odd cent to the first line"),
        pytest.param(r.ItemOff(off=D(20)), [line(1, "A", "9.99", 3)], ["23.98"], id="per cent off each"),
        pytest.param(r.ItemOff(off=D(3), is_percent=False), [line(1, "A", "2", 2), line(2, "B", "10")],
                     ["0.00", "7.00"], id="an amount off each, never more than it costs"),
        pytest.param(r.ItemOff(off=D(50), most_units=2), [line(1, "A", "10", 2), line(2, "B", "30")],
                     ["15.00", "15.00"], id="the dearest units first"),
        pytest.param(r.ItemOff(off=D(50), most=D(6)), [line(1, "A", "10"), line(2, "B", "20")], ["8.00", "16.00"],
                     id="at most so much altogether"),
        pytest.param(r.NForPrice(3, D(50)), [line(1, "A", "30", 2), line(2, "B", "20", 2)], ["37.50", "32.50"],
                     id="three for a price, the dearest together"),
        pytest.param(r.NForPrice(2, D(50)), [line(1, "A", "20", 4)], ["80.00"], id="not where it makes it dearer"),
        pytest.param(r.NForPrice(3, D(10)), [line(1, "A", "5", 7), line(2, "B", "4", 2)], ["23.85", "6.15"],
                     id="groups within a line and across two"),
        pytest.param(r.NForPrice(1000, D(1)), [line(1, "A", "0.01", 2_000_500)], ["2005.00"],
                     id="two million units at once"),
        pytest.param(r.NthOff(), [line(1, "A", "100"), line(2, "B", "60")], ["100.00", "30.00"], id="second item half"),
        pytest.param(r.NthOff(), [line(1, "A", "99", 3)], ["247.50"], id="the third is a first again"),
        pytest.param(r.NthOff(nth=3, percent=D(100)), [line(1, "A", "10", 7)], ["50.00"], id="every third free"),
        pytest.param(r.BundlePrice((r.Item("A", 2), r.Item("B")), D(25)),
                     [line(1, "A", "10", 5), line(2, "B", "20", 2)], ["35.00", "25.00"], id="a bundle twice"),
        pytest.param(r.BundlePrice((r.Item("A"), r.Item("A")), D(15)), [line(1, "A", "10", 3)], ["25.00"],
                     id="a SKU named twice in a bundle is needed twice"),
        pytest.param(r.BundlePrice((r.Item("A"), r.Item("B")), D(50)),
                     [line(1, "A", "30"), line(2, "B", "30"), line(3, "A", "10"), line(4, "B", "10")],
                     ["25.00", "25.00", "10.00", "10.00"], id="only the bundles that save"),
        pytest.param(r.BundlePrice((r.Item("A"), r.Item("B")), D(50)), [line(1, "A", "10"), line(2, "B", "20")],
                     ["10.00", "20.00"], id="no bundle that makes it dearer"),
        pytest.param(r.MemberPrice((r.SkuPrice("A", D("8.80")), r.SkuPrice("B", D(99)))),
                     [line(1, "A", "10", 2), line(2, "B", "20")], ["17.60", "20.00"], id="a member's price, if lower"),
        pytest.param(r.BuyGetOff(CUPS, PENS), [line(1, "A", "10", 2), line(2, "P", "3", category="pens"),
                                               line(3, "Q", "4", 2, category="pens")],
                     ["20.00", "0.00", "4.00"], id="buy a cup, get a pen: the cheapest two"),
        pytest.param(r.BuyGetOff(CUPS, CUPS, percent=D(50)), [line(1, "A", "10", 3)], ["25.00"],
                     id="a unit is bought or got, not both"),
        pytest.param(r.BuyGetOff(CUPS, PENS, 2, 3), [line(1, "A", "10", 5), line(2, "P", "3", 5, category="pens")],
                     ["50.00", "6.00"], id="three pens for every two cups"),
        pytest.param(r.BuyGetOff(CUPS, CUPS, most_times=1), [line(1, "A", "10", 9)], ["80.00"], id="got once"),
        pytest.param(r.ItemOff(off=D(20)), [line(1, "A", "33.335", 3)], ["80.01"], id="rounded once for a line"),
        pytest.param(r.ItemOff(off=D(150)), [line(1, "A", "10")], ["0.00"], id="not more than all of it"),
        pytest.param(r.NForPrice(2, D(-5)), [line(1, "A", "10", 2)], ["0.00"], id="no price below nothing"),
        pytest.param(r.Deposit(D(10), D(30)), [line(1, "A", "100", 2)], ["160.00"], id="a deposit grows"),
    ],
)  # fmt: skip
def test_a_reward_takes_off(reward, lines, expected):
    made = priced(basket(*lines), R=rule(reward))
    assert nets(made) == expected
    assert made.total == sum(D(net) for net in expected)
    assert made.goods - made.discount == made.total


@pytest.mark.parametrize(
    ("most", "shipping", "off"), [(None, "0.00", "12.00"), (D(8), "4.00", "8.00"), (D(20), "0.00", "12.00")]
)
def test_shipping_costs_less(most, shipping, off):
    made = priced(basket(line(1, "A", "10"), shipping=D(12)), SHIP=rule(r.FreeShipping(most)))
    assert (str(made.shipping), str(made.shipping_off), nets(made)) == (shipping, off, ["10.00"])
    assert made.total == D(10) + D(shipping)


@pytest.mark.parametrize(
    ("reward", "units", "gifts"),
    [
        (r.Gift((r.Item("G", 2), r.Item("H"))), None, [("G", 2), ("H", 1)]),
        (r.Gift((r.Item("G"),), every=D(100), most_times=2), None, [("G", 2)]),
        (r.Gift((r.Item("G"), r.Item("H")), r.Choice.FIRST_IN_STOCK), {"H": 1}, [("H", 1)]),
        (r.Gift((r.Item("G"), r.Item("H")), r.Choice.BUYER), {"G": 1, "H": 1}, [("H", 1)]),
        (r.Gift((r.Item("G"), r.Item("H")), r.Choice.BUYER), {"G": 1}, [("G", 1)]),
        (r.BuyGet(CUPS, (r.Item("G"),), buy_count=2), None, [("G", 1)]),
        (r.BuyGet(CUPS, (r.Item("G"),), most_times=1), None, [("G", 1)]),
        (r.BuyGet(CUPS, (r.Item("G"),)), None, [("G", 3)]),
    ],
    ids=["all", "per full amount", "first in stock", "chosen", "chosen is gone", "per two", "at most once", "per unit"],
)
def test_gifts_are_laid_into_the_parcel(reward, units, gifts):
    asked = basket(line(1, "A", "110", 3), chosen_gifts=("H",))
    made = priced(asked, Circumstances(gift_units=units), GIFT=rule(reward))
    assert [(gift.sku, gift.quantity) for gift in made.gifts] == gifts
    assert (made.total, outcomes(made)["GIFT"][0]) == (D("330.00"), "applied")


def test_a_gift_that_is_not_there_is_said():
    units = Circumstances(gift_units={"G": 1})
    made = priced(basket(line(1, "A", "10")), units, GIFT=rule(r.Gift((r.Item("G", 2),))))
    assert (made.gifts, outcomes(made)["GIFT"]) == (
        (), ("no_stock", "The gift G is not there: 2 are needed, 1 can be had."),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "before", "outcome"),
    [
        (r.PurchaseLimit(3), {}, ("nothing_left", "Within the limit: 3 of 3 units.")),
        (r.PurchaseLimit(2), {}, ("exceeded", "3 units; a buyer gets at most 2.")),
        (r.PurchaseLimit(4, days=7), {"A": 2},
         ("exceeded", "3 units after 2 in the last 7 days; a buyer gets at most 4.")),
        (r.PurchaseLimit(5, days=7), {"A": 2}, ("nothing_left", "Within the limit: 5 of 5 units.")),
    ],
)  # fmt: skip
def test_a_purchase_limit_says_what_is_too_much(limit, before, outcome):
    known = Circumstances(bought_before={"LIMIT": before})
    made = priced(basket(line(1, "A", "10", 3)), known, LIMIT=rule(limit))
    assert (outcomes(made)["LIMIT"], nets(made)) == (outcome, ["30.00"])
    assert bool(made.exceeded) is (outcome[0] == "exceeded")


def test_each_lane_sees_what_the_lanes_before_left():
    """Second item half: 100 + 50; the 150 do not reach 180, though the goods cost 200."""
    asked = basket(line(1, "A", "100", 2))
    saving = rule(r.SpendAndSave(steps=(r.Step(D(180), D(30)),)))
    made = priced(asked, HALF=rule(r.NthOff()), SAVE=saving)
    assert (nets(made), outcomes(made)["SAVE"]) == (
        ["150.00"], ("nothing_left", "Its goods come to 150.00; they need 180.00."),
    )  # fmt: skip
    assert nets(priced(asked, SAVE=saving)) == ["170.00"]


def test_rules_of_one_lane_see_the_same_prices_and_add_up():
    made = priced(basket(line(1, "A", "100")), TWENTY=rule(r.ItemOff(off=D(20))), TEN=rule(r.ItemOff(off=D(10))))
    assert (nets(made), [(grant.code, str(grant.amount)) for grant in made.lines[0].grants]) == (
        ["70.00"], [("TEN", "10.00"), ("TWENTY", "20.00")],
    )  # fmt: skip


def test_of_a_group_the_buyer_gets_the_best_and_is_told_why_not_the_other():
    made = priced(
        basket(line(1, "A", "100")),
        TWENTY=rule(r.ItemOff(off=D(20)), group="sale"), TEN=rule(r.ItemOff(off=D(10)), group="sale", priority=9),
        FREE=rule(r.ItemOff(off=D(5))),
    )  # fmt: skip
    assert (nets(made), outcomes(made)) == (
        ["75.00"],
        {
            "TWENTY": ("applied", "It takes 20.00 off."),
            "TEN": ("beaten", "TWENTY gives the buyer more: 20.00 instead of 10.00; the two exclude each other."),
            "FREE": ("applied", "It takes 5.00 off."),
        },
    )


@pytest.mark.parametrize(("alone", "expected"), [(D(30), ["70.00"]), (D(20), ["75.00"])])
def test_an_exclusive_rule_stands_alone_where_it_is_worth_more_than_the_others_together(alone, expected):
    made = priced(
        basket(line(1, "A", "100")),
        ONLY=rule(r.ItemOff(off=alone), is_exclusive=True), TEN=rule(r.ItemOff(off=D(10))),
        FIFTEEN=rule(r.ItemOff(off=D(15))),
    )  # fmt: skip
    assert nets(made) == expected


def test_combinations_are_compared_where_a_line_would_cost_less_than_nothing():
    """The two best of their groups are wasted on one line; the second best of one group is worth more beside them."""
    a, b = Goods(skus=("A",)), Goods(skus=("B",))
    made = priced(
        basket(line(1, "A", "100"), line(2, "B", "80")),
        A1=rule(r.ItemOff(off=D(100), goods=a), group="one"),
        A2=rule(r.ItemOff(off=D(90), goods=a), group="two"), B2=rule(r.ItemOff(off=D(60), goods=b), group="two"),
    )  # fmt: skip
    assert (nets(made), made.is_exact) == (["0.00", "32.00"], True)


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (Left(uses=0), "It has been used as often as it may."),
        (Left(uses_of_the_buyer=0), "The buyer has used it as often as they may."),
        (Left(budget=D("9.99")), "It would take 10.00; of its budget 9.99 is left."),
    ],
)
def test_what_is_used_up_gives_nothing_more(left, why):
    made = priced(basket(line(1, "A", "100")), Circumstances(left={"TEN": left}), TEN=rule(r.ItemOff(off=D(10))))
    assert (nets(made), outcomes(made)["TEN"]) == (["100.00"], ("spent", why))


def test_the_last_of_a_limit_is_still_given():
    left = Circumstances(left={"TEN": Left(1, 1, D(10))})
    assert nets(priced(basket(line(1, "A", "100")), left, TEN=rule(r.ItemOff(off=D(10))))) == ["90.00"]


def test_a_coupon_rule_needs_its_coupon():
    ten = rule(r.ItemOff(off=D(10)), needs_coupon=True)
    known = Circumstances(coupon_of={"AUTUMN": "TEN"})
    without = priced(basket(line(1, "A", "100")), known, TEN=ten)
    assert (nets(without), outcomes(without)["TEN"]) == (["100.00"], ("no_coupon", "It needs a coupon."))
    assert nets(priced(basket(line(1, "A", "100"), coupons=("AUTUMN",)), known, TEN=ten)) == ["90.00"]
    other = priced(basket(line(1, "A", "100"), coupons=("SPRING",)), known, TEN=ten)
    assert (nets(other), outcomes(other)["TEN"][0]) == (["100.00"], "no_coupon")


def test_where_the_channel_makes_the_prices_only_gifts_are_ours():
    asked = basket(line(1, "A", "100", discount="7"), shipping=D(5), is_priced_here=False)
    made = priced(asked, TEN=rule(r.ItemOff(off=D(10))), SHIP=rule(r.FreeShipping()), GIFT=rule(r.Gift((r.Item("G"),))))
    not_ours = ("not_priced_here", "The channel makes the prices of its orders itself.")
    assert outcomes(made) == {"TEN": not_ours, "SHIP": not_ours, "GIFT": ("applied", "It adds 1 × G.")}
    assert (nets(made), str(made.total)) == (["93.00"], "98.00")


def test_ours_comes_on_top_of_what_the_channel_granted():
    made = priced(basket(line(1, "A", "100", discount="10")), TEN=rule(r.ItemOff(off=D(10))))
    assert [(str(one.discount), str(one.granted), str(one.net)) for one in made.lines] == [("19.00", "9.00", "81.00")]


def test_spend_300_to_east_china_adds_a_sample():
    gift = rule(
        r.Gift((r.Item("SAMPLE-B"),)), c.All((c.Amount(at_least=D(300)), c.ShipsTo(("east",)))),
    )  # fmt: skip
    asked = line(1, "A", "150", 2)
    assert [item.sku for item in priced(basket(asked), GIFT=gift).gifts] == ["SAMPLE-B"]
    south = priced(basket(asked, region="44"), GIFT=gift)
    assert (south.gifts, outcomes(south)["GIFT"]) == ((), ("not_met", "It is only for orders to east."))
    small = priced(basket(line(1, "A", "299.99")), GIFT=gift)
    assert outcomes(small)["GIFT"] == ("not_met", "The basket comes to 299.99; it needs 300.00.")
