"""Which part of the business a rule stays inside, so that whoever answers for that part may write or approve it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from inventory.rules.geography import REGIONS
from promotions.rules import conditions as c
from promotions.rules import vocabulary
from promotions.rules.conditions import Condition
from promotions.rules.goods import Goods
from promotions.rules.naming import AREAS
from promotions.rules.rewards import FreeShipping, Gift
from promotions.rules.rule import Rule

Words = frozenset[str]
NOWHERE: Final[Words] = frozenset()


@dataclass(frozen=True)
class Bounds:
    """What a rule stays inside; ``None``: it is not bounded in this way."""

    brands: Words | None = None
    channels: Words | None = None
    regions: Words | None = None  # province codes, or countries abroad


@dataclass(frozen=True)
class Fields:
    """What a person answers for: everything that stays inside these brands, or these channels, or these regions."""

    brands: Words = NOWHERE
    channels: Words = NOWHERE
    regions: Words = NOWHERE

    @property
    def is_nothing(self) -> bool:
        """Return whether the person answers for no part of the business alone."""
        return self == Fields()


def bounds(rule: Rule, *, brand: str = "", brand_of: Mapping[str, str]) -> Bounds:
    """Return what a rule stays inside, or a part of it that is surely enough.

    ``brand`` is the promotion's own, ``brand_of`` the brand of every SKU that the rule names. A promotion of the whole
    company is in no brand, nor is one whose reward touches goods of which the brand is not known by their SKU or brand.
    """
    return Bounds(
        brands=_brands(rule, brand, brand_of),
        channels=_bound(rule.condition, _channels),
        regions=_bound(rule.condition, _regions),
    )


def is_inside(found: Bounds, fields: Fields) -> bool:
    """Return whether what bounds a rule belongs to these fields: all of its brands, channels or regions, not some."""
    pairs = (
        (found.brands, fields.brands),
        (found.channels, fields.channels),
        (found.regions, regions_of(fields.regions)),
    )
    return any(bool(inside) and inside <= granted for inside, granted in pairs if inside is not None)


def regions_of(codes: Words | tuple[str, ...]) -> Words:
    """Return provinces and countries for what areas and provinces are called by."""
    inside = {code for code, region in REGIONS.items() if region.area in codes}
    return frozenset(inside | {code for code in codes if code not in AREAS})


def _brands(rule: Rule, brand: str, brand_of: Mapping[str, str]) -> Words | None:
    if not brand:
        return None
    goods = [which for which in vocabulary.goods_of_reward(rule.reward) if not which.is_everything]
    touched = [_brands_of(which, brand_of) for which in goods]
    if not goods or len(goods) < len(vocabulary.goods_of_reward(rule.reward)):
        if not isinstance(rule.reward, Gift | FreeShipping):  # these take nothing off goods: who gets them is enough
            return None
        touched.append(_bound(rule.condition, lambda part: _counted_brands(part, brand_of)))
    known = [words for words in touched if words]
    return frozenset({brand}).union(*known) if len(known) == len(touched) else None


def _brands_of(goods: Goods, brand_of: Mapping[str, str]) -> Words | None:
    if goods.categories or not (goods.skus or goods.brands):
        return None
    of_skus = [brand_of.get(sku, "") for sku in goods.skus]
    return frozenset({*of_skus, *goods.brands}) if all(of_skus) else None


def _counted_brands(part: Condition, brand_of: Mapping[str, str]) -> Words | None:
    """Return whose goods must be bought; a condition that none of them fulfils bounds nothing."""
    if isinstance(part, c.Amount | c.Quantity) and part.at_least > 0:
        return _brands_of(part.goods, brand_of)
    return None


def _channels(part: Condition) -> Words | None:
    return frozenset(part.channels) if isinstance(part, c.OnChannel) else None


def _regions(part: Condition) -> Words | None:
    return regions_of(part.regions) if isinstance(part, c.ShipsTo) else None


def _bound(condition: Condition, of_one: Callable[[Condition], Words | None]) -> Words | None:
    """Return the words outside of which a condition is never true: one of all is enough, of any all must be bounded."""
    if isinstance(condition, c.Not):
        return None
    if not isinstance(condition, c.All | c.Any):
        return of_one(condition)
    found = [_bound(part, of_one) for part in condition.of]
    known = [words for words in found if words is not None]
    if isinstance(condition, c.Any):
        return frozenset().union(*known) if known and len(known) == len(found) else None
    return frozenset.intersection(*known) if known else None
