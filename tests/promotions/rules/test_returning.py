"""What a refund must be when the rest of an order would have cost more on its own."""

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import Circumstances, Left
from promotions.rules.engine import quote
from promotions.rules.matching import compile_rules
from promotions.rules.returning import Change, TooManyUnits, without
from tests.promotions.rules import strategies as some
from tests.promotions.rules.shop import NOON, basket, line, published, rule

SAVE = rule(r.SpendAndSave((r.Step(D(100), D(10)), r.Step(D(300), D(50)))))
GIFT = rule(r.Gift((r.Item("G"),)), c.Amount(at_least=D(300)))
TWO = (line(1, "A", "100", 2), line(2, "B", "100"))


def refunded(asked, returned, known=None, **rules):
    """Return the refund of an order that was priced under these rules."""
    ready, known = published(**rules), known or Circumstances()
    return without(asked, quote(asked, ready, known, at=NOON), returned, ready, known, at=NOON)


def test_without_rules_what_comes_back_is_what_it_cost():
    back = refunded(basket(*TWO, shipping=D(8)), {2: 1})
    assert (back.amount, back.price, back.paid, back.remaining) == (D(100), D(100), D(308), D(208))
    assert (back.changes, back.gifts) == ((), ())


def test_a_step_that_is_no_longer_reached_is_kept_back():
    """Paid 250; two cups alone cost 190; so 60 go back, though the pen cost 83.33 in the order."""
    back = refunded(basket(*TWO), {2: 1}, SAVE=SAVE)
    assert (str(back.amount), str(back.paid), str(back.remaining), str(back.price)) == (
        "60.00", "250.00", "190.00", "83.33",
    )  # fmt: skip
    (change,) = back.changes
    assert (change.code, change.before, change.after, str(change.why)) == ("SAVE", D(50), D(10), "It takes 10.00 off.")


def test_a_refund_is_never_negative():
    """One pen more made a hundred yuan less: taking it back would cost the buyer something."""
    half = rule(r.ItemOff(off=D(50)), c.Quantity(2))
    back = refunded(basket(line(1, "A", "100"), line(2, "B", "1")), {2: 1}, HALF=half)
    assert (str(back.amount), str(back.paid), str(back.remaining)) == ("0.00", "50.50", "100.00")


def test_a_gift_that_is_no_longer_due_must_come_back():
    back = refunded(basket(*TWO), {1: 1}, GIFT=GIFT)
    assert [(gift.sku, gift.quantity, gift.code, gift.number) for gift in back.gifts] == [("G", 1, "GIFT", 1)]
    assert back.changes[0] == Change("GIFT", 1, D(0), D(0), back.changes[0].why)
    assert (str(back.changes[0].why), back.amount) == ("The basket comes to 200.00; it needs 300.00.", D(100))


def test_a_gift_that_comes_back_itself_is_not_asked_for_again():
    asked = basket(*TWO, line(3, "G", "0", gift_of="GIFT"))
    assert [gift.sku for gift in refunded(asked, {1: 1}, GIFT=GIFT).gifts] == ["G"]
    assert refunded(asked, {1: 1, 3: 1}, GIFT=GIFT).gifts == ()
    assert refunded(asked, {}, GIFT=GIFT).gifts == ()


def test_gifts_per_amount_come_back_in_part():
    back = refunded(basket(*TWO), {2: 1}, GIFT=rule(r.Gift((r.Item("G"),), every=D(100), most_times=3)))
    assert [(gift.sku, gift.quantity) for gift in back.gifts] == [("G", 1)]


def test_what_was_used_up_meanwhile_still_holds_for_the_order():
    ready = published(SAVE=SAVE, GIFT=GIFT)
    asked = basket(line(1, "A", "100", 5))
    paid = quote(asked, ready, Circumstances(), at=NOON)
    now = Circumstances(left={"SAVE": Left(uses=0, budget=D(0))}, gift_units={"G": 0})
    back = without(asked, paid, {1: 1}, ready, now, at=NOON)
    assert (str(back.amount), back.gifts, back.changes) == ("100.00", (), ())


def test_free_shipping_that_is_lost_is_kept_back():
    free = rule(r.FreeShipping(), c.Amount(at_least=D(300)))
    back = refunded(basket(*TWO, shipping=D(8)), {2: 1}, FREE=free)
    assert (str(back.amount), str(back.paid), str(back.remaining)) == ("92.00", "300.00", "208.00")


@pytest.mark.parametrize(("rules", "amount", "shipping"), [({}, "300.00", "8.00"), ({"SAVE": SAVE}, "250.00", "8.00")])
def test_when_all_comes_back_all_but_shipping_is_refunded(rules, amount, shipping):
    back = refunded(basket(*TWO, shipping=D(8)), {1: 2, 2: 1}, **rules)
    assert (str(back.amount), str(back.remaining), back.price) == (amount, shipping, D(amount))


def test_the_channels_own_discount_comes_back_in_part():
    back = refunded(basket(line(1, "A", "10", 3, discount="1")), {1: 1})
    assert (str(back.paid), str(back.remaining), str(back.amount), str(back.price)) == (
        "29.00", "19.33", "9.67", "9.67",
    )  # fmt: skip


@pytest.mark.parametrize("returned", [{1: 3}, {1: -1}, {9: 1}])
def test_more_than_was_bought_does_not_come_back(returned):
    with pytest.raises(TooManyUnits) as refused:
        refunded(basket(*TWO), returned)
    assert refused.value.line_number in returned


@settings(max_examples=80, deadline=None)
@given(some.baskets(), some.any_rules, some.circumstances, st.data())
def test_a_refund_lies_between_nothing_and_what_was_paid(asked, rules, known, data):
    ready = compile_rules(rules)
    returned = {one.line_number: data.draw(st.integers(0, one.quantity)) for one in asked.lines}
    paid = quote(asked, ready, known, at=NOON)
    back = without(asked, paid, returned, ready, known, at=NOON)
    assert 0 <= back.amount <= paid.total
    assert back.amount == max(back.paid - back.remaining, 0)
    assert all(gift.quantity > 0 for gift in back.gifts)
    given_units = {(gift.code, gift.sku): gift.quantity for gift in paid.gifts}
    assert all(gift.quantity <= given_units[gift.code, gift.sku] for gift in back.gifts)
