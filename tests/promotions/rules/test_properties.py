"""What holds for every basket under any rules."""

from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given, settings
from hypothesis import strategies as st

from promotions.rules.baskets import BasketLine, Circumstances, Outcome
from promotions.rules.engine import explain, quote
from promotions.rules.matching import RuleSet, compile_rules
from promotions.rules.money import per_cent, share, to_cents
from promotions.rules.rewards import PurchaseLimit
from promotions.rules.rule import LANES, Lane
from tests.promotions.rules import strategies as some
from tests.promotions.rules.shop import NOON, basket

often = settings(max_examples=80, deadline=None)


@often
@given(some.baskets(), some.any_rules, some.circumstances)
def test_every_quote_adds_up(asked, rules, known):
    made = quote(asked, compile_rules(rules), known, at=NOON)
    assert made.total == sum((line.net for line in made.lines), made.shipping)
    assert made.total == made.goods - made.discount + made.shipping
    assert made.shipping + made.shipping_off == asked.shipping
    off = made.shipping_off
    for line, sold in zip(made.lines, asked.lines, strict=True):
        assert line.net >= 0
        assert line.gross - line.discount == line.net
        assert line.granted + min(sold.discount, line.gross) == line.discount
        assert all(grant.amount > 0 for grant in line.grants)
        assert line.net.as_tuple().exponent == -2
        off += line.granted
    assert off == sum(verdict.amount for verdict in made.verdicts)


@often
@given(some.baskets(), some.any_rules, some.circumstances, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_rules_changes_nothing(asked, rules, known, random):
    before = quote(asked, compile_rules(rules), known, at=NOON)
    lines, mixed = list(asked.lines), list(rules)
    random.shuffle(lines)
    random.shuffle(mixed)
    assert quote(replace(asked, lines=tuple(lines)), compile_rules(mixed), known, at=NOON) == before


@often
@given(some.baskets(), some.any_rules, some.circumstances)
def test_every_rule_has_one_verdict(asked, rules, known):
    made = quote(asked, compile_rules(rules), known, at=NOON)
    assert sorted(verdict.code for verdict in made.verdicts) == sorted(rule.code for rule in rules)
    for verdict in made.verdicts:
        assert str(verdict.why)  # its places have their values
        assert (verdict.amount > 0) <= (verdict.outcome is Outcome.APPLIED)
    applied = {verdict.code for verdict in made.verdicts if verdict.outcome is Outcome.APPLIED}
    assert {gift.code for gift in made.gifts} | {grant.code for line in made.lines for grant in line.grants} <= applied


@often
@given(some.baskets(), some.any_rules, some.circumstances)
def test_the_index_finds_what_looking_at_every_rule_finds(asked, rules, known):
    """Without its index every rule of a set is looked at."""
    ready = compile_rules(rules)
    everything = RuleSet(ready.rules, {}, frozenset(range(len(rules))), ready.unfit)
    found, all_looked_at = quote(asked, ready, known, at=NOON), quote(asked, everything, known, at=NOON)
    assert (found.lines, found.gifts, found.total) == (all_looked_at.lines, all_looked_at.gifts, all_looked_at.total)
    assert explain(asked, ready, known, at=NOON) == all_looked_at.verdicts
    told = {Outcome.APPLIED, Outcome.BEATEN, Outcome.EXCEEDED}
    for quick, full in zip(found.verdicts, all_looked_at.verdicts, strict=True):
        assert quick == full or told.isdisjoint({quick.outcome, full.outcome})


@often
@given(some.baskets(), some.any_rules, some.circumstances)
def test_gifts_that_are_in_the_parcel_are_not_given_again(asked, rules, known):
    ready, unlimited = compile_rules(rules), replace(known, left={})
    first = quote(asked, ready, unlimited, at=NOON)
    held = tuple(
        BasketLine(100 + place, None, gift.quantity, D(0), sku=gift.sku, gift_of=gift.code)
        for place, gift in enumerate(first.gifts)
    )
    there = known.gift_units and dict(known.gift_units)
    for gift in first.gifts if there else ():
        there[gift.sku] -= gift.quantity
    again = quote(replace(asked, lines=asked.lines + held), ready, replace(unlimited, gift_units=there), at=NOON)
    assert again.gifts == ()
    assert again.total == first.total
    assert all(gift.quantity >= 0 for gift in first.gifts)


@often
@given(some.baskets(), some.any_rules, some.circumstances)
def test_no_more_gifts_than_there_are(asked, rules, known):
    made = quote(asked, compile_rules(rules), known, at=NOON)
    for sku, there in (known.gift_units or {}).items():
        assert sum(gift.quantity for gift in made.gifts if gift.sku == sku) <= there


@often
@given(some.baskets(), some.rules(some.growing), st.sampled_from(some.SKUS), st.integers(1, 4), some.money)
def test_an_item_more_never_makes_the_rest_dearer(asked, rule, sku, quantity, price):
    asked = replace(asked, coupons=("ONE",))
    ready, known = compile_rules(some.numbered([rule])), Circumstances(coupon_of={"ONE": "R0"})
    more = BasketLine(99, 99, quantity, price, sku=sku, category=some.CATEGORY[sku])
    before = quote(asked, ready, known, at=NOON)
    after = quote(replace(asked, lines=(*asked.lines, more)), ready, known, at=NOON)
    assert after.total - before.total <= price * quantity


@often
@given(some.lines(), st.lists(some.rules(some.growing), min_size=2, max_size=5), st.sampled_from(list(LANES)))
def test_what_is_chosen_is_worth_at_least_as_much_as_any_rule_alone(lines, rules, lane):
    asked, known = basket(*lines, shipping=D(8), coupons=("ONE",)), Circumstances(coupon_of={"ONE": "R0"})
    rules = [rule for rule in some.numbered(rules) if rule.rule.lane is lane]
    together = quote(asked, compile_rules(rules), known, at=NOON)
    for rule in rules:
        assert together.total <= quote(asked, compile_rules([rule]), known, at=NOON).total


@often
@given(some.lines(min_size=2), st.lists(some.rules(some.crowding), min_size=4, max_size=6))
def test_what_is_chosen_is_the_best_of_all_that_may_stand_together(lines, rules):
    """Every allowed set of rules is priced on its own."""
    asked = basket(*lines)
    rules = [rule for rule in some.numbered(rules) if not rule.rule.needs_coupon]
    made = quote(asked, compile_rules(rules), at=NOON)
    best = min(quote(asked, compile_rules(chosen), at=NOON).total for chosen in _allowed(rules))
    assert (made.is_exact, made.total) == (True, best)


def _allowed(rules):
    for mask in range(2 ** len(rules)):
        chosen = [rule for place, rule in enumerate(rules) if mask >> place & 1]
        named = [rule.rule.group for rule in chosen if rule.rule.group]
        alone = len(chosen) == 1 or not any(rule.rule.is_exclusive for rule in chosen)
        if alone and len(named) == len(set(named)):
            yield chosen


@often
@given(some.baskets(), some.any_rules)
def test_where_the_channel_makes_the_prices_it_keeps_them(asked, rules):
    theirs = replace(asked, is_priced_here=False)
    made = quote(theirs, compile_rules(rules), at=NOON)
    assert made.lines == quote(theirs, at=NOON).lines
    assert made.shipping_off == 0
    lanes = {rule.code: rule.rule.lane for rule in rules}
    for verdict in made.verdicts:
        assert verdict.outcome is not Outcome.APPLIED or lanes[verdict.code] is Lane.GIFT


@often
@given(some.baskets(), st.integers(0, 12), some.goods)
def test_a_purchase_limit_is_broken_exactly_above_it(asked, units, goods):
    ready = compile_rules(some.numbered([some.Rule(reward=PurchaseLimit(units, goods=goods))]))
    there = sum(
        line.quantity for line in asked.lines
        if goods.is_everything or (line.sku and goods.has(line.sku, line.category, line.brand))
    )  # fmt: skip
    assert bool(quote(asked, ready, at=NOON).exceeded) is (there > units)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), max_size=8))
def test_shares_add_up_and_stay_near_their_part(cents, weights):
    shares, whole = share(cents, weights), sum(weights)
    assert sum(shares) == (cents if whole else 0)
    for part, weight in zip(shares, weights, strict=True):
        assert abs(part * whole - cents * weight) < max(whole, 1)
        assert cents > whole or part <= weight


@given(some.percents, st.integers(0, 10**9))
def test_a_per_cent_is_rounded_half_up(percent, cents):
    assert per_cent(percent)(cents) == to_cents(percent * cents / 100 / 100)
