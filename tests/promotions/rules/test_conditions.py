"""Which baskets a condition lets through, and what is said about the others."""

from datetime import UTC, datetime, time
from decimal import Decimal as D

import pytest

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import Circumstances
from promotions.rules.engine import explain
from promotions.rules.goods import Goods
from tests.promotions.rules.shop import NOON, basket, line, outcomes, priced, published, rule

CUPS, PENS = Goods(categories=("cups",)), Goods(categories=("pens",))
TEN_OFF = r.ItemOff(off=D(10))
LINES = (line(1, "A", "60", 2), line(2, "P", "30", category="pens"))  # 150.00, three units


def verdict(condition, **facts):
    """Return what became of ten per cent off under a condition, with every rule looked at."""
    asked = basket(*LINES, **facts)
    (found,) = explain(asked, published(TEN=rule(TEN_OFF, condition)), Circumstances(), at=NOON)
    assert (found.outcome == "applied") is (priced(asked, TEN=rule(TEN_OFF, condition)).total < 150)
    return found.outcome.value, str(found.why)


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        pytest.param(c.All(), {}, id="always"),
        pytest.param(c.Amount(at_least=D(150)), {}, id="just the amount"),
        pytest.param(c.Amount(at_least=D(30), goods=PENS), {}, id="the amount of its goods"),
        pytest.param(c.Amount(below=D("150.01")), {}, id="below"),
        pytest.param(c.Quantity(3), {}, id="just the quantity"),
        pytest.param(c.Quantity(2, 2, CUPS), {}, id="the quantity of its goods, exactly"),
        pytest.param(c.ShipsTo(("31",)), {}, id="the province"),
        pytest.param(c.ShipsTo(("south", "east")), {}, id="the area"),
        pytest.param(c.ShipsTo(("US",)), {"region": "US"}, id="a country abroad"),
        pytest.param(c.OnChannel(("JD", "POS")), {}, id="the channel"),
        pytest.param(c.AtStore(("S1",)), {"store": "S1"}, id="the store"),
        pytest.param(c.Member(("gold",)), {"tier": "gold"}, id="the tier"),
        pytest.param(c.Segment(("vip", "new")), {"segments": frozenset({"new", "near"})}, id="a segment"),
        pytest.param(c.OrdersBefore(at_most=0), {"orders_before": 0}, id="a first order"),
        pytest.param(c.OrdersBefore(2, 4), {"orders_before": 4}, id="so many orders before"),
        pytest.param(c.PaysBy(("alipay",)), {"payment": "alipay"}, id="the payment"),
        pytest.param(c.OnWeekdays((1, 7)), {}, id="a Monday"),
        pytest.param(c.OnWeekdays((2,)), {"placed_at": datetime(2026, 11, 2, 16, 0, tzinfo=UTC)},
                     id="Tuesday in the shop while it is Monday elsewhere"),
        pytest.param(c.InHours(time(12), time(13)), {}, id="from noon on"),
        pytest.param(c.InHours(time(22), time(6)), {"placed_at": datetime(2026, 11, 2, 21, 59, tzinfo=UTC)},
                     id="past midnight"),
        pytest.param(c.Any((c.OnChannel(("JD",)), c.Quantity(3))), {}, id="one of two"),
        pytest.param(c.Not(c.OnChannel(("JD",))), {}, id="not"),
        pytest.param(c.All((c.Quantity(1), c.Any((c.Not(c.Quantity(1)), c.All((c.Quantity(2), c.Quantity(3))))))), {},
                     id="groups in groups"),
    ],
)  # fmt: skip
def test_a_condition_is_true(condition, facts):
    assert verdict(condition, **facts) == ("applied", "It takes 15.00 off.")


@pytest.mark.parametrize(
    ("condition", "facts", "why"),
    [
        (c.Amount(at_least=D("150.01")), {}, "The basket comes to 150.00; it needs 150.01."),
        (c.Amount(at_least=D(1200), goods=CUPS), {}, "Its goods come to 120.00; they need 1,200.00."),
        (c.Amount(below=D(150)), {}, "It comes to 150.00; it must be below 150.00."),
        (c.Quantity(4), {}, "The basket has 3 units; it needs 4."),
        (c.Quantity(2, goods=PENS), {}, "There are 1 units of its goods; it needs 2."),
        (c.Quantity(1, 2), {}, "There are 3 units; at most 2 are allowed."),
        (c.ShipsTo(("44", "north")), {}, "It is for orders to 44, north; this one goes to 31."),
        (c.ShipsTo(("44",)), {"region": ""}, "It is for orders to 44; this one goes to ?."),
        (c.OnChannel(("JD", "TM")), {}, "It is for orders of JD, TM; this one is of POS."),
        (c.AtStore(("S1",)), {}, "It is for store S1; this order is of ?."),
        (c.Member(("gold",)), {"tier": "blue"}, "It is for members of tier gold; the buyer's is blue."),
        (c.Segment(("vip",)), {"segments": frozenset({"b", "a"})},
         "It is for customers in vip; the buyer is in a, b."),
        (c.OrdersBefore(at_most=0), {}, "Nobody knows how many orders the buyer made before."),
        (c.OrdersBefore(at_most=0), {"orders_before": 2},
         "The buyer made 2 orders before; at most 0 are allowed."),
        (c.OrdersBefore(3), {"orders_before": 2}, "The buyer made 2 orders before; it needs 3."),
        (c.PaysBy(("alipay", "wechat")), {"payment": "card"},
         "It is for payment by alipay, wechat; this order was paid by card."),
        (c.OnWeekdays((6, 7)), {}, "It holds on days 6, 7 of the week; the order was placed on day 1."),
        (c.InHours(time(20), time(21)), {}, "It holds from 20:00 until 21:00; the order was placed at 12:00."),
        (c.InHours(time(13), time(12)), {}, "It holds from 13:00 until 12:00; the order was placed at 12:00."),
        (c.Any((c.Quantity(9), c.Quantity(8))), {}, "None of its conditions is true."),
        (c.Any((c.Quantity(9),)), {}, "The basket has 3 units; it needs 9."),
        (c.Any(), {}, "None of its conditions is true."),
        (c.Not(c.Quantity(1)), {}, "Something is true that must not be."),
        (c.All((c.Quantity(1), c.All((c.Quantity(2), c.Quantity(5))), c.Quantity(9))), {},
         "The basket has 3 units; it needs 5."),
    ],
)  # fmt: skip
def test_what_is_not_true_is_said_with_its_values(condition, facts, why):
    assert verdict(condition, **facts) == ("not_met", why)


@pytest.mark.parametrize(
    ("goods", "expected"),
    [
        (Goods(skus=("A",)), "111.00"),
        (Goods(categories=("pens",)), "117.00"),
        (Goods(skus=("A",), categories=("pens",)), "108.00"),
        (Goods(categories=("cups",), except_skus=("A",)), "120.00"),
        (Goods(except_skus=("P",)), "111.00"),
    ],
    ids=["by SKU", "by category", "either", "but not", "all but"],
)
def test_goods_are_what_they_say(goods, expected):
    asked = basket(line(1, "A", "60"), line(2, "A", "30"), line(3, "P", "30", category="pens"))
    made = priced(asked, TEN=rule(r.ItemOff(off=D(10), goods=goods)))
    assert str(made.total) == expected


def test_a_line_whose_code_nobody_knows_counts_in_the_whole_basket_only():
    asked = basket(line(1, "", "100"), line(2, "A", "50"))
    everything, cups = rule(r.ItemOff(off=D(10))), rule(r.ItemOff(off=D(10), goods=CUPS))
    assert (str(priced(asked, R=everything).total), str(priced(asked, R=cups).total)) == ("135.00", "145.00")


@pytest.mark.parametrize(
    ("starts", "ends", "applied"),
    [(NOON, None, True), (None, NOON, False), (NOON, datetime(2026, 11, 3, tzinfo=UTC), True),
     (datetime(2026, 11, 3, tzinfo=UTC), None, False)],
    ids=["from now on", "until now", "within", "later"],
)  # fmt: skip
def test_a_rule_holds_from_its_start_until_before_its_end(starts, ends, applied):
    made = priced(basket(*LINES), TEN=rule(TEN_OFF, starts_at=starts, ends_at=ends))
    assert (made.total == 135) is applied
    if not applied:
        assert outcomes(made)["TEN"] == ("out_of_time", "The order was placed outside its time.")


@pytest.mark.parametrize(
    ("condition", "reward", "why"),
    [
        (c.OnChannel(("JD",)), TEN_OFF, "It is only for orders of JD."),
        (c.All((c.ShipsTo(("44",)), c.Quantity(2))), TEN_OFF, "It is only for orders to 44."),
        (c.Quantity(1, goods=Goods(skus=("X", "W"))), TEN_OFF, "The basket has none of these goods: W, X."),
        (None, r.ItemOff(off=D(10), goods=Goods(skus=("X",), categories=("hats",))),
         "The basket has none of these goods: X, hats."),
        (None, r.ItemOff(off=D(10), goods=Goods(skus=tuple("UVWXYZ"))),
         "The basket has none of these goods: U, V, W, X, Y …."),
        (c.AtStore(("S1",)), TEN_OFF, "It is only for the stores S1."),
        (c.Segment(("vip",)), TEN_OFF, "It is only for customers in vip."),
        (c.Member(("gold",)), TEN_OFF, "It is only for members of tier gold."),
        (c.PaysBy(("card",)), TEN_OFF, "It is only for payment by card."),
        (c.Any((c.OnChannel(("JD",)), c.ShipsTo(("44",)))), TEN_OFF, "None of its conditions is true."),
    ],
)  # fmt: skip
def test_a_rule_that_was_not_looked_at_says_what_it_needs(condition, reward, why):
    made = priced(basket(*LINES), R=rule(reward, condition))
    assert (outcomes(made), made.total) == ({"R": ("not_met", why)}, D(150))
