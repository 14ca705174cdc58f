"""What each reward would give at the counter, worked out on the prices its lane began with.

Rewards of one lane do not see each other: what they take off is added up, so their order changes no total. An offer
never takes more off a line than the line costs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from audit.rules.sentences import Sentence, say
from promotions.rules import rewards as r
from promotions.rules.counter import Counter, Line
from promotions.rules.money import from_cents, percent_of, share, to_cents
from promotions.rules.rewards import Choice, Item, Reward

Units = list[tuple[int, int, Line]]  # price of one unit in cents, how many, of which line


@dataclass(slots=True)
class Offer:
    """What one reward would give: cents off by line number, off shipping, gifts; or why it gives nothing."""

    off: dict[int, int] = field(default_factory=dict)
    shipping_off: int = 0
    gifts: tuple[Item, ...] = ()
    why_nothing: Sentence | None = None
    is_out_of_stock: bool = False
    exceeded: Sentence | None = None  # a purchase limit that the basket breaks

    @property
    def total(self) -> int:
        """Return what it takes off altogether, in cents."""
        return sum(self.off.values()) + self.shipping_off


NO_GOODS = Offer(why_nothing=say("None of its goods is in the basket."))
NOTHING = Offer(why_nothing=say("It would take nothing off."))


def offer(reward: Reward, counter: Counter, code: str) -> Offer:
    """Return what a reward of promotion ``code`` would give now."""
    return _OFFERS[type(reward)](reward, counter, code)


def _spend_and_save(reward: r.SpendAndSave, counter: Counter, _code: str) -> Offer:
    lines = counter.lines_of(reward.goods)
    amount = sum(line.net for line in lines)
    step = max((step for step in reward.steps if to_cents(step.at_least) <= amount),
               key=lambda step: step.at_least, default=None)  # fmt: skip
    if step is None:
        first = min(reward.steps, key=lambda step: step.at_least)
        return Offer(why_nothing=say("Its goods come to %(there)s; they need %(wanted)s.",
                                     there=f"{from_cents(amount):,.2f}", wanted=f"{first.at_least:,.2f}"))  # fmt: skip
    if reward.is_percent:
        cents = percent_of(amount, step.off)
    else:
        times = amount // to_cents(step.at_least) if reward.is_repeated and step.at_least else 1
        cents = to_cents(step.off) * times
    return _shared(lines, _capped(cents, reward.most))


def _item_off(reward: r.ItemOff, counter: Counter, _code: str) -> Offer:
    lines = counter.lines_of(reward.goods)
    if not lines:
        return NO_GOODS
    off: dict[int, int] = {}
    for price, count, line in _first(_dearest(lines), reward.most_units):
        cents = percent_of(price * count, reward.off) if reward.is_percent else min(to_cents(reward.off), price) * count
        off[line.number] = off.get(line.number, 0) + cents
    return _limited(off, reward.most)


def _n_for_price(reward: r.NForPrice, counter: Counter, _code: str) -> Offer:
    units = _dearest(counter.lines_of(reward.goods))
    there = sum(count for _price, count, _line in units)
    if there < reward.count:
        return Offer(why_nothing=say("There are %(there)s units of its goods; it needs %(wanted)s.",
                                     there=there, wanted=reward.count))  # fmt: skip
    price, off = to_cents(reward.price), dict[int, int]()
    for group in _groups(units, reward.count):
        worth = sum(unit_price * count for unit_price, count, _line in group)
        if worth <= price:
            break  # the following groups are cheaper still
        _add(off, _shared_units(group, worth - price))
    return Offer(off) if off else NOTHING


def _nth_off(reward: r.NthOff, counter: Counter, _code: str) -> Offer:
    units = _dearest(counter.lines_of(reward.goods))
    there = sum(count for _price, count, _line in units)
    if there < reward.nth:
        return Offer(why_nothing=say("There are %(there)s units of its goods; it needs %(wanted)s.",
                                     there=there, wanted=reward.nth))  # fmt: skip
    off: dict[int, int] = {}
    for group in _groups(units, reward.nth):
        unit_price, _count, line = group[-1]
        off[line.number] = off.get(line.number, 0) + percent_of(unit_price, reward.percent)
    return Offer(off)


def _bundle_price(reward: r.BundlePrice, counter: Counter, _code: str) -> Offer:
    stacks = []
    for part in reward.parts:
        units = _dearest([line for line in counter.lines if line.sku == part.sku])
        stacks.append((part, units, sum(count for _price, count, _line in units)))
    times = min((there // part.quantity for part, _units, there in stacks), default=0)
    if not times:
        missing = next(part.sku for part, _units, there in stacks if there < part.quantity)
        return Offer(why_nothing=say("%(sku)s is missing for the bundle.", sku=missing))
    taken: Units = []
    for part, units, _there in stacks:
        taken += _first(units, part.quantity * times)
    worth = sum(price * count for price, count, _line in taken)
    saved = worth - to_cents(reward.price) * times
    return Offer(_shared_units(taken, saved)) if saved > 0 else NOTHING


def _member_price(reward: r.MemberPrice, counter: Counter, _code: str) -> Offer:
    prices = {price.sku: to_cents(price.price) for price in reward.prices}
    lines = [line for line in counter.lines if line.sku in prices]
    if not lines:
        return NO_GOODS
    off = {line.number: line.net - prices[line.sku] * line.quantity for line in lines}
    saved = {number: cents for number, cents in off.items() if cents > 0}
    return Offer(saved) if saved else NOTHING


def _buy_get_off(reward: r.BuyGetOff, counter: Counter, _code: str) -> Offer:
    """Pair what is bought with what is got: the dearest units are bought, the cheapest are got."""
    buy, get = counter.lines_of(reward.buy), counter.lines_of(reward.get)
    both = {line.number for line in buy} & {line.number for line in get}
    only_buy = sum(line.quantity for line in buy if line.number not in both)
    shared = sum(line.quantity for line in buy if line.number in both)
    only_get = sum(line.quantity for line in get if line.number not in both)
    times = _times(reward, only_buy, shared, only_get)
    if not times:
        return Offer(why_nothing=say("There are not enough units of what must be bought and what is got."))
    off: dict[int, int] = {}
    for price, count, line in _first(_dearest(get)[::-1], times * reward.get_count):
        off[line.number] = off.get(line.number, 0) + percent_of(price, reward.percent) * count
    return Offer(off)


def _times(reward: r.BuyGetOff, only_buy: int, shared: int, only_get: int) -> int:
    """Return how often the pair is there when a unit that could be either counts on one side only."""
    most = (only_buy + shared) // reward.buy_count
    if reward.most_times is not None:
        most = min(most, reward.most_times)
    for times in range(most, 0, -1):
        needed = max(0, times * reward.buy_count - only_buy) + max(0, times * reward.get_count - only_get)
        if needed <= shared and times * reward.get_count <= only_get + shared:
            return times
    return 0


def _free_shipping(reward: r.FreeShipping, counter: Counter, _code: str) -> Offer:
    if not counter.shipping:
        return Offer(why_nothing=say("Shipping costs nothing already."))
    return Offer(shipping_off=min(counter.shipping, _capped(counter.shipping, reward.most)))


def _deposit(reward: r.Deposit, counter: Counter, _code: str) -> Offer:
    lines = counter.lines_of(reward.goods)
    if not lines:
        return NO_GOODS
    gain = to_cents(reward.worth) - to_cents(reward.deposit)
    return _limited({line.number: min(gain * line.quantity, line.net) for line in lines}, None)


def _gift(reward: r.Gift, counter: Counter, _code: str) -> Offer:
    times = 1
    if reward.every is not None:
        amount = counter.amount_of(reward.goods)
        times = min(amount // to_cents(reward.every), reward.most_times)
        if not times:
            there = f"{from_cents(amount):,.2f}"
            words = say(
                "Its goods come to %(there)s; they need %(wanted)s.", there=there, wanted=f"{reward.every:,.2f}"
            )
            return Offer(why_nothing=words)
    elif not counter.lines_of(reward.goods):
        return NO_GOODS
    return _gifts(reward.items, reward.choice, times, counter)


def _buy_get(reward: r.BuyGet, counter: Counter, _code: str) -> Offer:
    there = counter.units_of(reward.goods)
    times = there // reward.buy_count
    if reward.most_times is not None:
        times = min(times, reward.most_times)
    if not times:
        return Offer(why_nothing=say("There are %(there)s units of its goods; it needs %(wanted)s.",
                                     there=there, wanted=reward.buy_count))  # fmt: skip
    return _gifts(reward.items, reward.choice, times, counter)


def _gifts(items: Sequence[Item], choice: Choice, times: int, counter: Counter) -> Offer:
    wanted = [Item(item.sku, item.quantity * times) for item in items]
    units = counter.circumstances.gift_units
    if choice is Choice.ALL:
        missing = next((item for item in wanted if units is not None and units.get(item.sku, 0) < item.quantity), None)
        return _no_stock(missing, units or {}) if missing else Offer(gifts=tuple(wanted))
    if choice is Choice.BUYER:
        wanted.sort(
            key=lambda item: item.sku not in counter.basket.chosen_gifts
        )  # what was chosen first, else as listed
    found = next((item for item in wanted if units is None or units.get(item.sku, 0) >= item.quantity), None)
    return Offer(gifts=(found,)) if found else _no_stock(wanted[0], units or {})


def _no_stock(item: Item, units: Mapping[str, int]) -> Offer:
    there = units.get(item.sku, 0)
    why = say("The gift %(sku)s is not there: %(wanted)s are needed, %(there)s can be had.",
              sku=item.sku, wanted=item.quantity, there=there)  # fmt: skip
    return Offer(why_nothing=why, is_out_of_stock=True)


def _purchase_limit(reward: r.PurchaseLimit, counter: Counter, code: str) -> Offer:
    lines = counter.lines_of(reward.goods)
    if not lines:
        return NO_GOODS
    here = sum(line.quantity for line in lines)
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


_OFFERS: dict[type, Callable[..., Offer]] = {
    r.SpendAndSave: _spend_and_save,
    r.ItemOff: _item_off,
    r.NForPrice: _n_for_price,
    r.NthOff: _nth_off,
    r.BundlePrice: _bundle_price,
    r.MemberPrice: _member_price,
    r.BuyGetOff: _buy_get_off,
    r.FreeShipping: _free_shipping,
    r.Deposit: _deposit,
    r.Gift: _gift,
    r.BuyGet: _buy_get,
    r.PurchaseLimit: _purchase_limit,
}


def _capped(cents: int, most: Decimal | None) -> int:
    return cents if most is None else min(cents, to_cents(most))


def _shared(lines: Sequence[Line], cents: int) -> Offer:
    """Share an amount among lines in proportion to what they cost; never more than they cost."""
    weights = [line.net for line in lines]
    cents = min(cents, sum(weights))
    if cents <= 0:
        return NOTHING
    shares = share(cents, weights)
    return Offer({line.number: part for line, part in zip(lines, shares, strict=True) if part})


def _limited(off: dict[int, int], most: Decimal | None) -> Offer:
    """Cut what comes off single lines to what may come off altogether."""
    whole = sum(off.values())
    if whole <= 0:
        return NOTHING
    allowed = _capped(whole, most)
    if allowed < whole:
        off = dict(zip(off, share(allowed, list(off.values())), strict=True))
    return Offer({number: cents for number, cents in off.items() if cents})


def _shared_units(units: Units, cents: int) -> dict[int, int]:
    """Share an amount among units in proportion to their prices and add it up by line."""
    worth: dict[int, int] = {}
    for price, count, line in units:
        worth[line.number] = worth.get(line.number, 0) + price * count
    return dict(zip(worth, share(cents, list(worth.values())), strict=True))


def _add(total: dict[int, int], more: dict[int, int]) -> None:
    for number, cents in more.items():
        total[number] = total.get(number, 0) + cents


def _dearest(lines: Iterable[Line]) -> Units:
    """Return the units of these lines, the dearest first; of equal prices the lower line first."""
    units = [(price, count, line) for line in lines for price, count in line.units()]
    units.sort(key=lambda unit: (-unit[0], unit[2].number))
    return units


def _first(units: Units, most: int | None) -> Units:
    """Return the first so many units."""
    if most is None:
        return units
    taken: Units = []
    for price, count, line in units:
        if most <= 0:
            break
        taken.append((price, min(count, most), line))
        most -= count
    return taken


def _groups(units: Units, size: int) -> Iterable[Units]:
    """Yield full groups of so many units each, in their order; what is left over belongs to none."""
    group: Units = []
    room = size
    for price, count, line in units:
        left = count
        while left:
            taken = min(left, room)
            group.append((price, taken, line))
            left, room = left - taken, room - taken
            if not room:
                yield group
                group, room = [], size
