"""Baskets and rules small enough to work out by hand."""

from datetime import UTC, datetime
from decimal import Decimal as D

from promotions.rules.baskets import Basket, BasketLine, Circumstances
from promotions.rules.engine import quote
from promotions.rules.matching import compile_rules
from promotions.rules.rule import PublishedRule, Rule

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai, a Monday


def line(number, sku, price, quantity=1, *, category="cups", discount="0", **more):
    """Return a basket's line."""
    return BasketLine(number, number, quantity, D(price), D(discount), sku, category, **more)


def basket(*lines, **facts):
    """Return a basket of channel POS in Shanghai whose prices are ours."""
    usual = {"reference": "O1", "channel_code": "POS", "currency": "CNY", "region": "31", "placed_at": NOON}
    return Basket(lines=lines, **usual | facts)


def rule(reward, condition=None, **columns):
    """Return a rule that gives ``reward``."""
    if condition is not None:
        columns["condition"] = condition
    return Rule(reward=reward, **columns)


def published(**rules):
    """Return rules under their codes, each as version 1."""
    return compile_rules(PublishedRule(code, 1, made) for code, made in rules.items())


def priced(asked, circumstances=None, **rules):
    """Return the quote of a basket under these rules."""
    return quote(asked, published(**rules), circumstances or Circumstances(), at=NOON)


def nets(made):
    """Return what each line costs, as text."""
    return [str(one.net) for one in made.lines]


def outcomes(made):
    """Return what became of each rule: code → (outcome, why)."""
    return {verdict.code: (verdict.outcome.value, str(verdict.why)) for verdict in made.verdicts}
