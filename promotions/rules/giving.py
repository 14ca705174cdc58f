"""Rewards in words: each is a phrase that follows “orders of that kind”."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from audit.rules.sentences import Name, Sentence, Value, say
from promotions.rules import naming
from promotions.rules import rewards as r
from promotions.rules.goods import Goods
from promotions.rules.naming import Names, money
from promotions.rules.rewards import Choice, Reward

_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}


def phrase(reward: Reward, names: Names) -> Sentence:
    """Return what a reward gives, in words."""
    return _PHRASES[type(reward)](reward, names)


def items(wanted: Sequence[r.Item], choice: Choice = Choice.ALL) -> Value:
    """Return gifts or parts in words: ``1 × SAMPLE-B and 2 × CUP``."""
    each: list[Value] = [f"{item.quantity} × {item.sku}" for item in wanted]
    if choice is Choice.ALL or len(each) == 1:
        return naming.all_of(each)
    if choice is Choice.BUYER:
        return say("the buyer's choice of %(gifts)s", gifts=naming.one_of(each))
    return say("the first in stock of %(gifts)s", gifts=naming.in_a_row(each))


def nth(number: int) -> Name:
    """Return an ordinal number: ``2nd``."""
    ending = "th" if number % 100 in (11, 12, 13) else _ENDINGS.get(number % 10, "th")
    return Name(str(number), f"{number}{ending}")


def _spend_and_save(reward: r.SpendAndSave, names: Names) -> Sentence:
    steps = naming.in_a_row([_step(step, reward) for step in reward.steps])
    if reward.goods.is_everything:
        return _at_most(say("get %(steps)s", steps=steps), reward.most)
    on_goods = say("get %(steps)s, counting only %(goods)s", steps=steps, goods=naming.goods(reward.goods, names))
    return _at_most(on_goods, reward.most)


def _step(step: r.Step, reward: r.SpendAndSave) -> Sentence:
    least = money(step.at_least)
    if reward.is_percent:
        return say("%(off)s from %(least)s on", off=naming.percent_off(step.off), least=least)
    if reward.is_repeated:
        return say("%(off)s off for every %(least)s", off=money(step.off), least=least)
    return say("%(off)s off from %(least)s on", off=money(step.off), least=least)


def _item_off(reward: r.ItemOff, names: Names) -> Sentence:
    goods = naming.goods(reward.goods, names)
    if reward.is_percent:
        words = say("get %(goods)s at %(off)s", goods=goods, off=naming.percent_off(reward.off))
    else:
        words = say("get each unit of %(goods)s %(off)s cheaper", goods=goods, off=money(reward.off))
    if reward.most_units is not None:
        words = say("%(what)s for at most %(units)s units", what=words, units=reward.most_units)
    return _at_most(words, reward.most)


def _n_for_price(reward: r.NForPrice, names: Names) -> Sentence:
    return say("get any %(count)s × %(goods)s for %(price)s",
               count=reward.count, goods=naming.goods(reward.goods, names), price=money(reward.price))  # fmt: skip


def _nth_off(reward: r.NthOff, names: Names) -> Sentence:
    return say("get every %(nth)s unit of %(goods)s at %(off)s",
               nth=nth(reward.nth), goods=naming.goods(reward.goods, names),
               off=naming.percent_off(reward.percent))  # fmt: skip


def _bundle(reward: r.BundlePrice, _names: Names) -> Sentence:
    return say("get %(parts)s together for %(price)s", parts=items(reward.parts), price=money(reward.price))


def _member_price(reward: r.MemberPrice, _names: Names) -> Sentence:
    prices = [say("%(sku)s for %(price)s", sku=one.sku, price=money(one.price)) for one in reward.prices]
    return say("get %(prices)s", prices=naming.in_a_row(prices))


def _gift(reward: r.Gift, names: Names) -> Sentence:
    gifts = items(reward.items, reward.choice)
    if reward.every is None:
        return say("get %(gifts)s", gifts=gifts)
    every = money(reward.every)
    return _times(_per_amount(gifts, every, reward.goods, names), reward.most_times)


def _per_amount(gifts: Value, every: str, goods: Goods, names: Names) -> Sentence:
    if goods.is_everything:
        return say("get %(gifts)s for every full %(every)s", gifts=gifts, every=every)
    named = naming.goods(goods, names)
    return say("get %(gifts)s for every full %(every)s of %(goods)s", gifts=gifts, every=every, goods=named)


def _buy_get(reward: r.BuyGet, names: Names) -> Sentence:
    words = say("get %(gifts)s for every %(count)s × %(goods)s", gifts=items(reward.items, reward.choice),
                count=reward.buy_count, goods=naming.goods(reward.goods, names))  # fmt: skip
    return _times(words, reward.most_times)


def _buy_get_off(reward: r.BuyGetOff, names: Names) -> Sentence:
    words = say("get %(got)s × %(goods)s at %(off)s for every %(count)s × %(bought)s", got=reward.get_count,
                goods=naming.goods(reward.get, names), off=naming.percent_off(reward.percent),
                count=reward.buy_count, bought=naming.goods(reward.buy, names))  # fmt: skip
    return _times(words, reward.most_times)


def _free_shipping(reward: r.FreeShipping, _names: Names) -> Sentence:
    if reward.most is None:
        return say("are shipped free")
    return say("are shipped for up to %(most)s less", most=money(reward.most))


def _deposit(reward: r.Deposit, names: Names) -> Sentence:
    return say("get %(worth)s for a deposit of %(deposit)s on each unit of %(goods)s", worth=money(reward.worth),
               deposit=money(reward.deposit), goods=naming.goods(reward.goods, names))  # fmt: skip


def _purchase_limit(reward: r.PurchaseLimit, names: Names) -> Sentence:
    goods = naming.goods(reward.goods, names)
    if reward.days is None:
        return say("may have at most %(units)s × %(goods)s each", units=reward.units, goods=goods)
    return say("may have at most %(units)s × %(goods)s per buyer within %(days)s days",
               units=reward.units, goods=goods, days=reward.days)  # fmt: skip


def _at_most(words: Sentence, most: Decimal | None) -> Sentence:
    return words if most is None else say("%(what)s, at most %(most)s", what=words, most=money(most))


def _times(words: Sentence, most: int | None) -> Sentence:
    if most is None:
        return words
    if most == 1:
        return say("%(what)s, once", what=words)
    return say("%(what)s, at most %(count)s times", what=words, count=most)


_PHRASES: Final[dict[type, Callable[[Any, Names], Sentence]]] = {
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
