"""What may stand together, who is beaten, and what is said about it."""

from decimal import Decimal as D

from promotions.rules import choosing
from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import Circumstances
from promotions.rules.goods import Goods
from tests.promotions.rules.shop import basket, line, nets, outcomes, priced, rule

HUNDRED = line(1, "A", "100")


def off(percent, **columns):
    return rule(r.ItemOff(off=D(percent)), **columns)


def test_an_exclusive_rule_is_beaten_by_what_stands_together():
    made = priced(basket(HUNDRED), ONLY=off(20, is_exclusive=True), TEN=off(10), FIFTEEN=off(15))
    assert (nets(made), outcomes(made)["ONLY"]) == (
        ["75.00"], ("beaten", "FIFTEEN, TEN together give the buyer more: 25.00 instead of 20.00."),
    )  # fmt: skip


def test_what_stands_together_is_beaten_by_an_exclusive_rule():
    made = priced(basket(HUNDRED), ONLY=off(30, is_exclusive=True), TEN=off(10))
    assert (nets(made), outcomes(made)["TEN"]) == (
        ["70.00"],
        ("beaten", "ONLY gives the buyer more: 30.00 instead of 10.00; the two exclude each other."),
    )


def test_of_equals_the_one_that_ranks_first_stands():
    same = {"group": "sale"}
    made = priced(basket(HUNDRED), B=off(10, **same), A=off(10, **same), FIRST=off(10, priority=1, **same))
    first = ("beaten", "FIRST comes first; the two exclude each other.")
    assert outcomes(made) == {"FIRST": ("applied", "It takes 10.00 off."), "A": first, "B": first}


def test_a_group_in_one_lane_does_not_reach_into_another():
    save = rule(r.SpendAndSave((r.Step(D(50), D(5)),)), group="sale")
    assert nets(priced(basket(HUNDRED), TEN=off(10, group="sale"), SAVE=save)) == ["85.00"]


def test_a_rule_that_cannot_be_had_beats_nobody():
    """The better one of the group needs more than there is."""
    better = rule(r.ItemOff(off=D(50)), c.Amount(at_least=D(101)), group="sale")
    made = priced(basket(HUNDRED), BETTER=better, TEN=off(10, group="sale"))
    assert (nets(made), outcomes(made)["BETTER"][0]) == (["90.00"], "not_met")


def test_rules_together_take_no_line_below_nothing():
    made = priced(basket(HUNDRED), SIXTY=off(60, priority=1), FIFTY=off(50), LAST=off(10))
    assert (nets(made), outcomes(made)) == (
        ["0.00"],
        {
            "SIXTY": ("applied", "It takes 60.00 off."),
            "FIFTY": ("applied", "It takes 40.00 off."),
            "LAST": ("nothing_left", "Its goods cost nothing any more."),
        },
    )


def test_several_rules_make_shipping_cheaper_down_to_nothing():
    made = priced(basket(HUNDRED, shipping=D(12)), FIVE=rule(r.FreeShipping(D(5))), NINE=rule(r.FreeShipping(D(9))))
    assert (str(made.shipping), str(made.shipping_off), outcomes(made)["NINE"]) == (
        "0.00", "12.00", ("applied", "It takes 7.00 off."),
    )  # fmt: skip


def _crowd(groups, lines):
    """Return rules of which each line's best together take more than there is: one line is tempting to all groups."""
    rules = {}
    for group in range(groups):
        tempting, other = Goods(skus=("S0",)), Goods(skus=(f"S{1 + group % (lines - 1)}",))
        rules[f"T{group}"] = rule(r.ItemOff(off=D(90), goods=tempting), group=f"g{group}")
        rules[f"U{group}"] = rule(r.ItemOff(off=D(80), goods=other), group=f"g{group}")
    return rules


def test_few_combinations_are_all_compared():
    made = priced(basket(*(line(n + 1, f"S{n}", "100") for n in range(4))), **_crowd(4, 4))
    assert (made.is_exact, str(made.total)) == (True, "70.00")  # 90, and 80 off each of the others, of 400


def test_many_combinations_are_searched_and_it_is_said():
    groups = 10
    assert 2**groups > choosing.MOST_COMBINATIONS
    made = priced(basket(*(line(n + 1, f"S{n}", "100") for n in range(11))), **_crowd(groups, 11))
    assert (made.is_exact, str(made.total)) == (False, "290.00")  # one of ten takes the tempting line, nine theirs


def test_gifts_take_from_one_stock_in_the_order_of_ranks():
    gift = r.Gift((r.Item("G"),))
    made = priced(basket(HUNDRED), Circumstances(gift_units={"G": 1}), LATER=rule(gift), FIRST=rule(gift, priority=1))
    assert ([(one.sku, one.quantity, one.code) for one in made.gifts], outcomes(made)["LATER"]) == (
        [("G", 1, "FIRST")], ("no_stock", "The gift G is not there: 1 are needed, 0 can be had."),
    )  # fmt: skip


def test_of_gift_rules_that_exclude_each_other_the_first_that_has_its_gift_stands():
    rules = {
        "GONE": rule(r.Gift((r.Item("X"),)), group="gift", priority=2),
        "NEXT": rule(r.Gift((r.Item("G"),)), group="gift", priority=1),
        "LAST": rule(r.Gift((r.Item("H"),)), group="gift"),
    }
    made = priced(basket(HUNDRED), Circumstances(gift_units={"G": 5, "H": 5}), **rules)
    assert [(one.sku, one.code) for one in made.gifts] == [("G", "NEXT")]
    assert outcomes(made)["LAST"] == ("beaten", "NEXT comes first; the two exclude each other.")


def test_an_exclusive_gift_rule_that_ranks_later_does_not_stand_beside_others():
    made = priced(basket(HUNDRED), A=rule(r.Gift((r.Item("G"),))), B=rule(r.Gift((r.Item("H"),)), is_exclusive=True))
    assert ([one.sku for one in made.gifts], outcomes(made)["B"][0]) == (["G"], "beaten")


def test_a_gift_in_the_parcel_is_not_given_twice_and_counts_as_no_goods():
    gift = rule(r.BuyGet(Goods(), (r.Item("G"),)))
    held = line(2, "G", "0", 1, gift_of="GIFT")
    none_left = Circumstances(gift_units={"G": 0})
    made = priced(basket(HUNDRED, held), none_left, GIFT=gift)
    assert (made.gifts, outcomes(made)["GIFT"]) == ((), ("applied", "Its gift is in the parcel already."))
    assert nets(made) == ["100.00", "0.00"]
    more = priced(basket(line(1, "A", "100", 3), held), Circumstances(gift_units={"G": 2}), GIFT=gift)
    assert [(one.sku, one.quantity) for one in more.gifts] == [("G", 2)]
    others = priced(basket(HUNDRED, line(2, "G", "0", gift_of="OTHER")), GIFT=gift)
    assert [(one.sku, one.quantity) for one in others.gifts] == [("G", 1)]
