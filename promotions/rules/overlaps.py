"""Whether two rules can meet in one basket: their time, channels, regions, stores, tiers and goods."""

from collections.abc import Iterator, Mapping
from typing import Final

from inventory.rules.geography import REGIONS
from promotions.rules import conditions as c
from promotions.rules import vocabulary
from promotions.rules.conditions import Condition
from promotions.rules.goods import Goods
from promotions.rules.rule import Rule

Belonging = Mapping[str, tuple[str, str]]  # SKU code → its category and its brand
_WORDS: Final = (
    (c.OnChannel, "channels"), (c.AtStore, "stores"), (c.Member, "tiers"), (c.PaysBy, "methods"),
)  # fmt: skip


def can_meet(one: Rule, other: Rule, belonging: Belonging) -> bool:
    """Return whether some basket could fall under both rules; in doubt it could."""
    return _times_meet(one, other) and _words_meet(one, other) and _goods_meet(one, other, belonging)


def _times_meet(one: Rule, other: Rule) -> bool:
    begins_before = one.starts_at is None or other.ends_at is None or one.starts_at < other.ends_at
    ends_after = one.ends_at is None or other.starts_at is None or other.starts_at < one.ends_at
    return begins_before and ends_after


def _words_meet(one: Rule, other: Rule) -> bool:
    return all(
        _share(_asked(one, kind, words), _asked(other, kind, words)) for kind, words in _WORDS
    ) and _share(_provinces(one), _provinces(other))  # fmt: skip


def _share(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    return one is None or other is None or not one.isdisjoint(other)


def _asked(rule: Rule, kind: type, words: str) -> frozenset[str] | None:
    """Return which words every basket of a rule has one of; nothing when any will do."""
    found = [frozenset(getattr(part, words)) for part in _needed(rule.condition) if isinstance(part, kind)]
    return frozenset.intersection(*found) if found else None


def _provinces(rule: Rule) -> frozenset[str] | None:
    found = [part.regions for part in _needed(rule.condition) if isinstance(part, c.ShipsTo)]
    if not found:
        return None
    return frozenset.intersection(*[frozenset(_within(regions)) for regions in found])


def _within(regions: tuple[str, ...]) -> Iterator[str]:
    for region in regions:
        if region in REGIONS:
            yield region
        else:
            yield from (code for code, known in REGIONS.items() if known.area == region)


def _needed(condition: Condition) -> Iterator[Condition]:
    """Yield the conditions that every basket of a rule fulfils; those of groups with a choice are left out."""
    if isinstance(condition, c.All):
        for part in condition.of:
            yield from _needed(part)
    elif isinstance(condition, c.Any) and len(condition.of) == 1:
        yield from _needed(condition.of[0])
    else:
        yield condition


def _goods_meet(one: Rule, other: Rule, belonging: Belonging) -> bool:
    mine, theirs = vocabulary.goods_of_reward(one.reward), vocabulary.goods_of_reward(other.reward)
    if not mine or not theirs:
        return True
    return any(_meet(here, there, belonging) for here in mine for there in theirs)


def _meet(one: Goods, other: Goods, belonging: Belonging) -> bool:
    if _names_only_skus(one):
        return any(_has(other, sku, belonging) for sku in one.skus if sku not in one.except_skus)
    if _names_only_skus(other):
        return any(_has(one, sku, belonging) for sku in other.skus if sku not in other.except_skus)
    if one.categories and other.categories and not (one.brands or other.brands or one.skus or other.skus):
        return not set(one.categories).isdisjoint(other.categories)
    if one.brands and other.brands and not (one.categories or other.categories or one.skus or other.skus):
        return not set(one.brands).isdisjoint(other.brands)
    return True


def _names_only_skus(goods: Goods) -> bool:
    return bool(goods.skus) and not (goods.categories or goods.brands)


def _has(goods: Goods, sku: str, belonging: Belonging) -> bool:
    category, brand = belonging.get(sku, ("", ""))
    return goods.has(sku, category, brand)
