"""Rules and baskets to measure the promotion engine on, and the same conditions in the words of another engine."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from promotions.rules import conditions as c
from promotions.rules import rewards as r
from promotions.rules.baskets import Basket, BasketLine
from promotions.rules.goods import Goods
from promotions.rules.rewards import Reward
from promotions.rules.rule import PublishedRule, Rule

AT: Final = datetime(2026, 11, 2, 4, tzinfo=UTC)
CATEGORIES: Final = 40
SKUS: Final = 400
GROUPS: Final = ("", "", "a", "b")


def live(count: int, chance: random.Random) -> list[PublishedRule]:
    """Return rules as a shop has them: for a category or three SKUs, half for channels and amounts, half by region."""
    return [_rule(f"P{number}", _goods(chance), chance) for number in range(count)]


def elsewhere(count: int, chance: random.Random) -> list[PublishedRule]:
    """Return rules of the same kinds that none of the baskets can match: for SKUs that are not sold here."""
    made = []
    for number in range(count):
        skus = tuple(f"X{chance.randrange(4_000)}" for _ in range(3))
        made.append(_rule(f"E{number}", Goods(skus=skus), chance))
    return made


def baskets(count: int, chance: random.Random) -> list[Basket]:
    """Return baskets of five lines."""
    return [
        Basket(
            f"O{number}", "JD", "CNY", tuple(_line(place, chance) for place in range(1, 6)), Decimal(8), AT, region="31"
        )
        for number in range(count)
    ]


def _line(place: int, chance: random.Random) -> BasketLine:
    number = chance.randrange(SKUS)
    price = Decimal(chance.randrange(1_000, 20_000)) / 100
    return BasketLine(
        place, number, chance.randrange(1, 4), price, sku=f"S{number}", category=f"C{number % CATEGORIES}"
    )


def _goods(chance: random.Random) -> Goods:
    if chance.random() < 0.6:
        return Goods(categories=(f"C{chance.randrange(CATEGORIES)}",))
    return Goods(skus=tuple(f"S{chance.randrange(SKUS)}" for _ in range(3)))


def _rule(code: str, goods: Goods, chance: random.Random) -> PublishedRule:
    if chance.random() < 0.5:
        condition = c.All((c.OnChannel(("JD", "TM")), c.Amount(Decimal(chance.randrange(50, 400)))))
    else:
        condition = c.All((c.ShipsTo(("east",)), c.Quantity(2, goods=goods)))
    rewards: tuple[Reward, ...] = (
        r.SpendAndSave((r.Step(Decimal(100), Decimal(10)), r.Step(Decimal(300), Decimal(40))), goods=goods),
        r.ItemOff(Decimal(10), goods=goods),
        r.NthOff(goods=goods),
        r.Gift((r.Item("G1"),), goods=goods),
        r.BuyGet(goods, (r.Item("G2"),)),
    )
    return PublishedRule(code, 1, Rule(reward=chance.choice(rewards), condition=condition, group=chance.choice(GROUPS)))


def of_each_kind(categories: Sequence[str], skus: Sequence[str]) -> list[PublishedRule]:
    """Return fifty rules of every kind for the categories and SKUs that a real shop sells most."""
    chance = random.Random(50)
    made: list[Rule] = []
    for number in range(50):
        goods = (
            Goods(categories=(chance.choice(categories),)) if number % 2 else Goods(skus=tuple(chance.sample(skus, 3)))
        )
        condition = c.Amount(Decimal(chance.choice((5, 20, 50)))) if number % 3 else c.ALWAYS
        made.append(
            Rule(
                reward=_of_kind(number % 12, goods, chance.sample(skus, 3)),
                condition=condition,
                group=chance.choice(GROUPS),
                is_exclusive=number % 25 == 24,
            )
        )
    return [PublishedRule(f"P{number}", 1, rule) for number, rule in enumerate(made)]


def _of_kind(kind: int, goods: Goods, skus: Sequence[str]) -> Reward:
    price = Decimal(3)
    kinds: tuple[Reward, ...] = (
        r.SpendAndSave((r.Step(Decimal(10), Decimal(1)), r.Step(Decimal(40), Decimal(6)))),
        r.ItemOff(Decimal(15), goods=goods),
        r.NForPrice(3, price, goods),
        r.NthOff(goods=goods),
        r.BundlePrice((r.Item(skus[0]), r.Item(skus[1])), price),
        r.MemberPrice(tuple(r.SkuPrice(sku, Decimal("1.49")) for sku in skus)),
        r.BuyGetOff(goods, Goods(skus=tuple(skus)), percent=Decimal(50)),
        r.FreeShipping(Decimal(5)),
        r.Deposit(Decimal(1), Decimal(2), Goods(skus=tuple(skus))),
        r.Gift((r.Item("G1"), r.Item("G2")), r.Choice.FIRST_IN_STOCK, every=Decimal(30), most_times=2),
        r.BuyGet(goods, (r.Item("G1"),), buy_count=2),
        r.PurchaseLimit(12, goods=goods),
    )
    return kinds[kind]


def in_zen(condition: c.Condition) -> str:
    """Return a condition of ``live`` as a ZEN expression over ``zen_context``."""
    if isinstance(condition, c.All):
        return " and ".join(f"({in_zen(part)})" for part in condition.of)
    if isinstance(condition, c.OnChannel):
        return f"channel in {_words(condition.channels)}"
    if isinstance(condition, c.ShipsTo):
        return f"some(places, # in {_words(condition.regions)})"
    if isinstance(condition, c.Amount):
        return f"amount >= {condition.at_least}"
    if isinstance(condition, c.Quantity):
        goods = condition.goods
        belongs = f"#.sku in {_words(goods.skus)} or #.category in {_words(goods.categories)}"
        return f"sum(map(filter(lines, {belongs}), #.quantity)) >= {condition.at_least}"
    raise TypeError(condition)


def zen_context(basket: Basket) -> dict[str, Any]:
    """Return a basket as the values that ZEN expressions look at; its sum is made beforehand."""
    lines = [{"sku": line.sku, "category": line.category, "quantity": line.quantity} for line in basket.lines]
    amount = float(sum(line.unit_price * line.quantity for line in basket.lines))
    return {"channel": basket.channel_code, "places": [basket.region, "east"], "amount": amount, "lines": lines}


def _words(words: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
