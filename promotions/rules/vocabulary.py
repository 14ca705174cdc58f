"""Which words a rule uses: its goods, SKUs, conditions one by one."""

from collections.abc import Iterator

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.conditions import Condition
from promotions.rules.goods import Goods
from promotions.rules.rewards import Reward
from promotions.rules.rule import Rule


def conditions(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and all conditions within it."""
    yield condition
    if isinstance(condition, c.All | c.Any):
        for part in condition.of:
            yield from conditions(part)
    elif isinstance(condition, c.Not):
        yield from conditions(condition.of)


def goods_of_reward(reward: Reward) -> list[Goods]:
    """Return which goods a reward touches; bundles and member prices name them by SKU."""
    if isinstance(reward, r.BundlePrice):
        return [Goods(skus=tuple(part.sku for part in reward.parts))]
    if isinstance(reward, r.MemberPrice):
        return [Goods(skus=tuple(one.sku for one in reward.prices))]
    if isinstance(reward, r.BuyGetOff):
        return [reward.buy, reward.get]
    goods = getattr(reward, "goods", None)
    return [goods] if goods is not None else []


def goods(rule: Rule) -> list[Goods]:
    """Return all goods that a rule names, in its reward and in its conditions."""
    counted = [part.goods for part in conditions(rule.condition) if isinstance(part, c.Amount | c.Quantity)]
    return [*goods_of_reward(rule.reward), *counted]


def gifts(reward: Reward) -> tuple[str, ...]:
    """Return the SKUs that a reward lays into the parcel."""
    return tuple(item.sku for item in reward.items) if isinstance(reward, r.Gift | r.BuyGet) else ()


def skus(rule: Rule) -> frozenset[str]:
    """Return every SKU code that a rule names."""
    named = {sku for which in goods(rule) for sku in (*which.skus, *which.except_skus)}
    return frozenset(named | set(gifts(rule.reward)))


def triggers(rule: Rule) -> frozenset[str]:
    """Return the SKUs whose purchase alone can bring the rule's gifts; empty for a rule that needs none by name."""
    if isinstance(rule.reward, r.BuyGet):
        return frozenset(rule.reward.goods.skus)
    return frozenset(
        sku for part in conditions(rule.condition) if isinstance(part, c.Quantity) for sku in part.goods.skus
    )
