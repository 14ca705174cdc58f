"""Finding the rules that could matter for a basket without looking at all of them.

Of each rule something is known that a basket must have: a SKU, a coupon, a category, a channel … An inverted index from
such facts to rules picks the candidates; the others are told apart by a verdict that was made beforehand. So a quote
costs as much as there are rules that could match.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.rules.sentences import Sentence, say
from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import NOTHING, Outcome, Verdict
from promotions.rules.checks import Test, compiled
from promotions.rules.conditions import Condition
from promotions.rules.counter import Counter
from promotions.rules.goods import Goods
from promotions.rules.rule import LANES, Lane, PublishedRule

Fact = tuple[str, str]  # what sort of fact, and its word: ("sku", "CUP")
# Facts that fewer baskets have come first: a rule is found by the rarest fact it needs.
_RAREST: Final = ("sku", "coupon", "goods", "store", "segment", "tier", "payment", "region", "channel")


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """A rule ready for the counter."""

    place: int  # in its set
    published: PublishedRule
    lane: Lane
    test: Test
    unfit: Verdict  # what is said when the basket lacks what the rule needs

    @property
    def rank(self) -> tuple[int, str]:
        """Return its place in its lane: higher priority first, then by code."""
        return -self.published.rule.priority, self.published.code


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that hold together, compiled once; ``version`` names the set."""

    rules: tuple[CompiledRule, ...] = ()
    by_fact: "dict[Fact, tuple[CompiledRule, ...]]" = None  # type: ignore[assignment]
    always: tuple[CompiledRule, ...] = ()
    unfit: tuple[Verdict, ...] = ()

    def candidates(self, counter: Counter) -> list[CompiledRule]:
        """Return the rules that could match, in the order in which lanes and ranks work."""
        found = set(self.always)
        if self.by_fact:
            for fact in facts_of(counter):
                found.update(self.by_fact.get(fact, ()))
        return sorted(found, key=_PLACE)


def _PLACE(rule: CompiledRule) -> int:  # noqa: N802  # a sort key
    return rule.place


def compile_rules(rules: Iterable[PublishedRule]) -> RuleSet:
    """Make a set of rules ready. Their order does not matter."""
    ordered = sorted(rules, key=_order)
    made = tuple(_compiled_rule(place, published) for place, published in enumerate(ordered))
    by_fact: dict[Fact, list[CompiledRule]] = {}
    always: list[CompiledRule] = []
    for rule in made:
        needed = needs(rule.published)
        if needed is None:
            always.append(rule)
        else:
            for fact in needed:
                by_fact.setdefault(fact, []).append(rule)
    return RuleSet(
        made, {fact: tuple(found) for fact, found in by_fact.items()}, tuple(always), tuple(rule.unfit for rule in made)
    )


def facts_of(counter: Counter) -> set[Fact]:
    """Return the facts of a basket that rules may need."""
    basket = counter.basket
    facts = {
        ("channel", basket.channel_code), ("store", basket.store), ("tier", basket.tier),
        ("payment", basket.payment),
    }  # fmt: skip
    facts.update(("region", place) for place in counter.places)
    facts.update(("segment", segment) for segment in basket.segments)
    facts.update(("coupon", code) for code in counter.coupons)
    for line in counter.lines:
        if line.sku:
            facts.update((("sku", line.sku), ("goods", f"c:{line.category}"), ("goods", f"b:{line.brand}")))
    return facts


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
    if isinstance(condition, c.Amount | c.Quantity):
        wanted = condition.at_least > 0
        return [_facts_of_goods(condition.goods)] if wanted else []
    for kind, words in _WORDS:
        if isinstance(condition, kind):
            return [frozenset((_WORDS_FACT[kind], word) for word in getattr(condition, words))]
    return []


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


def _compiled_rule(place: int, published: PublishedRule) -> CompiledRule:
    why, outcome = _unfit(published)
    unfit = Verdict(published.code, published.number, outcome, why, NOTHING)
    return CompiledRule(place, published, published.rule.lane, compiled(published.rule.condition), unfit)


def _unfit(published: PublishedRule) -> tuple[Sentence, Outcome]:
    needed = needs(published)
    if needed is None:
        return say("It was not looked at."), Outcome.NOT_MET
    kind = max((kind for kind, _word in needed), key=_RAREST.index)
    words = _shown(sorted({word.partition(":")[2] or word for _kind, word in needed}))
    if kind == "coupon":
        return say("It needs a coupon."), Outcome.NO_COUPON
    return _UNFIT[kind](words), Outcome.NOT_MET


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
