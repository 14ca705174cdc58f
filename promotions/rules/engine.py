"""What a basket costs and why: the lanes one after the other, a verdict for every rule.

A rule's condition and its reward look at the prices that the lanes before it left. In a lane all rules see the same
prices, so their order changes nothing; what they take off is added, and no line ever costs less than nothing. Gifts
have no price here: of gift rules that exclude each other the one that ranks first stands.

A channel's order brings its own prices and discounts; they come first and are kept as sold. A discount above the
line's price is cut to it. The order's total is the sum of its rounded lines and its shipping.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Final

from audit.rules.sentences import Sentence, say
from promotions.rules.baskets import (
    NOTHING,
    Basket,
    Circumstances,
    GiftLine,
    Grant,
    Left,
    Outcome,
    Quote,
    QuotedLine,
    Verdict,
)
from promotions.rules.checks import why_not
from promotions.rules.choosing import Bid, Chosen, choose, taken_off
from promotions.rules.counter import SHIPPING, Counter, Line
from promotions.rules.matching import CompiledRule, RuleSet
from promotions.rules.money import from_cents, shown
from promotions.rules.offers import Offer
from promotions.rules.rule import Lane

_NO_RULES: Final = RuleSet()
_OURS: Final = frozenset({Lane.GIFT, Lane.LIMIT})  # what works on orders whose prices the channel makes
_EVERYTHING: Final = Circumstances()
_LANE: Final[Callable[[CompiledRule], Lane]] = attrgetter("lane")
_NOT_OURS: Final = say("The channel makes the prices of its orders itself.")
_OUTSIDE: Final = say("The order was placed outside its time.")
_NO_COUPON: Final = say("It needs a coupon.")
_USED_UP: Final = say("Its goods cost nothing any more.")


class _Till:
    """A quote in the making."""

    __slots__ = ("counter", "gifts", "grants", "is_exact", "shipping_off", "verdicts")

    def __init__(self, counter: Counter, rules: RuleSet) -> None:
        self.counter, self.verdicts, self.is_exact = counter, list(rules.unfit), True
        self.grants: dict[int, list[Grant]] = {}
        self.gifts: list[GiftLine] = []
        self.shipping_off = 0

    def note(self, rule: CompiledRule, outcome: Outcome, why: Sentence, amount: Decimal = NOTHING) -> None:
        self.verdicts[rule.place] = Verdict(rule.code, rule.number, outcome, why, amount)


def quote(
    basket: Basket, rules: RuleSet = _NO_RULES, circumstances: Circumstances = _EVERYTHING, *, at: datetime
) -> Quote:
    """Price a basket. Plain arithmetic: the same basket, rules and circumstances always give the same quote.

    There is a verdict for every rule of the set. Those that the index left out say what they need; ``explain`` says
    what is there instead.
    """
    counter = Counter(basket, circumstances, at)
    till = _Till(counter, rules)
    _work_all(till, rules.candidates(counter))
    return _written(till)


def explain(
    basket: Basket, rules: RuleSet, circumstances: Circumstances = _EVERYTHING, *, at: datetime
) -> tuple[Verdict, ...]:
    """Return the verdicts of a quote with every rule looked at, so that each says what it wants and what is there."""
    till = _Till(Counter(basket, circumstances, at), rules)
    _work_all(till, rules.rules)
    return tuple(till.verdicts)


def _work_all(till: _Till, rules: Iterable[CompiledRule]) -> None:
    for lane, members in groupby(rules, key=_LANE):
        if lane is Lane.GIFT:
            _lay_gifts(till, members)
        else:
            _work(till, lane, members)


def _work(till: _Till, lane: Lane, rules: Iterable[CompiledRule]) -> None:
    bids = [Bid(rule, made) for rule in rules if (made := _offer(till, lane, rule)) is not None]
    if not bids:
        return
    rooms = till.counter.rooms()
    chosen = Chosen(tuple(bids)) if len(bids) == 1 else choose(bids, rooms)
    if len(chosen.bids) < len(bids):
        _say_beaten(till, bids, chosen.bids, rooms)
    till.is_exact = till.is_exact and chosen.is_exact
    for bid in chosen.bids:
        _grant(till, bid, rooms)
    till.counter.shipping = rooms[SHIPPING]
    for line in till.counter.lines:
        line.net = rooms[line.number]


def _lay_gifts(till: _Till, rules: Iterable[CompiledRule]) -> None:
    """Lay gifts in the order of ranks: each takes from what the ones before left of the stock."""
    standing: list[CompiledRule] = []
    for rule in rules:
        made = _offer(till, Lane.GIFT, rule)
        if made is None:
            continue
        rival = _excluder(rule, standing)
        if rival is not None:
            till.note(rule, Outcome.BEATEN, say("%(winner)s comes first; the two exclude each other.",
                                               winner=rival.code))  # fmt: skip
            continue
        standing.append(rule)
        _lay(till, rule, made)


def _excluder(rule: CompiledRule, standing: Sequence[CompiledRule]) -> CompiledRule | None:
    """Return which rule that stands already keeps this one out."""
    for other in standing:
        if rule.is_exclusive or other.is_exclusive or (rule.group and rule.group == other.group):
            return other
    return None


def _lay(till: _Till, rule: CompiledRule, made: Offer) -> None:
    there = till.counter.gift_units
    for item in made.gifts:
        till.gifts.append(GiftLine(item.sku, item.quantity, rule.code, rule.number))
        if there is not None:
            there[item.sku] -= item.quantity
    if made.gifts:
        gifts = ", ".join([f"{item.quantity} × {item.sku}" for item in made.gifts])
        till.note(rule, Outcome.APPLIED, say("It adds %(gifts)s.", gifts=gifts))
    else:
        till.note(rule, Outcome.APPLIED, say("Its gift is in the parcel already."))


def _offer(till: _Till, lane: Lane, rule: CompiledRule) -> Offer | None:
    """Return what a rule offers, or note why it offers nothing."""
    counter = till.counter
    if lane not in _OURS and not counter.basket.is_priced_here:
        till.note(rule, Outcome.NOT_PRICED_HERE, _NOT_OURS)
    elif not rule.is_in_time(counter.placed_at):
        till.note(rule, Outcome.OUT_OF_TIME, _OUTSIDE)
    elif rule.needs_coupon and rule.code not in counter.coupons:
        till.note(rule, Outcome.NO_COUPON, _NO_COUPON)
    else:
        failing = rule.check(counter)
        if failing is None:
            return _within_limits(till, rule, rule.give(counter))
        till.note(rule, Outcome.NOT_MET, why_not(failing, counter))
    return None


def _within_limits(till: _Till, rule: CompiledRule, made: Offer) -> Offer | None:
    if made.exceeded is not None:
        till.note(rule, Outcome.EXCEEDED, made.exceeded)
        return None
    if made.why_nothing is not None:
        till.note(rule, Outcome.NO_STOCK if made.is_out_of_stock else Outcome.NOTHING_LEFT, made.why_nothing)
        return None
    left = till.counter.circumstances.left.get(rule.code)
    spent = _spent(left, made) if left else None
    if spent is None:
        return made
    till.note(rule, Outcome.SPENT, spent)
    return None


def _spent(left: Left, made: Offer) -> Sentence | None:
    if left.uses is not None and left.uses <= 0:
        return say("It has been used as often as it may.")
    if left.uses_of_the_buyer is not None and left.uses_of_the_buyer <= 0:
        return say("The buyer has used it as often as they may.")
    if left.budget is not None and from_cents(made.total) > left.budget:
        return say("It would take %(wanted)s; of its budget %(there)s is left.",
                   wanted=shown(made.total), there=f"{left.budget:,.2f}")  # fmt: skip
    return None


def _grant(till: _Till, bid: Bid, rooms: dict[int, int]) -> None:
    """Take an offer off the lines and off shipping, as far as they cost something."""
    rule, taken, grants = bid.rule, 0, till.grants
    for number, wanted in bid.offer.off.items():
        cents = min(wanted, rooms[number])
        if not cents:
            continue
        rooms[number] -= cents
        taken += cents
        if number == SHIPPING:
            till.shipping_off += cents
        else:
            grants.setdefault(number, []).append(Grant(rule.code, rule.number, from_cents(cents)))
    if taken:
        why = say("It takes %(amount)s off.", amount=shown(taken))
        till.note(rule, Outcome.APPLIED, why, from_cents(taken))
    else:
        till.note(rule, Outcome.NOTHING_LEFT, _USED_UP)


def _say_beaten(till: _Till, bids: Sequence[Bid], chosen: Sequence[Bid], rooms: dict[int, int]) -> None:
    standing = {bid.rule.code for bid in chosen}
    together = taken_off(chosen, rooms)
    for bid in bids:
        if bid.rule.code not in standing:
            till.note(bid.rule, Outcome.BEATEN, _why_beaten(bid, chosen, together))


def _why_beaten(bid: Bid, chosen: Sequence[Bid], together: int) -> Sentence:
    """Say who stands in its place: one of its group, one alone, or all that stand together."""
    there, rival = bid.offer.total, _rival(bid, chosen)
    if rival is not None and rival.offer.total > there:
        return say("%(winner)s gives the buyer more: %(more)s instead of %(amount)s; the two exclude each other.",
                   winner=rival.rule.code, more=shown(rival.offer.total), amount=shown(there))  # fmt: skip
    if len(chosen) > 1 and together > there:
        return say("%(winners)s together give the buyer more: %(more)s instead of %(amount)s.",
                   winners=", ".join([other.rule.code for other in chosen]), more=shown(together),
                   amount=shown(there))  # fmt: skip
    return say("%(winner)s comes first; the two exclude each other.", winner=(rival or chosen[0]).rule.code)


def _rival(bid: Bid, chosen: Sequence[Bid]) -> Bid | None:
    if len(chosen) == 1:
        return chosen[0]
    return next((other for other in chosen if bid.rule.group and other.rule.group == bid.rule.group), None)


def _written(till: _Till) -> Quote:
    counter = till.counter
    lines, grants, goods, net = counter.lines, till.grants, 0, 0
    if counter.gift_lines:
        lines = sorted([*lines, *map(Line, counter.gift_lines)], key=attrgetter("number"))
    quoted = []
    for line in lines:
        goods += line.gross
        net += line.net
        granted = tuple(grants[line.number]) if line.number in grants else ()
        quoted.append(
            QuotedLine(
                line.number, from_cents(line.gross), from_cents(line.gross - line.net), from_cents(line.net), granted
            )
        )
    return Quote(
        reference=counter.basket.reference,
        lines=tuple(quoted),
        goods=from_cents(goods),
        discount=from_cents(goods - net),
        shipping=from_cents(counter.shipping),
        total=from_cents(net + counter.shipping),
        shipping_off=from_cents(till.shipping_off),
        gifts=tuple(till.gifts),
        verdicts=tuple(till.verdicts),
        is_exact=till.is_exact,
    )
