"""Finding the rules that could matter for a basket without looking at all of them.

Of each rule something is known that a basket must have: a SKU, a coupon, a category, a channel … An inverted index from
such facts to rules picks the candidates; the others are told apart by a verdict that was made beforehand. So a quote
costs as much as there are rules that could match.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from audit.rules.sentences import Sentence, say
from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import NOTHING, Outcome, Verdict
from promotions.rules.checks import Check, compiled
from promotions.rules.conditions import Condition
from promotions.rules.counter import Counter
from promotions.rules.goods import Goods
from promotions.rules.granting import ready
from promotions.rules.offers import Give
from promotions.rules.rule import LANES, Lane, PublishedRule

Fact = tuple[str, str]  # what sort of fact, and its word: ("sku", "CUP")
Index = Mapping[str, Mapping[str, tuple[int, ...]]]  # sort of fact → word → places of rules


class CompiledRule:
    """A rule ready for the counter; ``place`` is its place in its set, which is the order of lanes and ranks."""

    __slots__ = (
        "check", "code", "ends_at", "give", "group", "is_exclusive", "lane", "needs_coupon", "number", "place",
        "published", "rank", "starts_at", "unfit",
    )  # fmt: skip

    def __init__(self, place: int, published: PublishedRule) -> None:
        rule = published.rule
        self.place, self.published, self.code, self.number = place, published, published.code, published.number
        self.lane: Lane = rule.lane
        self.rank = (-rule.priority, published.code)  # in its lane: higher priority first, then by code
        self.group, self.is_exclusive, self.needs_coupon = rule.group, rule.is_exclusive, rule.needs_coupon
        self.starts_at, self.ends_at = rule.starts_at, rule.ends_at
        self.check: Check = compiled(rule.condition)
        self.give: Give = ready(rule.reward, published.code)
        self.unfit = _unfit(published)  # what is said when the basket lacks what the rule needs

    def is_in_time(self, at: datetime) -> bool:
        """Return whether the rule's own time includes this moment."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that hold together, compiled once, in the order in which lanes and ranks work."""

    rules: tuple[CompiledRule, ...] = ()
    by_fact: Index = field(default_factory=dict)
    always: frozenset[int] = frozenset()  # places of the rules of which nothing is known beforehand
    unfit: tuple[Verdict, ...] = ()

    def candidates(self, counter: Counter) -> list[CompiledRule]:
        """Return the rules that could match, in the order in which lanes and ranks work."""
        found = set(self.always)
        for kind, places in self.by_fact.items():
            for word in _THERE[kind](counter):
                if word in places:
                    found.update(places[word])
        rules = self.rules
        return [rules[place] for place in sorted(found)]


# What a basket has, by sort of fact. Facts that fewer baskets have come first: a rule is found by its rarest one.
_THERE: Final[dict[str, Callable[[Counter], Iterable[str]]]] = {
    "sku": lambda counter: {line.sku for line in counter.lines},
    "coupon": lambda counter: counter.coupons,
    "goods": lambda counter: {word for line in counter.lines for word in (f"c:{line.category}", f"b:{line.brand}")},
    "store": lambda counter: (counter.basket.store,),
    "segment": lambda counter: counter.basket.segments,
    "tier": lambda counter: (counter.basket.tier,),
    "payment": lambda counter: (counter.basket.payment,),
    "region": lambda counter: counter.places,
    "channel": lambda counter: (counter.basket.channel_code,),
}
_RAREST: Final = tuple(_THERE)


def compile_rules(rules: Iterable[PublishedRule]) -> RuleSet:
    """Make a set of rules ready. Their order does not matter."""
    made = tuple(CompiledRule(place, published) for place, published in enumerate(sorted(rules, key=_order)))
    by_fact: dict[str, dict[str, tuple[int, ...]]] = {}
    always: set[int] = set()
    for rule in made:
        needed = needs(rule.published)
        if needed is None:
            always.add(rule.place)
        for kind, word in needed or ():
            places = by_fact.setdefault(kind, {})
            places[word] = (*places.get(word, ()), rule.place)
    return RuleSet(made, by_fact, frozenset(always), tuple(rule.unfit for rule in made))


def needs(published: PublishedRule) -> frozenset[Fact] | None:
    """Return facts of which a basket must have at least one for the rule to give anything; ``None``: none is known."""
    found = [_needed_coupon(published), *_needed_goods(published.rule.reward), *_needed_by(published.rule.condition)]
    known = [facts for facts in found if facts]
    return min(known, key=_rareness) if known else None


def _order(published: PublishedRule) -> tuple[int, int, str]:
    return LANES.index(published.rule.lane), -published.rule.priority, published.code


def _rareness(facts: frozenset[Fact]) -> tuple[int, int]:
    return max(_RAREST.index(kind) for kind, _word in facts), len(facts)


def _needed_coupon(published: PublishedRule) -> frozenset[Fact]:
    return frozenset({("coupon", published.code)}) if published.rule.needs_coupon else frozenset()


def _needed_goods(reward: r.Reward) -> list[frozenset[Fact]]:
    if isinstance(reward, r.BundlePrice):
        return [frozenset({("sku", part.sku)}) for part in reward.parts[:1]]
    if isinstance(reward, r.MemberPrice):
        return [frozenset(("sku", price.sku) for price in reward.prices)]
    if isinstance(reward, r.BuyGetOff):
        return [_facts_of_goods(reward.buy), _facts_of_goods(reward.get)]
    goods = getattr(reward, "goods", None)
    return [_facts_of_goods(goods)] if goods is not None else []


def _needed_by(condition: Condition) -> list[frozenset[Fact]]:
    """Return what every basket that fulfils the condition has; only parts that must all be true tell anything."""
    if isinstance(condition, c.All):
        return [facts for part in condition.of for facts in _needed_by(part)]
    if isinstance(condition, c.Any):
        return [_needed_by_any(condition)]
    if isinstance(condition, c.Amount | c.Quantity):
        wanted = condition.at_least > 0
        return [_facts_of_goods(condition.goods)] if wanted else []
    for kind, words in _WORDS:
        if isinstance(condition, kind):
            return [frozenset((_WORDS_FACT[kind], word) for word in getattr(condition, words))]
    return []


def _needed_by_any(condition: c.Any) -> frozenset[Fact]:
    """Return what the parts need together; nothing when one of them could be true without anything known."""
    parts = [[facts for facts in _needed_by(part) if facts] for part in condition.of]
    if not all(parts):
        return frozenset()
    return frozenset().union(*(min(part, key=_rareness) for part in parts))


_WORDS: Final = (
    (c.OnChannel, "channels"), (c.AtStore, "stores"), (c.Member, "tiers"), (c.Segment, "segments"),
    (c.PaysBy, "methods"), (c.ShipsTo, "regions"),
)  # fmt: skip
_WORDS_FACT: Final = {
    c.OnChannel: "channel", c.AtStore: "store", c.Member: "tier", c.Segment: "segment", c.PaysBy: "payment",
    c.ShipsTo: "region",
}  # fmt: skip


def _facts_of_goods(goods: Goods) -> frozenset[Fact]:
    if not (goods.skus or goods.categories or goods.brands):
        return frozenset()
    return frozenset(
        [*(("sku", sku) for sku in goods.skus), *(("goods", f"c:{code}") for code in goods.categories),
         *(("goods", f"b:{brand}") for brand in goods.brands)]
    )  # fmt: skip


def _unfit(published: PublishedRule) -> Verdict:
    needed = needs(published)
    why, outcome = _why_unfit(needed) if needed else (say("It was not looked at."), Outcome.NOT_MET)
    return Verdict(published.code, published.number, outcome, why, NOTHING)


def _why_unfit(needed: frozenset[Fact]) -> tuple[Sentence, Outcome]:
    kinds = {kind for kind, _word in needed}
    if kinds == {"coupon"}:
        return say("It needs a coupon."), Outcome.NO_COUPON
    if len(kinds) > 1 and not kinds <= {"sku", "goods"}:
        return say("None of its conditions is true."), Outcome.NOT_MET
    words = _shown(sorted({word[2:] if kind == "goods" else word for kind, word in needed}))
    return _UNFIT[min(kinds)](words), Outcome.NOT_MET


_UNFIT: Final = {
    "sku": lambda words: say("The basket has none of these goods: %(wanted)s.", wanted=words),
    "goods": lambda words: say("The basket has none of these goods: %(wanted)s.", wanted=words),
    "store": lambda words: say("It is only for the stores %(wanted)s.", wanted=words),
    "segment": lambda words: say("It is only for customers in %(wanted)s.", wanted=words),
    "tier": lambda words: say("It is only for members of tier %(wanted)s.", wanted=words),
    "payment": lambda words: say("It is only for payment by %(wanted)s.", wanted=words),
    "region": lambda words: say("It is only for orders to %(wanted)s.", wanted=words),
    "channel": lambda words: say("It is only for orders of %(wanted)s.", wanted=words),
}
MOST_WORDS: Final = 5


def _shown(words: Sequence[str]) -> str:
    shown = ", ".join(words[:MOST_WORDS])
    return f"{shown} …" if len(words) > MOST_WORDS else shown
