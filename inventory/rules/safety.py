"""How much of a stock level is never promised: which rule decides, and what it asks for. Plain Python.

1. A rule fits a level when its SKU, its category and its node are the level's, or are left open.
2. Of the rules that fit and are inside their time the narrowest decides: one for a SKU before one for a category before
   one for everything; then one for a node before one for all nodes; of two alike the one published later.
3. It asks for a fixed number of units, for a per cent of what is on hand, or for days of cover: days × what left a day
   over the last 28 whole days. Parts of a unit are rounded up.
4. Where no rule fits, the level's own figure holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final

from audit.rules.sentences import Sentence, say

WINDOW_DAYS: Final = 28
MOST_UNITS: Final = 100_000_000  # of one level; a rule that asks for more keeps back everything anyway
MOST_PERCENT: Final = 100
MOST_DAYS: Final = 366

Scope = tuple[int | None, int | None, int | None]  # SKU id, category id, node id; None leaves it open


@dataclass(frozen=True)
class Rule:
    """A published rule, or a draft that is looked at as if it were."""

    rule_id: int
    kind: str  # fixed | percent | days
    amount: Decimal
    scope: Scope = (None, None, None)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    published_at: datetime | None = None

    def is_in_time(self, at: datetime) -> bool:
        """Return whether it holds at a moment: from its start on, and no longer at its end."""
        has_begun = self.starts_at is None or self.starts_at <= at
        return has_begun and (self.ends_at is None or at < self.ends_at)

    def asks_for(self, on_hand: int, gone: int) -> int:
        """Return the units it keeps back of a level; ``gone`` are the units that left in the last 28 days."""
        units = self.amount
        if self.kind == "percent":
            units = on_hand * self.amount / 100
        elif self.kind == "days":
            units = gone * self.amount / WINDOW_DAYS
        return max(0, min(MOST_UNITS, int(units.to_integral_value(ROUND_CEILING))))


@dataclass(frozen=True)
class Place:
    """What a rule must know of a stock level."""

    sku_id: int
    category_id: int
    node_id: int
    on_hand: int = 0
    own: int = 0
    gone: int = 0  # units that left in the last 28 whole days

    def scopes(self) -> tuple[Scope, ...]:
        """Return the scopes that fit, the narrowest first."""
        sku, category, node = self.sku_id, self.category_id, self.node_id
        return (
            (sku, None, node),
            (sku, None, None),
            (None, category, node),
            (None, category, None),
            (None, None, node),
            (None, None, None),
        )


@dataclass
class Book:
    """The rules that hold at one moment, found by what they are for: however many there are, a level asks six times."""

    by_scope: dict[Scope, Rule] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[Rule], at: datetime) -> "Book":
        """Keep the rules that are inside their time, and of two alike the one published later."""
        book = cls()
        for rule in rules:
            known = book.by_scope.get(rule.scope)
            if rule.is_in_time(at) and (known is None or _rank(rule, at) > _rank(known, at)):
                book.by_scope[rule.scope] = rule
        return book

    @property
    def needs_gone(self) -> bool:
        """Return whether a rule counts in days of cover."""
        return any(rule.kind == "days" for rule in self.by_scope.values())

    def winner(self, place: Place) -> Rule | None:
        """Return the rule that decides about a level, if one does."""
        find = self.by_scope.get  # a plain loop: this runs for every level there is
        for scope in place.scopes():
            rule = find(scope)
            if rule:
                return rule
        return None

    def units(self, place: Place) -> int:
        """Return what is kept back of a level: what the deciding rule asks for, or else the level's own figure."""
        rule = self.winner(place)
        return rule.asks_for(place.on_hand, place.gone) if rule else place.own


def _rank(rule: Rule, at: datetime) -> tuple[datetime, int]:
    return rule.published_at or at, rule.rule_id


def fits(scope: Scope, place: Place) -> bool:
    """Return whether a rule of this scope is for a level."""
    theirs = (place.sku_id, place.category_id, place.node_id)
    return all(asked is None or asked == has for asked, has in zip(scope, theirs, strict=True))


def complaints(rule: Rule) -> list[tuple[str, Sentence]]:
    """Return why a rule cannot stand, each with the name of the field that is wrong (empty: the rule as a whole)."""
    found = [("amount", complaint)] if (complaint := _about_amount(rule.kind, rule.amount)) else []
    if rule.scope[0] is not None and rule.scope[1] is not None:
        found.append(("category", say("Choose a SKU or a category, not both.")))
    if rule.starts_at and rule.ends_at and rule.ends_at <= rule.starts_at:
        found.append(("ends_at", say("The rule would end before it begins.")))
    return found


def _about_amount(kind: str, amount: Decimal) -> Sentence | None:
    if amount < 0:
        return say("The amount cannot be negative.")
    if kind == "fixed" and amount != amount.to_integral_value():
        return say("Units are whole numbers.")
    if kind == "percent" and amount > MOST_PERCENT:
        return say("More than %(most)s per cent cannot be kept back.", most=MOST_PERCENT)
    if kind == "days" and amount > MOST_DAYS:
        return say("More than %(most)s days of cover cannot be asked for.", most=MOST_DAYS)
    return None
