"""Making coupons: many single ones at once, one for everybody, one for one buyer."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from promotions.models import Coupon, CouponBatch, Promotion

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that looks like something else
RANDOM_CHARACTERS: Final = 12  # of 32: 2^60 codes, nobody finds one by trying
MOST_AT_ONCE: Final = 100_000
LONGEST: Final = 40
MAX_TRIES: Final = 5


class NotACoupon(Exception):
    """Coupons that cannot be made as asked, with what to change."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Term:
    """From when until when coupons hold; empty: always."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None


ALWAYS: Final = Term()


@dataclass(frozen=True)
class Wanted:
    """Which coupons shall be made: how many, how they begin, when they hold."""

    name: str
    size: int
    prefix: str = ""
    term: Term = ALWAYS


def normalized(code: str) -> str:
    """Return a code as it is kept: upper case, without spaces and dashes that people put between."""
    return "".join(code.split()).replace("-", "").upper()[:LONGEST]


def known_codes(codes: Iterable[str]) -> list[str]:
    """Return codes as they are kept, each once, in the order in which they were given; empty ones are left out."""
    return list(dict.fromkeys(code for code in map(normalized, codes) if code))


@transaction.atomic
def make_batch(promotion: Promotion, wanted: Wanted, *, actor: Actor, at: datetime) -> CouponBatch:
    """Make so many codes that work once each. Raises ``NotACoupon`` for a size or prefix that is not possible."""
    beginning = normalized(wanted.prefix)
    if not 0 < wanted.size <= MOST_AT_ONCE:
        raise NotACoupon(say("Make between 1 and %(most)s coupons at once.", most=MOST_AT_ONCE))
    if len(beginning) + RANDOM_CHARACTERS > LONGEST:
        raise NotACoupon(say("The prefix may have at most %(most)s characters.", most=LONGEST - RANDOM_CHARACTERS))
    batch = CouponBatch.objects.create(
        promotion=promotion, name=wanted.name[:80], size=wanted.size, created_at=at, created_by=actor.label[:80]
    )
    codes: set[str] = set()
    for _attempt in range(MAX_TRIES):  # a code that exists already is drawn again; with 2^60 of them never twice
        while len(codes) < wanted.size:
            codes.add(beginning + "".join(secrets.choice(ALPHABET) for _place in range(RANDOM_CHARACTERS)))
        taken = set(Coupon.objects.filter(code__in=codes).values_list("code", flat=True))
        if not taken:
            break
        codes -= taken
    Coupon.objects.bulk_create(
        [
            Coupon(
                code=code,
                promotion=promotion,
                batch=batch,
                most_uses=1,
                starts_at=wanted.term.starts_at,
                ends_at=wanted.term.ends_at,
            )
            for code in sorted(codes)
        ],
        batch_size=5_000,
    )
    return batch


@transaction.atomic
def make_shared(promotion: Promotion, *, code: str, most_uses: int | None = None, term: Term = ALWAYS) -> Coupon:
    """Make one code that many buyers may use, so many times altogether (``None``: without a limit); one use is single.

    Raises ``NotACoupon`` for a code that is empty, known already, or has no uses.
    """
    kept = normalized(code)
    if not kept:
        raise NotACoupon(say("Give the coupon a code."))
    if most_uses is not None and most_uses < 1:
        raise NotACoupon(say("A coupon must be good for at least one use."))
    coupon, is_new = Coupon.objects.get_or_create(
        code=kept,
        defaults={
            "promotion": promotion,
            "most_uses": most_uses,
            "starts_at": term.starts_at,
            "ends_at": term.ends_at,
        },
    )
    if not is_new:
        raise NotACoupon(say("The code %(code)s exists already.", code=kept))
    return coupon
