"""Which live rules a new one meets."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.conflicts import conflicts
from promotions.rules.goods import Goods
from promotions.rules.rule import PublishedRule, Rule

SAVE = r.SpendAndSave((r.Step(D(300), D(50)),))
BELONGING = {"CUP": ("cups", "Oak"), "LID": ("lids", "")}


def day(number):
    return datetime(2026, 6, number, tzinfo=UTC)


def found(new, old):
    live = [PublishedRule("OLD", 4, old), PublishedRule("NEW", 1, old)]
    return [(one.code, one.number, one.meeting.value, str(one.why))
            for one in conflicts(PublishedRule("NEW", 2, new), live, BELONGING)]  # fmt: skip


ADDS = ("OLD", 4, "adds", "Both apply to the same prices, and what they take off is added up.")


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        pytest.param({}, {}, ADDS, id="both"),
        pytest.param({"group": "618"}, {"group": "618", "priority": 5}, ("OLD", 4, "excludes", "Both are in the group "
                     "618: the one that gives the buyer more wins, at equal amounts OLD."), id="one group"),
        pytest.param({"group": "618"}, {"group": "1111"}, ADDS, id="two groups"),
        pytest.param({"is_exclusive": True}, {}, ("OLD", 4, "excludes", "NEW stands alone in its lane: whichever gives "
                     "the buyer more wins, at equal amounts NEW."), id="alone"),
        pytest.param({"reward": r.PurchaseLimit(2)}, {"reward": r.PurchaseLimit(5)},
                     ("OLD", 4, "adds", "Both limits hold: the stricter one decides."), id="limits"),
        pytest.param({"reward": r.Gift((r.Item("A"),))}, {"reward": r.Gift((r.Item("B"),))},
                     ("OLD", 4, "adds", "Both apply: the buyer gets the gifts of both."), id="gifts"),
        pytest.param({"ends_at": day(2)}, {"starts_at": day(2)}, None, id="one after the other"),
        pytest.param({"starts_at": day(3)}, {"ends_at": day(4)}, ADDS, id="for one day"),
        pytest.param({}, {"reward": r.FreeShipping()}, None, id="other lane"),
        pytest.param({"needs_coupon": True}, {}, None, id="coupon lane"),
        pytest.param({"condition": c.OnChannel(("POS",))}, {"condition": c.All((c.OnChannel(("JD", "TM")),))}, None,
                     id="other channels"),
        pytest.param({"condition": c.ShipsTo(("east",))}, {"condition": c.ShipsTo(("31", "44"))}, ADDS, id="Shanghai"),
        pytest.param({"condition": c.ShipsTo(("east",))}, {"condition": c.ShipsTo(("44",))}, None, id="Guangdong"),
        pytest.param({"condition": c.Any((c.OnChannel(("POS",)), c.ShipsTo(("31",))))},
                     {"condition": c.OnChannel(("JD",))}, ADDS, id="a choice may meet"),
        pytest.param({"reward": r.NthOff(goods=Goods(skus=("CUP",)))},
                     {"reward": r.ItemOff(D(5), goods=Goods(categories=("cups",)))}, ADDS, id="SKU of category"),
        pytest.param({"reward": r.NthOff(goods=Goods(skus=("LID",)))},
                     {"reward": r.ItemOff(D(5), goods=Goods(categories=("cups",)))}, None, id="SKU of another"),
        pytest.param({"reward": r.NthOff(goods=Goods(brands=("Oak",)))},
                     {"reward": r.ItemOff(D(5), goods=Goods(brands=("Elm",)))}, None, id="other brand"),
        pytest.param({"reward": r.NthOff(goods=Goods(brands=("Oak",)))},
                     {"reward": r.ItemOff(D(5), goods=Goods(categories=("lids",)))}, ADDS, id="in doubt"),
    ],
)  # fmt: skip
def test_a_live_rule_is_met(new, old, expected):
    made, live = ({"reward": SAVE} | facts for facts in (new, old))
    assert found(Rule(**made), Rule(**live)) == ([expected] if expected else [])


def test_those_that_exclude_come_first():
    new = PublishedRule("NEW", 1, Rule(reward=SAVE, group="618"))
    live = [PublishedRule("A", 1, Rule(reward=SAVE)), PublishedRule("B", 1, Rule(reward=SAVE, group="618"))]
    assert [one.code for one in conflicts(new, live)] == ["B", "A"]
