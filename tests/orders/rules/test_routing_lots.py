"""Goods with lots: only what keeps long enough for the channel is planned, and lots are counted down too."""

from datetime import date, timedelta

import pytest

from inventory.rules.lots import Life, LotUnits
from orders.rules.routing.planner import plan_all
from orders.rules.routing.policy import BUILT_IN
from tests.orders.rules.routing_company import IDS, A, B, demand, missing, node, sent, situation, stock

DAY = date(2026, 11, 2)
NODES = [node("SH"), node("WH")]


def shelf(*lots):
    return [LotUnits(number, DAY + timedelta(days=days), units) for number, (days, units) in enumerate(lots, start=1)]


def shelves(**codes):
    return {(A, IDS[code]): shelf(*lots) for code, lots in codes.items()}


def wanted(*items, days=0, reference="O1"):
    return demand(*items, reference=reference, lives={A: Life(DAY, days)})


def plan(demands, stock, shelves, nodes=NODES):
    return plan_all(demands, situation(*nodes), stock, lambda _demand: BUILT_IN, shelves)


def test_units_that_keep_too_short_do_not_count():
    [answer] = plan([wanted((A, 3), days=30)], stock(SH={A: 9}, WH={A: 4}), shelves(SH=[(5, 9)], WH=[(60, 4)]))
    assert (sent(answer), missing(answer)) == ({"WH": {(1, A): 3}}, {})
    assert [(one.node_code, one.lacks) for one in answer.verdicts("short")] == [("SH", ((A, 3),))]


def test_what_nobody_has_long_enough_is_missing_and_told():
    levels, lots = stock(SH={A: 9}, WH={A: 4}), shelves(SH=[(5, 9)], WH=[(5, 3), (60, 1)])
    [answer] = plan([wanted((A, 6), days=30)], levels, lots)
    assert (sent(answer), missing(answer)) == ({"WH": {(1, A): 1}}, {(1, A): 5})
    assert answer.too_short == 5


def test_a_sku_that_is_nowhere_is_not_told_as_too_short():
    [answer] = plan([wanted((A, 3), days=30)], stock(SH={B: 1}), {})
    assert (missing(answer), answer.too_short) == ({(1, A): 3}, 0)


@pytest.mark.parametrize(
    ("first", "second", "gets"),
    [
        pytest.param(30, 30, [4, 1], id="two strict ones share the fit lot"),
        pytest.param(0, 30, [4, 5], id="who takes short-lived units leaves the others alone"),
        pytest.param(30, 0, [4, 5], id="and the other way round"),
    ],
)
def test_demands_of_one_run_count_lots_down(first, second, gets):
    levels, lots = stock(SH={A: 9}), shelves(SH=[(5, 4), (60, 5)])
    demands = [wanted((A, 4), days=first), wanted((A, 5), days=second, reference="O2")]
    answers = plan(demands, levels, lots, [node("SH")])
    assert [sum(sum(items.values()) for items in sent(answer).values()) for answer in answers] == gets
    assert sum(lot.free for lot in lots[A, IDS["SH"]]) == levels[A][IDS["SH"]] == 9 - sum(gets)


def test_goods_without_lots_in_the_same_order_are_planned_as_ever():
    [answer] = plan([wanted((A, 1), (B, 2), days=30)], stock(SH={A: 2, B: 2}), shelves(SH=[(60, 2)]))
    assert sent(answer) == {"SH": {(1, A): 1, (2, B): 2}}
