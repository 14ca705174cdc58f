"""Quoting baskets: the one door to prices for orders, API and dry runs.

The live rules are compiled once per process and kept until another set is live, which one query per call tells. What
the rules must know besides the baskets (limits, coupons, gifts in stock) is read for all baskets at once and counted
down from one basket to the next. Nothing is taken here: see ``limits``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit.statuses import VersionStatus
from inventory.models import Node, Sku
from inventory.queries import promise
from promotions.models import Allowance, Coupon, PromotionVersion
from promotions.rules import rule as rules
from promotions.rules.baskets import Basket, BasketLine, Circumstances, Left, Outcome, Quote
from promotions.rules.conditions import All, Any, Condition, Not, OrdersBefore
from promotions.rules.engine import quote as price
from promotions.rules.matching import RuleSet, compile_rules
from promotions.rules.rewards import BuyGet, Gift, PurchaseLimit
from promotions.rules.rule import PublishedRule
from promotions.services.limits import Taking

Pins = tuple[tuple[str, int], ...]  # promotion code and version number, in the order of the codes
Mark = tuple[int, int, str, int, str]  # a version: its key, its promotion's key and code, number, digest
Stamp = tuple[Mark, ...]  # in the order of the keys
MOST_KEPT: Final = 64
NOTHING: Final = Decimal(0)


@dataclass(frozen=True)
class Book:
    """Rules that hold together, ready for use, and what must be known to use them."""

    rules: RuleSet = field(default_factory=RuleSet)
    published: Mapping[str, PublishedRule] = field(default_factory=dict)
    promotion_ids: Mapping[str, int] = field(default_factory=dict)
    gift_ids: Mapping[str, int] = field(default_factory=dict)  # SKU code → id
    limited: frozenset[str] = frozenset()
    has_coupons: bool = False
    needs_orders_before: bool = False
    limits_of_buyers: Mapping[str, PurchaseLimit] = field(default_factory=dict)  # those that look at days past

    @property
    def pins(self) -> Pins:
        """Return which versions these are."""
        return tuple((code, published.number) for code, published in self.published.items())


@dataclass(frozen=True)
class Request:
    """One basket, the rules that hold for it, and what is known of it besides."""

    basket: Basket
    book: Book
    bought_before: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # promotion code → SKU → units
    own_gifts: Mapping[str, int] = field(default_factory=dict)  # units of gifts reserved for it already
    without: frozenset[str] = frozenset()  # promotions that somebody else has taken the last of


@dataclass(frozen=True)
class Priced:
    """A quote, and what it takes of the promotions that it used."""

    quote: Quote
    takings: tuple[Taking, ...]


_NO_RULES: Final = Book()
_kept: dict[Stamp, Book] = {}


def quote(baskets: Iterable[Basket], *, at: datetime | None = None) -> list[Quote]:
    """Price baskets under the rules that are live; takes nothing."""
    moment, book = at or timezone.now(), live()
    return [priced.quote for priced in quote_all([Request(basket, book) for basket in baskets], at=moment)]


def quote_all(requests: Sequence[Request], *, at: datetime) -> list[Priced]:
    """Price baskets, each under its own rules. The number of queries does not depend on how many baskets there are."""
    dressed = _dressed(requests)
    shelf = _shelf(dressed, at)
    return [shelf.serve(request, at) for request in dressed]


def live() -> Book:
    """Return the rules that are live now: one query while nothing has changed."""
    return _book(_stamp(PromotionVersion.objects.filter(status=VersionStatus.LIVE)))


def pinned(wanted: Collection[Pins]) -> dict[Pins, Book]:
    """Return the rules of these versions, whatever became of them since; versions never change."""
    codes = {code for pins in wanted for code, _number in pins}
    numbers = {number for pins in wanted for _code, number in pins}
    marks: dict[tuple[str, int], Mark] = {}
    if codes:
        rows = PromotionVersion.objects.filter(promotion__code__in=codes, number__in=numbers)
        marks = {(mark[2], mark[3]): mark for mark in _stamp(rows)}
    return {pins: _book(tuple(sorted(marks[pin] for pin in pins))) for pins in wanted}


def _stamp(versions: QuerySet[PromotionVersion]) -> Stamp:
    """Return what tells one set of versions from every other one."""
    marks = versions.order_by("pk").values_list("pk", "promotion_id", "promotion__code", "number", "digest")
    return tuple(marks)


def _book(stamp: Stamp) -> Book:
    """Return the rules of these versions, compiled once; few sets are kept, because few are asked for."""
    book = _kept.get(stamp) if stamp else _NO_RULES
    if book is None:
        keys = [mark[0] for mark in stamp]
        book = made(PromotionVersion.objects.filter(pk__in=keys).select_related("promotion"))
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[stamp] = book
    return book


def made(versions: Iterable[PromotionVersion]) -> Book:
    """Compile versions into one set; raises ``msgspec.ValidationError`` for a body that is no rule."""
    published, ids = {}, {}
    for version in sorted(versions, key=lambda row: row.promotion.code):
        code = version.promotion.code
        published[code] = PublishedRule(code, version.number, rules.from_json(version.body))
        ids[code] = version.promotion_id
    return book_of(published, ids)


def book_of(published: Mapping[str, PublishedRule], promotion_ids: Mapping[str, int]) -> Book:
    """Compile published rules into one set with what must be known to use it."""
    if not published:
        return _NO_RULES
    by_code = {code: entry.rule for code, entry in published.items()}
    rewards = {code: rule.reward for code, rule in by_code.items()}
    gifts = {item.sku for reward in rewards.values() if isinstance(reward, Gift | BuyGet) for item in reward.items}
    return Book(
        rules=compile_rules(list(published.values())),
        published=published,
        promotion_ids=promotion_ids,
        gift_ids=dict(Sku.objects.filter(code__in=gifts).values_list("code", "pk")) if gifts else {},
        limited=frozenset(code for code, rule in by_code.items() if rule.limits != rules.Limits()),
        has_coupons=any(rule.needs_coupon for rule in by_code.values()),
        needs_orders_before=any(_looks_back(rule.condition) for rule in by_code.values()),
        limits_of_buyers={
            code: reward
            for code, reward in rewards.items()
            if isinstance(reward, PurchaseLimit) and reward.days is not None
        },
    )


def _looks_back(condition: Condition) -> bool:
    if isinstance(condition, All | Any):
        return any(_looks_back(part) for part in condition.of)
    if isinstance(condition, Not):
        return _looks_back(condition.of)
    return isinstance(condition, OrdersBefore)


@dataclass
class _Shelf:
    """What is left for the baskets that come next."""

    totals: dict[str, Left]
    of_buyers: dict[tuple[str, str], int]  # promotion code, buyer → uses taken
    coupons: dict[str, tuple[int, str, int | None]]  # code → id, promotion code, uses left
    gift_units: dict[str, int]

    def serve(self, request: Request, at: datetime) -> Priced:
        """Price one basket and count down what it would take."""
        basket, book = request.basket, request.book
        if not book.published:
            return Priced(price(basket, at=at), ())
        coupon_of = {
            code: self.coupons[code][1]
            for code in basket.coupons
            if code in self.coupons and self.coupons[code][2] != 0
        }
        circumstances = Circumstances(
            left={code: self._left(request, code) for code in book.limited | request.without},
            gift_units=_together(self.gift_units, request.own_gifts) if book.gift_ids else None,
            coupon_of=coupon_of,
            bought_before=request.bought_before,
        )
        result = price(basket, book.rules, circumstances, at=at)
        takings = tuple(self._takings(request, result, {promotion: code for code, promotion in coupon_of.items()}))
        for gift in result.gifts:
            own = request.own_gifts.get(gift.sku, 0)
            self.gift_units[gift.sku] = self.gift_units.get(gift.sku, 0) - max(0, gift.quantity - own)
        return Priced(result, takings)

    def _left(self, request: Request, code: str) -> Left:
        if code in request.without:
            return Left(uses=0)
        most = request.book.published[code].rule.limits.most_uses_of_a_buyer
        buyer = request.basket.buyer
        of_buyer = None if most is None or not buyer else most - self.of_buyers.get((code, buyer), 0)
        return replace(self.totals.get(code, Left()), uses_of_the_buyer=of_buyer)

    def _takings(self, request: Request, result: Quote, coupons: Mapping[str, str]) -> Iterable[Taking]:
        basket, book = request.basket, request.book
        for verdict in result.verdicts:
            if verdict.outcome is not Outcome.APPLIED:
                continue
            code, rule = verdict.code, book.published[verdict.code].rule
            coupon = coupons.get(code) if rule.needs_coupon else None
            yield Taking(
                reference=basket.reference,
                channel=basket.channel_code,
                promotion_id=book.promotion_ids[code],
                version_number=verdict.number,
                amount=verdict.amount,
                buyer=basket.buyer,
                coupon_id=self.coupons[coupon][0] if coupon else None,
                most_of_a_buyer=rule.limits.most_uses_of_a_buyer,
            )
            self._count(code, verdict.amount, basket.buyer, coupon)

    def _count(self, code: str, amount: Decimal, buyer: str, coupon: str | None) -> None:
        left = self.totals.get(code)
        if left is not None:
            self.totals[code] = replace(
                left,
                uses=None if left.uses is None else left.uses - 1,
                budget=None if left.budget is None else left.budget - amount,
            )
        self.of_buyers[code, buyer] = self.of_buyers.get((code, buyer), 0) + 1
        if coupon:
            coupon_id, promotion, uses = self.coupons[coupon]
            self.coupons[coupon] = (coupon_id, promotion, None if uses is None else uses - 1)


def _shelf(requests: Sequence[Request], at: datetime) -> _Shelf:
    books = {id(request.book): request.book for request in requests}.values()
    shelf = _Shelf({}, {}, {}, {})
    limited = {book.promotion_ids[code]: code for book in books for code in book.limited if code in book.promotion_ids}
    if limited:
        _read_limits(shelf, limited, {request.basket.buyer for request in requests})
    codes = {code for request in requests if request.book.has_coupons for code in request.basket.coupons}
    if codes:
        _read_coupons(shelf, codes, at)
    gifts = {sku: sku_id for book in books for sku, sku_id in book.gift_ids.items()}
    if gifts:
        nodes = list(Node.objects.filter(is_active=True).values_list("pk", flat=True))
        there = promise.availability(set(gifts.values()), nodes, on_date=timezone.localdate(at))
        shelf.gift_units = {sku: there[sku_id].total for sku, sku_id in gifts.items()}
    return shelf


def _read_limits(shelf: _Shelf, limited: Mapping[int, str], buyers: Collection[str]) -> None:
    for row in Allowance.objects.filter(promotion__in=limited, buyer__in={"", *buyers}):
        code = limited[row.promotion_id]
        if row.buyer:
            shelf.of_buyers[code, row.buyer] = row.uses
        else:
            uses = None if row.most_uses is None else row.most_uses - row.uses
            shelf.totals[code] = Left(uses, None, None if row.budget is None else row.budget - row.amount)


def _read_coupons(shelf: _Shelf, codes: Collection[str], at: datetime) -> None:
    in_term = (Q(starts_at=None) | Q(starts_at__lte=at)) & (Q(ends_at=None) | Q(ends_at__gt=at))
    known = Coupon.objects.filter(in_term, code__in=codes, is_active=True).annotate(promotion_code=F("promotion__code"))
    for row in known:
        uses = None if row.most_uses is None else max(0, row.most_uses - row.taken)
        shelf.coupons[row.code] = (row.pk, row.promotion_code, uses)


def _dressed(requests: Sequence[Request]) -> list[Request]:
    """Add SKU codes, categories and brands to lines that carry only the SKU's id."""
    ids = {
        line.sku_id
        for request in requests
        if request.book.published
        for line in request.basket.lines
        if line.sku_id is not None and not line.sku
    }
    if not ids:
        return list(requests)
    skus = Sku.objects.filter(pk__in=ids).values_list("pk", "code", "category__code", "brand")
    facts = {pk: words for pk, *words in skus}
    return [replace(request, basket=_with_facts(request.basket, facts)) for request in requests]


def _with_facts(basket: Basket, facts: Mapping[int, Sequence[str]]) -> Basket:
    return replace(basket, lines=tuple(_line(line, facts) for line in basket.lines))


def _line(line: BasketLine, facts: Mapping[int, Sequence[str]]) -> BasketLine:
    words = facts.get(line.sku_id or 0)
    return replace(line, sku=words[0], category=words[1], brand=words[2]) if words and not line.sku else line


def _together(units: Mapping[str, int], own: Mapping[str, int]) -> Mapping[str, int]:
    if not own:
        return units
    return {sku: units.get(sku, 0) + own.get(sku, 0) for sku in {*units, *own}}
