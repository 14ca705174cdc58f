"""What can be wrong with a reward by itself: nobody could explain it, or it gives more than there is."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from promotions.rules import rewards as r
from promotions.rules.complaining import Complaint, ShopFacts
from promotions.rules.naming import figure, money
from promotions.rules.rewards import Reward

HUNDRED: Final = Decimal(100)


def of_reward(reward: Reward, facts: ShopFacts) -> list[Complaint]:
    """Return what is wrong with a reward."""
    return [Complaint(field, why) for field, why in _FINDERS[type(reward)](reward, facts)]


Found = Iterator[tuple[str, Sentence]]


def _spend_and_save(reward: r.SpendAndSave, _facts: ShopFacts) -> Found:
    if not reward.steps:
        yield "steps", say("Say from which amount on how much comes off.")
    if reward.is_repeated and len(reward.steps) > 1:
        yield "steps", say("Only one step can be repeated for every full amount. Leave one, or do not repeat.")
    for step in reward.steps:
        yield from _step(step, is_percent=reward.is_percent)
    for low, high in pairwise(reward.steps):
        if high.at_least <= low.at_least or high.off <= low.off:
            yield "steps", say(
                "The step from %(high)s must ask for more and give more than the step from %(low)s before it.",
                high=money(high.at_least), low=money(low.at_least),
            )  # fmt: skip
    yield from _most(reward.most)


def _step(step: r.Step, *, is_percent: bool) -> Found:
    if step.at_least <= 0:
        yield "steps", say("A step begins above ¥0.")
    if is_percent:
        yield from _percent("steps", step.off)
    elif step.off <= 0:
        yield "steps", say("The step from %(least)s takes nothing off.", least=money(step.at_least))
    elif step.off > step.at_least:
        yield "steps", say(
            "The step from %(least)s takes off %(off)s: more than the goods cost.",
            least=money(step.at_least), off=money(step.off),
        )  # fmt: skip


def _item_off(reward: r.ItemOff, facts: ShopFacts) -> Found:
    if reward.is_percent:
        yield from _percent("off", reward.off)
    elif reward.off <= 0:
        yield "off", say("It takes nothing off.")
    else:
        yield from _above_price(reward.off, reward.goods.skus, facts)
    yield from _count("most_units", reward.most_units)
    yield from _most(reward.most)


def _above_price(off: Decimal, skus: Iterable[str], facts: ShopFacts) -> Found:
    prices = facts.prices or {}
    for sku in skus:
        if 0 < prices.get(sku, Decimal(0)) < off:
            yield "off", say("It takes off %(off)s, but %(sku)s costs only %(price)s.",
                             off=money(off), sku=sku, price=money(prices[sku]))  # fmt: skip


def _n_for_price(reward: r.NForPrice, _facts: ShopFacts) -> Found:
    if reward.count < 2:
        yield "count", say("Take at least two units together.")
    yield from _price(reward.price)


def _nth_off(reward: r.NthOff, _facts: ShopFacts) -> Found:
    if reward.nth < 2:
        yield "nth", say("The reduced unit is at least the second one.")
    yield from _percent("percent", reward.percent)


def _bundle(reward: r.BundlePrice, facts: ShopFacts) -> Found:
    yield from _items("parts", reward.parts)
    if sum(part.quantity for part in reward.parts) < 2:
        yield "parts", say("A bundle has at least two parts.")
    yield from _price(reward.price)
    prices = facts.prices or {}
    if reward.parts and all(prices.get(part.sku) for part in reward.parts):
        apart = sum((prices[part.sku] * part.quantity for part in reward.parts), Decimal(0))
        if reward.price > apart:
            yield "price", say("Together they cost %(price)s, apart only %(apart)s.",
                               price=money(reward.price), apart=money(apart))  # fmt: skip


def _member_price(reward: r.MemberPrice, facts: ShopFacts) -> Found:
    if not reward.prices:
        yield "prices", say("Name at least one SKU and its price.")
    prices = facts.prices or {}
    for one in reward.prices:
        if one.price < 0:
            yield "prices", say("A price is never below ¥0.")
        if 0 < prices.get(one.sku, Decimal(0)) <= one.price:
            yield "prices", say("%(sku)s costs everybody %(price)s: the members' price must be less.",
                                sku=one.sku, price=money(prices[one.sku]))  # fmt: skip
    if len({one.sku for one in reward.prices}) < len(reward.prices):
        yield "prices", say("Name each SKU once.")


def _gift(reward: r.Gift, facts: ShopFacts) -> Found:
    yield from _items("items", reward.items)
    yield from _gifts_there(reward.items, reward.choice, facts)
    yield from _count("most_times", reward.most_times)
    if reward.every is not None and reward.every <= 0:
        yield "every", say("The amount for each gift is above ¥0.")
    if reward.every is None and reward.most_times > 1:
        yield "every", say("Say for which amount the gift is given again.")


def _buy_get(reward: r.BuyGet, facts: ShopFacts) -> Found:
    yield from _items("items", reward.items)
    yield from _gifts_there(reward.items, reward.choice, facts)
    yield from _count("buy_count", reward.buy_count)
    yield from _count("most_times", reward.most_times)
    if reward.goods.is_everything:
        yield "goods", say("Say which goods must be bought.")


def _gifts_there(items: Iterable[r.Item], choice: r.Choice, facts: ShopFacts) -> Found:
    """Refuse gifts of which there are none; of a choice one is enough."""
    units = facts.gift_units
    if units is None:
        return
    missing = [item for item in items if units.get(item.sku, 0) < item.quantity]
    if choice is not r.Choice.ALL and any(units.get(item.sku, 0) >= item.quantity for item in items):
        return
    for item in missing:
        yield "items", say("There is no stock of the gift %(sku)s (%(there)s units). Order it or choose another.",
                           sku=item.sku, there=units.get(item.sku, 0))  # fmt: skip


def _buy_get_off(reward: r.BuyGetOff, _facts: ShopFacts) -> Found:
    if reward.buy.is_everything and reward.get.is_everything:
        yield "goods", say("Say which goods must be bought.")
    yield from _count("buy_count", reward.buy_count)
    yield from _count("get_count", reward.get_count)
    yield from _count("most_times", reward.most_times)
    yield from _percent("percent", reward.percent)


def _free_shipping(reward: r.FreeShipping, _facts: ShopFacts) -> Found:
    yield from _most(reward.most)


def _deposit(reward: r.Deposit, facts: ShopFacts) -> Found:
    if reward.deposit <= 0:
        yield "deposit", say("A deposit is above ¥0.")
    if reward.worth <= reward.deposit:
        yield "worth", say("A deposit of %(deposit)s must be worth more than itself, not %(worth)s.",
                           deposit=money(reward.deposit), worth=money(reward.worth))  # fmt: skip
    prices = facts.prices or {}
    for sku in reward.goods.skus:
        if 0 < prices.get(sku, Decimal(0)) < reward.worth:
            yield "worth", say("The deposit is worth %(worth)s, but %(sku)s costs only %(price)s.",
                               worth=money(reward.worth), sku=sku, price=money(prices[sku]))  # fmt: skip


def _purchase_limit(reward: r.PurchaseLimit, _facts: ShopFacts) -> Found:
    yield from _count("units", reward.units)
    yield from _count("days", reward.days)


def _items(field: str, items: Iterable[r.Item]) -> Found:
    items = list(items)
    if not items:
        yield field, say("Name at least one SKU.")
    if any(item.quantity < 1 for item in items):
        yield field, say("Each SKU comes at least once.")
    if len({item.sku for item in items}) < len(items):
        yield field, say("Name each SKU once.")


def _percent(field: str, percent: Decimal) -> Found:
    if not 0 < percent <= HUNDRED:
        yield field, say("%(percent)s per cent is not possible: choose more than 0 and at most 100.",
                         percent=figure(percent))  # fmt: skip


def _price(price: Decimal) -> Found:
    if price < 0:
        yield "price", say("A price is never below ¥0.")


def _most(most: Decimal | None) -> Found:
    if most is not None and most <= 0:
        yield "most", say("At most ¥0 would give nothing. Leave it empty for no limit.")


def _count(field: str, count: int | None) -> Found:
    if count is not None and count < 1:
        yield field, say("This is at least 1. Leave it empty for no limit.")


_FINDERS: Final[dict[type, Callable[[Any, ShopFacts], Found]]] = {
    r.SpendAndSave: _spend_and_save,
    r.ItemOff: _item_off,
    r.NForPrice: _n_for_price,
    r.NthOff: _nth_off,
    r.BundlePrice: _bundle,
    r.MemberPrice: _member_price,
    r.Gift: _gift,
    r.BuyGet: _buy_get,
    r.BuyGetOff: _buy_get_off,
    r.FreeShipping: _free_shipping,
    r.Deposit: _deposit,
    r.PurchaseLimit: _purchase_limit,
}
