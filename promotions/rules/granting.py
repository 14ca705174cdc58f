"""What each reward would give at the counter, worked out on the prices its lane began with.

Rewards of one lane do not see each other: what they take off is added up, so their order changes no total. An offer
never takes more off a line than the line costs. A reward is made ready once (``ready``) and then asked often.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from audit.rules.sentences import say
from promotions.rules import rewards as r
from promotions.rules import units
from promotions.rules.counter import SHIPPING, Counter, Line, select
from promotions.rules.gifting import buy_get, gift, purchase_limit
from promotions.rules.money import per_cent, share, shown, to_cents
from promotions.rules.offers import NO_GOODS, NOTHING, Give, Offer, too_few, too_little
from promotions.rules.rewards import Reward
from promotions.rules.units import Off, Run


def ready(reward: Reward, code: str) -> Give:
    """Return a reward of promotion ``code`` as a function of a counter."""
    return _READY[type(reward)](reward, code)


def _spend_and_save(reward: r.SpendAndSave, _code: str) -> Give:
    goods, most = select(reward.goods), _cents(reward.most)
    steps = sorted(((to_cents(step.at_least), step) for step in reward.steps), key=lambda step: -step[0])
    amounts = [(least, _amount_of_step(reward, least, step)) for least, step in steps]

    def give(counter: Counter) -> Offer:
        lines = counter.lines_of(goods)
        amount = sum([line.net for line in lines])
        for least, off_at in amounts:
            if amount >= least:
                return _shared(lines, _capped(off_at(amount), most))
        return too_little(shown(amount), shown(amounts[-1][0]) if amounts else "?")

    return give


def _amount_of_step(reward: r.SpendAndSave, least: int, step: r.Step) -> Callable[[int], int]:
    """Return what comes off at this step as a function of what the goods cost."""
    if reward.is_percent:
        return per_cent(step.off)
    off = to_cents(step.off)
    if reward.is_repeated and least > 0:
        return lambda amount: off * (amount // least)
    return lambda _amount: off


def _item_off(reward: r.ItemOff, _code: str) -> Give:
    goods, most, most_units = select(reward.goods), _cents(reward.most), reward.most_units
    part, amount = per_cent(reward.off), to_cents(reward.off)

    def per_line(counter: Counter) -> Offer:
        return _limited({line.number: part(line.net) for line in counter.lines_of(goods)}, most)

    def per_unit(counter: Counter) -> Offer:
        off: Off = {}
        for price, count, line in units.first(units.dearest(counter.lines_of(goods)), most_units):
            cents = part(price * count) if reward.is_percent else min(amount, price) * count
            off[line.number] = off.get(line.number, 0) + cents
        return _limited(off, most)

    give = per_line if reward.is_percent and most_units is None else per_unit
    return lambda counter: give(counter) if counter.lines_of(goods) else NO_GOODS


def _n_for_price(reward: r.NForPrice, _code: str) -> Give:
    goods, size, price = select(reward.goods), max(reward.count, 1), max(to_cents(reward.price), 0)

    def give(counter: Counter) -> Offer:
        runs = units.dearest(counter.lines_of(goods))
        there = units.count(runs)
        if there < size:
            return too_few(there, size)
        off: Off = {}
        for group, times in units.groups(runs, size):
            saved = units.worth(group) - price
            if saved <= 0:
                break  # the following groups are cheaper still
            units.add(off, units.shared(group, saved) if times == 1 else {group[0][2].number: saved * times})
        return Offer(off) if off else NOTHING

    return give


def _nth_off(reward: r.NthOff, _code: str) -> Give:
    goods, nth, part = select(reward.goods), max(reward.nth, 1), per_cent(reward.percent)

    def give(counter: Counter) -> Offer:
        lines = counter.lines_of(goods)
        there = sum([line.quantity for line in lines])
        if there < nth:
            return too_few(there, nth)
        off: Off = {}
        for group, times in units.groups(units.dearest(lines), nth):
            unit_price, _count, line = group[-1]
            off[line.number] = off.get(line.number, 0) + part(unit_price) * times
        return _limited(off, None)

    return give


def _bundle_price(reward: r.BundlePrice, _code: str) -> Give:
    price = max(to_cents(reward.price), 0)
    wanted: dict[str, int] = {}
    for part in reward.parts:
        wanted[part.sku] = wanted.get(part.sku, 0) + max(part.quantity, 1)

    def give(counter: Counter) -> Offer:
        stacks = {sku: units.dearest([line for line in counter.lines if line.sku == sku]) for sku in wanted}
        missing = next((sku for sku, count in wanted.items() if units.count(stacks[sku]) < count), None)
        if missing is not None:
            return Offer(why_nothing=say("%(sku)s is missing for the bundle.", sku=missing))
        return _bundles(stacks, wanted, price)

    return give


def _bundles(stacks: dict[str, list[Run]], wanted: dict[str, int], price: int) -> Offer:
    """Take bundles of the dearest units while each costs more than the bundle's price.

    Bundles get cheaper one by one, so the number of those that save is found by halving.
    """
    most = min((units.count(stacks[sku]) // count for sku, count in wanted.items()), default=0)
    worths = {sku: _worth_of_first(stacks[sku]) for sku in wanted}

    def worth_of(times: int) -> int:
        return sum(worths[sku](count * times) for sku, count in wanted.items())

    low, high = 0, most  # the first ``low`` bundles each save something, bundle ``high + 1`` does not
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if worth_of(middle) - worth_of(middle - 1) > price else (low, middle - 1)
    if not low:
        return NOTHING
    taken = [run for sku, count in wanted.items() for run in units.first(stacks[sku], count * low)]
    return Offer(units.shared(taken, units.worth(taken) - price * low))


def _worth_of_first(runs: list[Run]) -> Callable[[int], int]:
    return lambda count: units.worth(units.first(runs, count))


def _member_price(reward: r.MemberPrice, _code: str) -> Give:
    prices = {price.sku: max(to_cents(price.price), 0) for price in reward.prices}

    def give(counter: Counter) -> Offer:
        lines = [line for line in counter.lines if line.sku in prices]
        if not lines:
            return NO_GOODS
        off = {line.number: max(line.net - prices[line.sku] * line.quantity, 0) for line in lines}
        return _limited(off, None)

    return give


def _buy_get_off(reward: r.BuyGetOff, _code: str) -> Give:
    """Pair what is bought with what is got: the dearest units are bought, the cheapest are got."""
    bought, got, part = select(reward.buy), select(reward.get), per_cent(reward.percent)

    def give(counter: Counter) -> Offer:
        buy, get = counter.lines_of(bought), counter.lines_of(got)
        both = {line.number for line in buy} & {line.number for line in get}
        only_buy = sum(line.quantity for line in buy if line.number not in both)
        shared = sum(line.quantity for line in buy if line.number in both)
        only_get = sum(line.quantity for line in get if line.number not in both)
        times = _times(reward, only_buy, shared, only_get)
        if not times:
            return Offer(why_nothing=say("There are not enough units of what must be bought and what is got."))
        off: Off = {}
        for price, count, line in units.first(units.dearest(get)[::-1], times * max(reward.get_count, 1)):
            off[line.number] = off.get(line.number, 0) + part(price) * count
        return _limited(off, None)

    return give


def _times(reward: r.BuyGetOff, only_buy: int, shared: int, only_get: int) -> int:
    """Return how often the pair is there when a unit that could be either counts on one side only."""
    buy_count, get_count = max(reward.buy_count, 1), max(reward.get_count, 1)
    low, high = 0, (only_buy + shared) // buy_count
    if reward.most_times is not None:
        high = max(min(high, reward.most_times), 0)
    while low < high:  # what is there for so many times is there for fewer: halving finds the most
        times = (low + high + 1) // 2
        needed = max(0, times * buy_count - only_buy) + max(0, times * get_count - only_get)
        low, high = (times, high) if needed <= shared else (low, times - 1)
    return low


def _free_shipping(reward: r.FreeShipping, _code: str) -> Give:
    most = _cents(reward.most)

    def give(counter: Counter) -> Offer:
        if counter.shipping <= 0:
            return Offer(why_nothing=say("Shipping costs nothing already."))
        return _limited({SHIPPING: counter.shipping}, most)

    return give


def _deposit(reward: r.Deposit, _code: str) -> Give:
    goods, gain = select(reward.goods), max(to_cents(reward.worth) - to_cents(reward.deposit), 0)

    def give(counter: Counter) -> Offer:
        lines = counter.lines_of(goods)
        if not lines:
            return NO_GOODS
        return _limited({line.number: min(gain * line.quantity, line.net) for line in lines}, None)

    return give


_READY: Final[dict[type, Callable[..., Give]]] = {
    r.SpendAndSave: _spend_and_save,
    r.ItemOff: _item_off,
    r.NForPrice: _n_for_price,
    r.NthOff: _nth_off,
    r.BundlePrice: _bundle_price,
    r.MemberPrice: _member_price,
    r.BuyGetOff: _buy_get_off,
    r.FreeShipping: _free_shipping,
    r.Deposit: _deposit,
    r.Gift: gift,
    r.BuyGet: buy_get,
    r.PurchaseLimit: purchase_limit,
}


def _cents(most: Decimal | None) -> int | None:
    return None if most is None else to_cents(most)


def _capped(cents: int, most: int | None) -> int:
    return cents if most is None else min(cents, most)


def _shared(lines: Sequence[Line], cents: int) -> Offer:
    """Share an amount among lines in proportion to what they cost; never more than they cost."""
    weights = [line.net for line in lines]
    cents = min(cents, sum(weights))
    if cents <= 0:
        return NOTHING
    shares = share(cents, weights)
    return Offer({line.number: part for line, part in zip(lines, shares, strict=True) if part})


def _limited(off: Off, most: int | None) -> Offer:
    """Cut what comes off single lines to what may come off altogether."""
    whole = sum(off.values())
    allowed = _capped(whole, most)
    if allowed <= 0:
        return NOTHING
    if allowed < whole:
        off = dict(zip(off, share(allowed, list(off.values())), strict=True))
    return Offer({number: cents for number, cents in off.items() if cents > 0})
