"""Coupons, uses and budgets: what is scarce about promotions is taken here and nowhere else.

Rows are locked in the order of their keys, allowances before coupons; the decision is made on the locked numbers, for
all takings together; one guarded UPDATE per table writes them and its row count is checked. CHECK constraints are the
last net, and each taking is a row of the ledger ``Redemption``.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from audit.models import rows
from promotions.models import Allowance, Coupon, Promotion, PromotionVersion, Redemption
from promotions.statuses import RedemptionStatus

NOTHING: Final = Decimal(0)
Place = tuple[int, str]  # promotion id, buyer; an empty buyer stands for all of them together


class LimitsChanged(Exception):
    """A guarded UPDATE met fewer rows than it was given: the numbers are not what was decided on."""


@dataclass(frozen=True)
class Taking:
    """What one order wants of one promotion. ``most_of_a_buyer`` is the rule's own limit for one buyer."""

    reference: str
    channel: str
    promotion_id: int
    version_number: int
    amount: Decimal
    buyer: str = ""
    coupon_id: int | None = None
    most_of_a_buyer: int | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Return the allowances it counts in."""
        if self.buyer and self.most_of_a_buyer is not None:
            return (self.promotion_id, ""), (self.promotion_id, self.buyer)
        return ((self.promotion_id, ""),)


@dataclass
class _Books:
    """Locked rows, and what the takings add to them."""

    allowances: dict[Place, Allowance]
    coupons: dict[int, Coupon]
    uses: Counter[Place] = field(default_factory=Counter)
    amounts: dict[Place, Decimal] = field(default_factory=dict)
    taken: Counter[int] = field(default_factory=Counter)

    def has_room(self, taking: Taking) -> bool:
        """Return whether everything that a taking counts in still has room for it."""
        coupon = self.coupons.get(taking.coupon_id) if taking.coupon_id is not None else None
        if taking.coupon_id is not None and (coupon is None or not coupon.is_active):
            return False
        if coupon and coupon.most_uses is not None and coupon.taken + self.taken[coupon.pk] >= coupon.most_uses:
            return False
        return all(self._place_has_room(place, taking) for place in taking.places)

    def _place_has_room(self, place: Place, taking: Taking) -> bool:
        allowance = self.allowances.get(place)
        if allowance is None:
            return True
        most = taking.most_of_a_buyer if place[1] else allowance.most_uses
        if most is not None and allowance.uses + self.uses[place] >= most:
            return False
        spent = allowance.amount + self.amounts.get(place, NOTHING) + taking.amount
        return allowance.budget is None or spent <= allowance.budget

    def note(self, taking: Taking) -> None:
        """Count a taking in."""
        for place in taking.places:
            if place in self.allowances:
                self.uses[place] += 1
                self.amounts[place] = self.amounts.get(place, NOTHING) + taking.amount
        if taking.coupon_id is not None:
            self.taken[taking.coupon_id] += 1

    def keep_above_nothing(self) -> None:
        """Give back no more than was counted: what was taken before a limit existed was not."""
        for place, allowance in self.allowances.items():
            self.uses[place] = min(self.uses[place], allowance.uses)
            self.amounts[place] = min(self.amounts.get(place, NOTHING), allowance.amount)


@transaction.atomic
def take(takings: Sequence[Taking], *, at: datetime, paid: Collection[str] = ()) -> list[Taking]:
    """Reserve what orders want, as far as it goes, in the order given; returns what was refused, which took nothing.

    What orders take that are ``paid`` is used for good at once. An order must not hold a promotion already. Raises
    ``LimitsChanged`` when a guard refused, which the locks exclude.
    """
    if not takings:
        return []
    _open_buyers(takings)
    books = _Books(
        _locked_allowances({place for taking in takings for place in taking.places}),
        _locked_coupons({taking.coupon_id for taking in takings if taking.coupon_id is not None}),
    )
    refused, granted = [], []
    for taking in takings:
        if books.has_room(taking):
            books.note(taking)
            granted.append(taking)
        else:
            refused.append(taking)
    _write(books, sign=1)
    rows.insert([_redemption(taking, at, is_paid=taking.reference in paid) for taking in granted])
    return refused


@transaction.atomic
def commit(references: Collection[str], *, at: datetime) -> int:
    """Say that what these orders reserved is used for good: they are paid. Returns how many redemptions that were."""
    reserved = Redemption.objects.filter(reference__in=references, status=RedemptionStatus.RESERVED)
    return reserved.update(status=RedemptionStatus.COMMITTED, settled_at=at)


@transaction.atomic
def release(references: Collection[str], *, at: datetime) -> int:
    """Give back what these orders hold, as far as the versions they were priced with allow it; returns how many."""
    held = _held(references)
    kept = _without_return(held)
    return _give_back([row for row in held if (row.promotion_id, row.version_number) not in kept], at)


@transaction.atomic
def undo(references: Collection[str], *, at: datetime, codes: Collection[str] | None = None) -> int:
    """Give back what these orders hold, of all promotions or of those with these codes; returns how many that were.

    For orders that are priced again: unlike ``release`` it asks no rule.
    """
    held = _held(references)
    if held and codes is not None:
        ids = set(Promotion.objects.filter(code__in=codes).values_list("pk", flat=True))
        held = [row for row in held if row.promotion_id in ids]
    return _give_back(held, at)


def _held(references: Collection[str]) -> list[Redemption]:
    if not references:
        return []
    held = Redemption.objects.filter(reference__in=references, status__in=RedemptionStatus.TAKEN)
    return list(held.order_by("pk").select_for_update(no_key=True))


def _give_back(held: Sequence[Redemption], at: datetime) -> int:
    if not held:
        return 0
    places = {(row.promotion_id, buyer) for row in held for buyer in ("", row.buyer)}
    books = _Books(
        _locked_allowances(places), _locked_coupons({row.coupon_id for row in held if row.coupon_id is not None})
    )
    for row in held:
        counts_for_buyer = bool(row.buyer) and (row.promotion_id, row.buyer) in books.allowances
        books.note(
            Taking(
                reference=row.reference,
                channel=row.channel,
                promotion_id=row.promotion_id,
                version_number=row.version_number,
                amount=row.amount,
                buyer=row.buyer,
                coupon_id=row.coupon_id,
                most_of_a_buyer=0 if counts_for_buyer else None,
            )
        )
    books.keep_above_nothing()
    _write(books, sign=-1)
    return Redemption.objects.filter(pk__in=[row.pk for row in held]).update(
        status=RedemptionStatus.RELEASED, settled_at=at
    )


def _without_return(held: Sequence[Redemption]) -> set[tuple[int, int]]:
    """Return the (promotion, version) pairs whose rule keeps what was used even when the order is cancelled."""
    if not held:
        return set()
    keeping = PromotionVersion.objects.filter(
        promotion__in={row.promotion_id for row in held}, body__returns_uses=False
    )
    return set(keeping.values_list("promotion_id", "number"))


def _open_buyers(takings: Iterable[Taking]) -> None:
    """Make the rows of buyers who take a promotion for the first time."""
    wanted = sorted({place for taking in takings for place in taking.places if place[1]})
    if not wanted:
        return
    known = set(
        Allowance.objects.filter(promotion__in={promotion for promotion, _buyer in wanted})
        .filter(buyer__in={buyer for _promotion, buyer in wanted})
        .values_list("promotion_id", "buyer")
    )
    fresh = [Allowance(promotion_id=promotion, buyer=buyer) for promotion, buyer in wanted
             if (promotion, buyer) not in known]  # fmt: skip
    Allowance.objects.bulk_create(fresh, ignore_conflicts=True)


def _locked_allowances(places: Collection[Place]) -> dict[Place, Allowance]:
    """Return the allowances of these places, locked in the order of their keys; without limits there is nothing."""
    if not places:
        return {}
    wanted = Allowance.objects.filter(promotion__in={promotion for promotion, _buyer in places}).filter(
        Q(buyer="", most_uses__isnull=False)
        | Q(buyer="", budget__isnull=False)
        | Q(buyer__in={buyer for _promotion, buyer in places if buyer})
    )
    found = {(row.promotion_id, row.buyer): row for row in wanted.order_by("pk").select_for_update(no_key=True)}
    return {place: row for place, row in found.items() if place in places}


def _locked_coupons(coupon_ids: Collection[int]) -> dict[int, Coupon]:
    if not coupon_ids:
        return {}
    wanted = Coupon.objects.filter(pk__in=coupon_ids).order_by("pk").select_for_update(no_key=True)
    return {coupon.pk: coupon for coupon in wanted}


def _write(books: _Books, *, sign: int) -> None:
    """Write what was decided, each row under its own guard."""
    allowances = {books.allowances[place].pk: (sign * uses, sign * books.amounts[place])
                  for place, uses in books.uses.items()}  # fmt: skip
    _update(
        """
        UPDATE promotions_allowance AS kept SET uses = kept.uses + change.uses, amount = kept.amount + change.amount
          FROM unnest(%s::bigint[], %s::int[], %s::numeric[]) AS change (id, uses, amount)
         WHERE kept.id = change.id AND kept.uses + change.uses >= 0 AND kept.amount + change.amount >= 0
           AND (change.uses < 0 OR kept.most_uses IS NULL OR kept.uses + change.uses <= kept.most_uses)
           AND (change.uses < 0 OR kept.budget IS NULL OR kept.amount + change.amount <= kept.budget)
        """,
        [(key, *change) for key, change in sorted(allowances.items())],
    )
    _update(
        """
        UPDATE promotions_coupon AS kept SET taken = kept.taken + change.uses
          FROM unnest(%s::bigint[], %s::int[]) AS change (id, uses)
         WHERE kept.id = change.id AND kept.taken + change.uses >= 0
           AND (change.uses < 0 OR kept.most_uses IS NULL OR kept.taken + change.uses <= kept.most_uses)
        """,
        [(key, sign * uses) for key, uses in sorted(books.taken.items())],
    )


def _update(sql: str, changes: Sequence[tuple[object, ...]]) -> None:
    if not changes:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(column) for column in zip(*changes, strict=True)])
        if cursor.rowcount != len(changes):
            raise LimitsChanged(f"{len(changes) - cursor.rowcount} of {len(changes)} limits refused the change")


def _redemption(taking: Taking, at: datetime, *, is_paid: bool = False) -> Redemption:
    return rows.new(
        Redemption,
        promotion_id=taking.promotion_id,
        version_number=taking.version_number,
        reference=taking.reference,
        channel=taking.channel,
        buyer=taking.buyer,
        coupon_id=taking.coupon_id,
        amount=taking.amount,
        status=RedemptionStatus.COMMITTED if is_paid else RedemptionStatus.RESERVED,
        taken_at=at,
        settled_at=at if is_paid else None,
    )
