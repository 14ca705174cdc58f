"""What is wrong with a rule, all of it at once, each with what to do."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from audit.rules.sentences import Sentence, say
from inventory.rules.geography import REGIONS
from promotions.rules import conditions as c
from promotions.rules import faults, naming, vocabulary
from promotions.rules.complaining import Complaint, ShopFacts
from promotions.rules.conditions import Condition
from promotions.rules.naming import AREAS, WEEKDAYS
from promotions.rules.rewards import BuyGet, Gift, PurchaseLimit
from promotions.rules.rule import Rule

NO_FACTS: Final = ShopFacts()


def complaints(rule: Rule, facts: ShopFacts = NO_FACTS) -> list[Complaint]:
    """Return everything that is wrong with a rule; an empty list when it may be submitted."""
    found = [
        *faults.of_reward(rule.reward, facts),
        *_of_conditions(rule.condition, facts),
        *_of_time(rule),
        *_of_limits(rule, facts),
        *_of_words(rule, facts),
        *_of_gifts(rule, facts),
    ]
    return list({(complaint.field, str(complaint.why)): complaint for complaint in found}.values())


def _of_conditions(condition: Condition, facts: ShopFacts) -> Iterator[Complaint]:
    for part in vocabulary.conditions(condition):
        if part is condition and part == c.ALWAYS:
            continue
        finder = _FINDERS.get(type(part))
        for why in finder(part, facts) if finder else ():
            yield Complaint("condition", why)


def _group(condition: c.All | c.Any, _facts: ShopFacts) -> Iterator[Sentence]:
    if not condition.of:
        yield say("A group of conditions is empty. Add a condition or remove the group.")


def _amount(condition: c.Amount, _facts: ShopFacts) -> Iterator[Sentence]:
    if condition.at_least <= 0 and condition.below is None:
        yield say("An amount of ¥0 or more is always true. Say how much.")
    if condition.below is not None and condition.below <= condition.at_least:
        yield say("From %(least)s to less than %(most)s there is nothing.",
                  least=naming.money(condition.at_least), most=naming.money(condition.below))  # fmt: skip


def _quantity(condition: c.Quantity, _facts: ShopFacts) -> Iterator[Sentence]:
    if condition.at_least < 1 and condition.at_most is None:
        yield say("0 units or more is always true. Say how many.")
    if condition.at_most is not None and condition.at_most < condition.at_least:
        yield say("From %(least)s to %(most)s units there is nothing.",
                  least=condition.at_least, most=condition.at_most)  # fmt: skip


def _orders_before(condition: c.OrdersBefore, _facts: ShopFacts) -> Iterator[Sentence]:
    if condition.at_least < 1 and condition.at_most is None:
        yield say("0 orders or more is always true. Say how many.")
    if condition.at_most is not None and condition.at_most < condition.at_least:
        yield say("From %(least)s to %(most)s orders there is nothing.",
                  least=condition.at_least, most=condition.at_most)  # fmt: skip


def _on_weekdays(condition: c.OnWeekdays, _facts: ShopFacts) -> Iterator[Sentence]:
    if not condition.days:
        yield say("Choose at least one weekday.")
    if any(not 1 <= day <= len(WEEKDAYS) for day in condition.days):
        yield say("A weekday is 1 (Monday) to 7 (Sunday).")


def _in_hours(condition: c.InHours, _facts: ShopFacts) -> Iterator[Sentence]:
    if condition.starts == condition.ends:
        yield say("The hours begin and end at %(at)s: that is no time at all.", at=f"{condition.starts:%H:%M}")


def _ships_to(condition: c.ShipsTo, _facts: ShopFacts) -> Iterator[Sentence]:
    if not condition.regions:
        yield say("Choose at least one region.")
    for code in condition.regions:
        if code not in REGIONS and code not in AREAS:
            yield say("The region %(name)s is not known. Choose a province or an area.", name=code)


def _on_channel(condition: c.OnChannel, facts: ShopFacts) -> Iterator[Sentence]:
    if not condition.channels:
        yield say("Choose at least one channel.")
    for code in _unknown(condition.channels, facts.channels):
        yield say("The channel %(name)s is not known.", name=code)


def _at_store(condition: c.AtStore, facts: ShopFacts) -> Iterator[Sentence]:
    if not condition.stores:
        yield say("Choose at least one store.")
    for code in _unknown(condition.stores, facts.stores):
        yield say("The store %(name)s is not known.", name=code)


def _named(words: str) -> Callable[[Any, ShopFacts], Iterator[Sentence]]:
    def find(condition: Any, _facts: ShopFacts) -> Iterator[Sentence]:
        if not getattr(condition, words):
            yield say("A condition names nothing. Say which, or remove it.")

    return find


def _of_time(rule: Rule) -> Iterator[Complaint]:
    if rule.starts_at and rule.ends_at and rule.starts_at >= rule.ends_at:
        starts, ends = naming.moment(rule.starts_at), naming.moment(rule.ends_at)
        yield Complaint(
            "ends_at", say("It ends at %(ends)s, before it starts at %(starts)s.", ends=ends, starts=starts)
        )


def _of_limits(rule: Rule, facts: ShopFacts) -> Iterator[Complaint]:
    limits = rule.limits
    zero = say("A limit of 0 gives nothing to anybody. Leave it empty for no limit.")
    if limits.most_uses is not None and limits.most_uses < 1:
        yield Complaint("most_uses", zero)
    if limits.most_uses_of_a_buyer is not None and limits.most_uses_of_a_buyer < 1:
        yield Complaint("most_uses_of_a_buyer", zero)
    if limits.budget is not None and limits.budget <= 0:
        yield Complaint("budget", zero)
    if isinstance(rule.reward, PurchaseLimit):
        return
    if facts.most_unbounded is not None and limits.budget is None and limits.most_uses is None:
        most = naming.money(facts.most_unbounded)
        yield Complaint("budget", say("Nothing bounds what it gives. Above %(most)s it needs a budget or a number of "
                                      "orders.", most=most))  # fmt: skip


def _of_words(rule: Rule, facts: ShopFacts) -> Iterator[Complaint]:
    for sku in _unknown(sorted(vocabulary.skus(rule)), facts.prices):
        yield Complaint("items" if sku in vocabulary.gifts(rule.reward) else "goods",
                        say("The SKU %(name)s is not known. Look at its spelling.", name=sku))  # fmt: skip
    for which in vocabulary.goods(rule):
        for code in _unknown(which.categories, facts.categories):
            yield Complaint("goods", say("The category %(name)s is not known.", name=code))
        for brand in _unknown(which.brands, facts.brands):
            yield Complaint("goods", say("The brand %(name)s is not known.", name=brand))


def _of_gifts(rule: Rule, facts: ShopFacts) -> Iterator[Complaint]:
    """Refuse gifts that go round in a circle: what is given is what must be bought, here or by way of other rules."""
    if not isinstance(rule.reward, Gift | BuyGet):
        return
    bought = vocabulary.triggers(rule)
    for gift in vocabulary.gifts(rule.reward):
        if bought == {gift}:
            yield Complaint("items", say("%(sku)s is the gift and the only goods that must be bought.", sku=gift))
        elif way := _way_back(gift, bought - {gift}, facts):
            yield Complaint("items", say("The gifts go round in a circle: %(way)s. Stop the other promotion or choose "
                                         "another gift.", way=" → ".join(way)))  # fmt: skip


def _way_back(gift: str, bought: frozenset[str], facts: ShopFacts) -> list[str]:
    """Return SKU after SKU how a gift leads back to what was bought; empty when it does not."""
    seen, ways = {gift}, [[gift]]
    while ways:
        way = ways.pop()
        for following in sorted(facts.gives.get(way[-1], ())):
            if following in bought:
                return [following, *way, following]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


def _unknown(words: Iterable[str], known: Any) -> list[str]:
    return [] if known is None else [word for word in words if word not in known]


_FINDERS: Final[dict[type, Callable[[Any, ShopFacts], Iterator[Sentence]]]] = {
    c.All: _group,
    c.Any: _group,
    c.Amount: _amount,
    c.Quantity: _quantity,
    c.OrdersBefore: _orders_before,
    c.OnWeekdays: _on_weekdays,
    c.InHours: _in_hours,
    c.ShipsTo: _ships_to,
    c.OnChannel: _on_channel,
    c.AtStore: _at_store,
    c.Member: _named("tiers"),
    c.Segment: _named("segments"),
    c.PaysBy: _named("methods"),
}
