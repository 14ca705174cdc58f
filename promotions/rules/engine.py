"""What a basket costs and why: the lanes one after the other, a verdict for every rule.

A rule's condition and its reward look at the prices that the lanes before it left. In a lane all rules see the same
prices, so their order changes nothing; what they take off is added, and no line ever costs less than nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
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
from promotions.rules.choosing import Bid, choose
from promotions.rules.counter import Counter
from promotions.rules.granting import Offer, offer
from promotions.rules.matching import CompiledRule, RuleSet
from promotions.rules.money import from_cents
from promotions.rules.rule import Lane

_NO_RULES: Final = RuleSet()
_NOT_OURS: Final = frozenset({Lane.PRICE, Lane.ITEM, Lane.ORDER, Lane.COUPON, Lane.DEPOSIT, Lane.SHIPPING})
_EVERYTHING: Final = Circumstances()
_UNLIMITED: Final = Left()


class _Till:
    """A quote in the making."""

    def __init__(self, counter: Counter, rules: RuleSet) -> None:
        self.counter, self.verdicts, self.is_exact = counter, list(rules.unfit), True
        self.grants: dict[int, list[Grant]] = {line.number: [] for line in counter.lines}
        self.gifts: list[GiftLine] = []
        self.shipping_off = 0

    def say(self, rule: CompiledRule, outcome: Outcome, why: Sentence, amount: Decimal = NOTHING) -> None:
        published = rule.published
        self.verdicts[rule.place] = Verdict(published.code, published.number, outcome, why, amount)


def quote(
    basket: Basket, rules: RuleSet = _NO_RULES, circumstances: Circumstances = _EVERYTHING, *, at: datetime
) -> Quote:
    """Price a basket. Plain arithmetic: the same basket, rules and circumstances always give the same quote."""
    till = _Till(Counter(basket, circumstances, at), rules)
    for lane, members in groupby(rules.candidates(till.counter), key=lambda rule: rule.lane):
        _work(till, lane, list(members))
    return _written(till)


def _work(till: _Till, lane: Lane, rules: Sequence[CompiledRule]) -> None:
    bids = [Bid(rule, made) for rule in rules if (made := _offer(till, lane, rule)) is not None]
    if not bids:
        return
    rooms = {line.number: line.net for line in till.counter.lines}
    chosen = choose(bids, rooms)
    till.is_exact = till.is_exact and chosen.is_exact
    standing = {id(bid) for bid in chosen.bids}
    for bid in chosen.bids:
        _grant(till, bid, rooms)
    winner = chosen.bids[0]
    for bid in bids:
        if id(bid) not in standing:
            _beaten(till, bid, winner if len(chosen.bids) == 1 else _rival(bid, chosen.bids, winner))
    for line in till.counter.lines:
        line.net = rooms[line.number]


def _offer(till: _Till, lane: Lane, rule: CompiledRule) -> Offer | None:
    """Return what a rule offers, or note why it offers nothing."""
    counter, published = till.counter, rule.published
    if lane in _NOT_OURS and not counter.basket.is_priced_here:
        till.say(rule, Outcome.NOT_PRICED_HERE, say("The channel makes the prices of its orders itself."))
    elif not published.rule.is_in_time(counter.placed_at):
        till.say(rule, Outcome.OUT_OF_TIME, say("The order was placed outside its time."))
    elif published.rule.needs_coupon and published.code not in counter.coupons:
        till.say(rule, Outcome.NO_COUPON, say("It needs a coupon."))
    elif not rule.test(counter):
        till.say(rule, Outcome.NOT_MET, why_not(published.rule.condition, counter))
    else:
        return _within_limits(till, rule, offer(published.rule.reward, counter, published.code))
    return None


def _within_limits(till: _Till, rule: CompiledRule, made: Offer) -> Offer | None:
    if made.exceeded:
        till.say(rule, Outcome.EXCEEDED, made.exceeded)
        return None
    if made.why_nothing:
        till.say(rule, Outcome.NO_STOCK if made.is_out_of_stock else Outcome.NOTHING_LEFT, made.why_nothing)
        return None
    spent = _spent(till.counter.circumstances.left.get(rule.published.code, _UNLIMITED), made)
    if spent:
        till.say(rule, Outcome.SPENT, spent)
        return None
    return made


def _spent(left: Left, made: Offer) -> Sentence | None:
    if left.uses is not None and left.uses <= 0:
        return say("It has been used as often as it may.")
    if left.uses_of_the_buyer is not None and left.uses_of_the_buyer <= 0:
        return say("The buyer has used it as often as they may.")
    if left.budget is not None and from_cents(made.total) > left.budget:
        return say("It would take %(wanted)s; of its budget %(there)s is left.",
                   wanted=f"{from_cents(made.total):,.2f}", there=f"{left.budget:,.2f}")  # fmt: skip
    return None


def _grant(till: _Till, bid: Bid, rooms: dict[int, int]) -> None:
    """Take an offer off the lines, as far as they cost something, and off shipping; lay its gifts into the parcel."""
    published, taken = bid.rule.published, 0
    for number, wanted in bid.offer.off.items():
        cents = min(wanted, rooms[number])
        if cents:
            rooms[number] -= cents
            taken += cents
            till.grants[number].append(Grant(published.code, published.number, from_cents(cents)))
    shipping = min(bid.offer.shipping_off, till.counter.shipping)
    till.counter.shipping -= shipping
    till.shipping_off += shipping
    for item in bid.offer.gifts:
        till.gifts.append(GiftLine(item.sku, item.quantity, published.code, published.number))
    _say_granted(till, bid, taken + shipping)


def _say_granted(till: _Till, bid: Bid, cents: int) -> None:
    if bid.offer.gifts:
        gifts = ", ".join(f"{item.quantity} × {item.sku}" for item in bid.offer.gifts)
        till.say(bid.rule, Outcome.APPLIED, say("It adds %(gifts)s.", gifts=gifts), from_cents(cents))
    elif cents:
        amount = from_cents(cents)
        till.say(bid.rule, Outcome.APPLIED, say("It takes %(amount)s off.", amount=f"{amount:,.2f}"), amount)
    else:
        till.say(bid.rule, Outcome.NOTHING_LEFT, say("Its goods cost nothing any more."))


def _beaten(till: _Till, bid: Bid, winner: Bid) -> None:
    why = say("%(winner)s gives the buyer more: %(more)s instead of %(amount)s; the two exclude each other.",
              winner=winner.rule.published.code, more=f"{from_cents(winner.offer.total):,.2f}",
              amount=f"{from_cents(bid.offer.total):,.2f}")  # fmt: skip
    till.say(bid.rule, Outcome.BEATEN, why)


def _rival(bid: Bid, chosen: Sequence[Bid], otherwise: Bid) -> Bid:
    """Return who stands in a bid's place: the one of its group, or the first of those that stand together."""
    group = bid.rule.published.rule.group
    return next((other for other in chosen if group and other.rule.published.rule.group == group), otherwise)


def _written(till: _Till) -> Quote:
    lines, goods, net = [], 0, 0
    for line in till.counter.lines:
        goods += line.gross
        net += line.net
        lines.append(
            QuotedLine(
                line.number,
                from_cents(line.gross),
                from_cents(line.gross - line.net),
                from_cents(line.net),
                tuple(till.grants[line.number]),
            )
        )
    return Quote(
        reference=till.counter.basket.reference,
        lines=tuple(lines),
        goods=from_cents(goods),
        discount=from_cents(goods - net),
        shipping=from_cents(till.counter.shipping),
        total=from_cents(net + till.counter.shipping),
        shipping_off=from_cents(till.shipping_off),
        gifts=tuple(till.gifts),
        verdicts=tuple(till.verdicts),
        is_exact=till.is_exact,
    )
