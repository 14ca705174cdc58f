"""Whether a condition is true at the counter, and when it is not, why, with the values."""

from collections.abc import Callable, Sequence
from datetime import time
from decimal import Decimal
from operator import attrgetter

from audit.rules.sentences import Sentence, say
from promotions.rules import conditions as c
from promotions.rules.conditions import Condition
from promotions.rules.counter import Counter, select
from promotions.rules.goods import Goods
from promotions.rules.money import shown, to_cents

Check = Callable[[Counter], Condition | None]  # the part of a condition that is not true; None when all of it is


def compiled(condition: Condition) -> Check:
    """Return the condition as a function of a counter that names what is not true."""
    if isinstance(condition, c.All):
        return _all(condition)
    if isinstance(condition, c.Any):
        return _any(condition)
    if isinstance(condition, c.Not):
        check, failing = compiled(condition.of), condition
        return lambda counter: None if check(counter) is not None else failing
    return _CHECKS[type(condition)](condition)


def why_not(part: Condition, counter: Counter) -> Sentence:
    """Return why a part of a condition is not true: what it wants and what is there."""
    if isinstance(part, c.Any):
        return say("None of its conditions is true.")
    if isinstance(part, c.Not):
        return say("Something is true that must not be.")
    return _REASONS[type(part)](part, counter)


def _all(condition: c.All) -> Check:
    checks = [compiled(part) for part in condition.of]
    if not checks:
        return lambda _counter: None
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        one, two = checks
        return lambda counter: one(counter) or two(counter)  # a condition is always truthy

    def check(counter: Counter) -> Condition | None:
        for part in checks:
            failing = part(counter)
            if failing is not None:
                return failing
        return None

    return check


def _any(condition: c.Any) -> Check:
    checks = [compiled(part) for part in condition.of]
    if len(checks) == 1:
        return checks[0]

    def check(counter: Counter) -> Condition | None:
        return None if any(part(counter) is None for part in checks) else condition

    return check


def _amount(condition: c.Amount) -> Check:
    least, goods = to_cents(condition.at_least), select(condition.goods)
    if condition.below is None:
        return lambda counter: None if counter.amount_of(goods) >= least else condition
    below = to_cents(condition.below)
    return lambda counter: None if least <= counter.amount_of(goods) < below else condition


def _quantity(condition: c.Quantity) -> Check:
    least, goods, most = condition.at_least, select(condition.goods), condition.at_most
    if most is None:
        return lambda counter: None if counter.units_of(goods) >= least else condition
    return lambda counter: None if least <= counter.units_of(goods) <= most else condition


def _ships_to(condition: c.ShipsTo) -> Check:
    regions = frozenset(condition.regions)
    return lambda counter: condition if regions.isdisjoint(counter.places) else None


def _one_of(condition: Condition, field: str, wanted: Sequence[str]) -> Check:
    words, word = frozenset(wanted), attrgetter(field)
    return lambda counter: None if word(counter.basket) in words else condition


def _segment(condition: c.Segment) -> Check:
    segments = frozenset(condition.segments)
    return lambda counter: condition if segments.isdisjoint(counter.basket.segments) else None


def _orders_before(condition: c.OrdersBefore) -> Check:
    least, most = condition.at_least, condition.at_most

    def check(counter: Counter) -> Condition | None:
        count = counter.basket.orders_before
        return None if count is not None and least <= count and (most is None or count <= most) else condition

    return check


def _on_weekdays(condition: c.OnWeekdays) -> Check:
    days = frozenset(condition.days)
    return lambda counter: None if counter.shop_time.isoweekday() in days else condition


def _in_hours(condition: c.InHours) -> Check:
    starts, ends = condition.starts, condition.ends
    return lambda counter: None if is_between(starts, ends, counter.shop_time.time()) else condition


def is_between(starts: time, ends: time, moment: time) -> bool:
    """Return whether a time of day lies from ``starts`` until before ``ends``, which may be past midnight."""
    if starts <= ends:
        return starts <= moment < ends
    return not ends <= moment < starts


_CHECKS: dict[type, Callable[..., Check]] = {
    c.Amount: _amount,
    c.Quantity: _quantity,
    c.ShipsTo: _ships_to,
    c.OnChannel: lambda condition: _one_of(condition, "channel_code", condition.channels),
    c.AtStore: lambda condition: _one_of(condition, "store", condition.stores),
    c.Member: lambda condition: _one_of(condition, "tier", condition.tiers),
    c.Segment: _segment,
    c.OrdersBefore: _orders_before,
    c.PaysBy: lambda condition: _one_of(condition, "payment", condition.methods),
    c.OnWeekdays: _on_weekdays,
    c.InHours: _in_hours,
}


def _why_amount(condition: c.Amount, counter: Counter) -> Sentence:
    there = counter.amount_of(select(condition.goods))
    if there < to_cents(condition.at_least):
        return _says(
            condition.goods,
            say("The basket comes to %(there)s; it needs %(wanted)s.",
                there=shown(there), wanted=_plain(condition.at_least)),
            say("Its goods come to %(there)s; they need %(wanted)s.",
                there=shown(there), wanted=_plain(condition.at_least)),
        )  # fmt: skip
    return say("It comes to %(there)s; it must be below %(wanted)s.",
               there=shown(there), wanted=_plain(condition.below or Decimal(0)))  # fmt: skip


def _why_quantity(condition: c.Quantity, counter: Counter) -> Sentence:
    there = counter.units_of(select(condition.goods))
    if there < condition.at_least:
        return _says(
            condition.goods,
            say("The basket has %(there)s units; it needs %(wanted)s.", there=there, wanted=condition.at_least),
            say("There are %(there)s units of its goods; it needs %(wanted)s.", there=there, wanted=condition.at_least),
        )
    return say("There are %(there)s units; at most %(wanted)s are allowed.",
               there=there, wanted=condition.at_most or 0)  # fmt: skip


def _why_region(condition: c.ShipsTo, counter: Counter) -> Sentence:
    return say("It is for orders to %(wanted)s; this one goes to %(there)s.",
               wanted=_list(condition.regions), there=counter.basket.region or "?")  # fmt: skip


def _why_channel(condition: c.OnChannel, counter: Counter) -> Sentence:
    return say("It is for orders of %(wanted)s; this one is of %(there)s.",
               wanted=_list(condition.channels), there=counter.basket.channel_code)  # fmt: skip


def _why_store(condition: c.AtStore, counter: Counter) -> Sentence:
    return say("It is for store %(wanted)s; this order is of %(there)s.",
               wanted=_list(condition.stores), there=counter.basket.store or "?")  # fmt: skip


def _why_member(condition: c.Member, counter: Counter) -> Sentence:
    return say("It is for members of tier %(wanted)s; the buyer's is %(there)s.",
               wanted=_list(condition.tiers), there=counter.basket.tier or "?")  # fmt: skip


def _why_segment(condition: c.Segment, counter: Counter) -> Sentence:
    return say("It is for customers in %(wanted)s; the buyer is in %(there)s.",
               wanted=_list(condition.segments), there=_list(sorted(counter.basket.segments)) or "?")  # fmt: skip


def _why_orders(condition: c.OrdersBefore, counter: Counter) -> Sentence:
    count = counter.basket.orders_before
    if count is None:
        return say("Nobody knows how many orders the buyer made before.")
    if count < condition.at_least:
        return say("The buyer made %(there)s orders before; it needs %(wanted)s.",
                   there=count, wanted=condition.at_least)  # fmt: skip
    return say("The buyer made %(there)s orders before; at most %(wanted)s are allowed.",
               there=count, wanted=condition.at_most or 0)  # fmt: skip


def _why_payment(condition: c.PaysBy, counter: Counter) -> Sentence:
    return say("It is for payment by %(wanted)s; this order was paid by %(there)s.",
               wanted=_list(condition.methods), there=counter.basket.payment or "?")  # fmt: skip


def _why_day(condition: c.OnWeekdays, counter: Counter) -> Sentence:
    return say("It holds on days %(wanted)s of the week; the order was placed on day %(there)s.",
               wanted=_list([str(day) for day in condition.days]), there=counter.shop_time.isoweekday())  # fmt: skip


def _why_hours(condition: c.InHours, counter: Counter) -> Sentence:
    return say("It holds from %(starts)s until %(ends)s; the order was placed at %(there)s.",
               starts=f"{condition.starts:%H:%M}", ends=f"{condition.ends:%H:%M}",
               there=f"{counter.shop_time:%H:%M}")  # fmt: skip


_REASONS: dict[type, Callable[..., Sentence]] = {
    c.Amount: _why_amount,
    c.Quantity: _why_quantity,
    c.ShipsTo: _why_region,
    c.OnChannel: _why_channel,
    c.AtStore: _why_store,
    c.Member: _why_member,
    c.Segment: _why_segment,
    c.OrdersBefore: _why_orders,
    c.PaysBy: _why_payment,
    c.OnWeekdays: _why_day,
    c.InHours: _why_hours,
}


def _says(goods: Goods, of_all: Sentence, of_some: Sentence) -> Sentence:
    return of_all if goods.is_everything else of_some


def _plain(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)
