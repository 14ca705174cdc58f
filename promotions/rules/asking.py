"""Conditions in words: each is a phrase that follows “orders”, in Chinese one that precedes it."""

from collections.abc import Callable
from typing import Any as AnyType
from typing import Final

from audit.rules.sentences import Sentence, joined, say
from promotions.rules import conditions as c
from promotions.rules import naming
from promotions.rules.conditions import Condition
from promotions.rules.naming import Names


def phrase(condition: Condition, names: Names) -> Sentence | None:
    """Return a condition in words; nothing for one that is always true."""
    if isinstance(condition, c.All):
        return _all(condition, names)
    return _part(condition, names)


def _all(condition: c.All, names: Names) -> Sentence | None:
    parts = [_part(part, names) for part in condition.of]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else say("%(parts)s", parts=joined(parts, say("%(first)s %(second)s")))


def _part(condition: Condition, names: Names) -> Sentence:
    return _PHRASES[type(condition)](condition, names)


def _group(condition: c.All, names: Names) -> Sentence:
    if not condition.of:
        return say("of any kind")
    parts = [_part(part, names) for part in condition.of]
    if len(parts) == 1:
        return parts[0]
    return say("(%(parts)s)", parts=joined(parts, say("%(first)s as well as %(second)s")))


def _any(condition: c.Any, names: Names) -> Sentence:
    parts = [_part(part, names) for part in condition.of]
    if len(parts) == 1:
        return parts[0]
    return say("(%(parts)s)", parts=naming.one_of(parts))


def _not(condition: c.Not, names: Names) -> Sentence:
    return say("but not %(what)s", what=_part(condition.of, names))


def _amount(condition: c.Amount, names: Names) -> Sentence:
    least = naming.money(condition.at_least)
    most = naming.money(condition.below) if condition.below is not None else ""
    if condition.goods.is_everything:
        return say("of %(least)s or more", least=least) if not most else (
            say("of %(least)s or more but less than %(most)s", least=least, most=most)
        )  # fmt: skip
    goods = naming.goods(condition.goods, names)
    if most:
        return say("with %(goods)s for %(least)s or more but less than %(most)s", goods=goods, least=least, most=most)
    return say("with %(goods)s for %(least)s or more", goods=goods, least=least)


def _quantity(condition: c.Quantity, names: Names) -> Sentence:
    goods = naming.goods(condition.goods, names)
    least, most = condition.at_least, condition.at_most
    if most is None:
        return say("with at least %(least)s × %(goods)s", least=least, goods=goods)
    return say("with %(least)s to %(most)s × %(goods)s", least=least, most=most, goods=goods)


def _orders_before(condition: c.OrdersBefore, _names: Names) -> Sentence:
    if condition.at_most == 0:
        return say("by first-time buyers")
    if condition.at_most is None:
        return say("by buyers with at least %(least)s orders before", least=condition.at_least)
    return say("by buyers with %(least)s to %(most)s orders before", least=condition.at_least, most=condition.at_most)


def _on_weekdays(condition: c.OnWeekdays, _names: Names) -> Sentence:
    days = [naming.WEEKDAYS[day - 1] for day in sorted(condition.days) if 1 <= day <= len(naming.WEEKDAYS)]
    return say("placed on %(days)s", days=naming.one_of(days))


def _in_hours(condition: c.InHours, _names: Names) -> Sentence:
    return say(
        "placed between %(starts)s and %(ends)s", starts=f"{condition.starts:%H:%M}", ends=f"{condition.ends:%H:%M}"
    )


_PHRASES: Final[dict[type, Callable[[AnyType, Names], Sentence]]] = {
    c.All: _group,
    c.Any: _any,
    c.Not: _not,
    c.Amount: _amount,
    c.Quantity: _quantity,
    c.ShipsTo: lambda condition, _names: say(
        "shipped to %(places)s", places=naming.called(condition.regions, naming.region)
    ),
    c.OnChannel: lambda condition, names: say(
        "on %(channels)s", channels=naming.called(condition.channels, names.channels)
    ),
    c.AtStore: lambda condition, names: say(
        "in the store %(stores)s", stores=naming.called(condition.stores, names.stores)
    ),
    c.Member: lambda condition, _names: say("by members of tier %(tiers)s", tiers=naming.one_of(condition.tiers)),
    c.Segment: lambda condition, _names: say("by buyers in %(groups)s", groups=naming.one_of(condition.segments)),
    c.OrdersBefore: _orders_before,
    c.PaysBy: lambda condition, _names: say("paid by %(ways)s", ways=naming.one_of(condition.methods)),
    c.OnWeekdays: _on_weekdays,
    c.InHours: _in_hours,
}
