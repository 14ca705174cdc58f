"""Gifts in the parcel, and limits on what one buyer gets."""

from collections.abc import Mapping, Sequence

from audit.rules.sentences import say
from promotions.rules import rewards as r
from promotions.rules.counter import Counter, Selection, select
from promotions.rules.money import shown, to_cents
from promotions.rules.offers import NO_GOODS, NOTHING, Give, Offer, too_few, too_little
from promotions.rules.rewards import Choice, Item


def gift(reward: r.Gift, code: str) -> Give:
    """Return a reward that lays gifts into the parcel, once or once per full amount."""
    goods = select(reward.goods)
    every = None if reward.every is None else to_cents(reward.every)

    def once(counter: Counter) -> Offer:
        return _gifts(reward, 1, counter, code) if counter.lines_of(goods) else NO_GOODS

    def per_amount(counter: Counter) -> Offer:
        amount = counter.amount_of(goods)
        times = min(amount // every, reward.most_times) if every else 0
        return _gifts(reward, times, counter, code) if times > 0 else too_little(shown(amount), shown(every or 0))

    return once if every is None else per_amount


def buy_get(reward: r.BuyGet, code: str) -> Give:
    """Return a reward that lays gifts into the parcel for every so many units bought."""
    goods, buy_count = select(reward.goods), max(reward.buy_count, 1)

    def give(counter: Counter) -> Offer:
        there = counter.units_of(goods)
        times = there // buy_count
        if reward.most_times is not None:
            times = min(times, reward.most_times)
        return _gifts(reward, times, counter, code) if times > 0 else too_few(there, buy_count)

    return give


def purchase_limit(reward: r.PurchaseLimit, code: str) -> Give:
    """Return a limit that says when a basket has more units than a buyer gets."""
    goods = select(reward.goods)
    return lambda counter: _limit(reward, goods, counter, code)


def _limit(reward: r.PurchaseLimit, goods: Selection, counter: Counter, code: str) -> Offer:
    here = counter.units_of(goods)
    if not here:
        return NO_GOODS
    known = counter.circumstances.bought_before.get(code, {}) if reward.days is not None else {}
    before = sum(known.values())
    if here + before <= reward.units:
        return Offer(why_nothing=say("Within the limit: %(there)s of %(most)s units.",
                                     there=here + before, most=reward.units))  # fmt: skip
    if before:
        return Offer(exceeded=say(
            "%(here)s units after %(before)s in the last %(days)s days; a buyer gets at most %(most)s.",
            here=here, before=before, days=reward.days or 0, most=reward.units))  # fmt: skip
    return Offer(exceeded=say("%(here)s units; a buyer gets at most %(most)s.", here=here, most=reward.units))


def _gifts(reward: r.Gift | r.BuyGet, times: int, counter: Counter, code: str) -> Offer:
    """Return the units that are to be added: what the parcel holds of this promotion already is not given again."""
    wanted = [item if times == 1 else Item(item.sku, item.quantity * times) for item in reward.items]
    if reward.choice is Choice.ALL or not wanted:
        return _laid(wanted, counter, code) if wanted else NOTHING
    if reward.choice is Choice.BUYER and counter.basket.chosen_gifts:
        wanted.sort(key=lambda item: item.sku not in counter.basket.chosen_gifts)  # what was chosen, else as listed
    if counter.held:
        wanted.sort(key=lambda item: (code, item.sku) not in counter.held)  # what lies in the parcel stays
    offers = [_laid([item], counter, code) for item in wanted]
    return next((offer for offer in offers if not offer.is_out_of_stock), offers[0])


def _laid(wanted: Sequence[Item], counter: Counter, code: str) -> Offer:
    more, there = _beyond(wanted, counter.held, code), counter.gift_units
    missing = None if there is None else next((item for item in more if there.get(item.sku, 0) < item.quantity), None)
    if missing is None:
        return Offer(gifts=more)
    why = say("The gift %(sku)s is not there: %(wanted)s are needed, %(there)s can be had.",
              sku=missing.sku, wanted=missing.quantity, there=(there or {}).get(missing.sku, 0))  # fmt: skip
    return Offer(why_nothing=why, is_out_of_stock=True)


def _beyond(wanted: Sequence[Item], held: Mapping[tuple[str, str], int], code: str) -> tuple[Item, ...]:
    """Return what is wanted beyond what the parcel holds of this promotion."""
    if not held:
        return tuple(wanted)
    missing = [(item.sku, item.quantity - held.get((code, item.sku), 0)) for item in wanted]
    return tuple(Item(sku, count) for sku, count in missing if count > 0)
