"""The rules that the promotion engine is measured with."""

import random
from collections import Counter

from benchmarks import live_rules, real_baskets
from promotions.rules import rewards as r
from promotions.rules.engine import quote
from promotions.rules.matching import compile_rules


def test_fifty_rules_are_of_every_kind():
    made = live_rules.of_each_kind(["cups", "pens"], ["A", "B", "C", "D"])
    kinds = Counter(type(rule.rule.reward) for rule in made)
    assert (len(made), set(kinds)) == (50, set(r.Reward.__args__))
    assert min(kinds.values()) >= 4


def test_rules_for_goods_of_elsewhere_match_no_basket():
    chance = random.Random(3)
    live, baskets = live_rules.live(20, chance), live_rules.baskets(20, chance)
    many = compile_rules([*live, *live_rules.elsewhere(50, chance)])
    for basket in baskets:
        assert quote(basket, many, at=live_rules.AT).lines == quote(basket, compile_rules(live), at=live_rules.AT).lines


def test_a_condition_in_zens_words():
    wanted = live_rules.c.All((live_rules.c.OnChannel(("JD",)), live_rules.c.Amount(live_rules.Decimal(50))))
    assert live_rules.in_zen(wanted) == '(channel in ["JD"]) and (amount >= 50)'


def test_the_most_sold_come_first():
    baskets = live_rules.baskets(200, random.Random(1))
    categories, skus = real_baskets.most_sold(baskets)
    assert (len(categories), len(skus)) == (20, 60)
    lines = Counter(line.category for basket in baskets for line in basket.lines)
    assert lines[categories[0]] == max(lines.values())
