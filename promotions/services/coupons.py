"""Making coupons: many single ones at once, one for everybody, one for one buyer."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from audit.services import trail
from promotions.models import Coupon, CouponBatch, Promotion

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that looks like something else
RANDOM_CHARACTERS: Final = 12  # of 32: 2^60 codes, nobody finds one by trying
MOST_AT_ONCE: Final = 100_000
LONGEST: Final = 40
MAX_TRIES: Final = 5
MADE_AT_ONCE: Final = 2_000  # a job makes what is more, so that nobody waits for a page
MADE_BY_A_STEP: Final = 10_000
LONGEST_FILLING: Final = timedelta(days=7)  # an older batch that is not complete was stopped


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
    """Begin a batch of so many codes that work once each; of a large one the job ``fill_waiting`` makes the rest.

    Raises ``NotACoupon`` for a size, prefix or time that is not possible.
    """
    beginning = normalized(wanted.prefix)
    if not 0 < wanted.size <= MOST_AT_ONCE:
        raise NotACoupon(say("Make between 1 and %(most)s coupons at once.", most=MOST_AT_ONCE))
    if len(beginning) + RANDOM_CHARACTERS > LONGEST:
        raise NotACoupon(say("The prefix may have at most %(most)s characters.", most=LONGEST - RANDOM_CHARACTERS))
    _refuse_bad(wanted.term)
    batch = CouponBatch.objects.create(
        promotion=promotion, name=wanted.name[:80], size=wanted.size, created_at=at, created_by=actor.label[:80]
    )
    _make(batch, min(wanted.size, MADE_AT_ONCE), beginning, wanted.term)
    return batch


def fill_waiting(*, at: datetime) -> int:
    """Make the codes that batches still miss, step by step; returns how many. Several may run it at once."""
    large = CouponBatch.objects.filter(size__gt=MADE_AT_ONCE, created_at__gt=at - LONGEST_FILLING)
    made = 0
    for batch_id in large.order_by("pk").values_list("pk", flat=True):
        while step := fill(batch_id):
            made += step
    return made


@transaction.atomic
def fill(batch_id: int) -> int:
    """Make the next codes of a batch, like those that it has; returns how many, none when it is complete."""
    batch = CouponBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
    first, made = batch.coupons.order_by("pk").first(), batch.coupons.count()
    if first is None or made >= batch.size:
        return 0
    step = min(batch.size - made, MADE_BY_A_STEP)
    _make(batch, step, first.code[:-RANDOM_CHARACTERS], Term(first.starts_at, first.ends_at))
    return step


@transaction.atomic
def stop_batch(batch_id: int, *, actor: Actor, reason: str) -> int:
    """Let no code of a batch be taken any more, and make no more of them; returns how many it stopped.

    What orders hold of them already stays. Why stands in the history of the promotion.
    """
    batch = CouponBatch.objects.select_for_update(no_key=True).select_related("promotion").get(pk=batch_id)
    batch.size = batch.coupons.count()
    batch.save(update_fields=["size"])
    stopped = len(_stopped(batch.coupons.all()))
    if stopped:
        _remember(batch.promotion, f"coupons “{batch.name}” stopped: {reason}", actor)
    return stopped


@transaction.atomic
def stop(coupon_ids: Iterable[int], *, actor: Actor, reason: str) -> list[str]:
    """Let these codes not be taken any more; returns those that were active. Why stands in the promotions' history."""
    found = _stopped(Coupon.objects.filter(pk__in=list(coupon_ids)))
    of_promotions: dict[int, list[str]] = {}
    for coupon in found:
        of_promotions.setdefault(coupon.promotion_id, []).append(coupon.code)
    for promotion in Promotion.objects.filter(pk__in=of_promotions).order_by("pk"):  # of a page of coupons few
        _remember(promotion, f"stopped: {reason} – {', '.join(of_promotions[promotion.pk])}", actor)
    return [coupon.code for coupon in found]


def _stopped(coupons: QuerySet[Coupon]) -> list[Coupon]:
    """Lock the active ones in the order of their keys, as whoever takes a coupon does, and stop them."""
    active = coupons.filter(is_active=True)
    found = list(active.order_by("pk").select_for_update(no_key=True))
    active.update(is_active=False)
    return found


def _remember(promotion: Promotion, what: str, actor: Actor) -> None:
    trail.because(promotion, actor=actor, reason=what).save(update_fields=["name"])


def _make(batch: CouponBatch, count: int, beginning: str, term: Term) -> None:
    """Make so many new codes of a batch that work once each."""
    codes: set[str] = set()
    for _attempt in range(MAX_TRIES):  # a code that exists already is drawn again; with 2^60 of them never twice
        while len(codes) < count:
            codes.add(beginning + "".join(secrets.choice(ALPHABET) for _place in range(RANDOM_CHARACTERS)))
        taken = set(Coupon.objects.filter(code__in=codes).values_list("code", flat=True))
        if not taken:
            break
        codes -= taken
    Coupon.objects.bulk_create(
        [
            Coupon(
                code=code,
                promotion_id=batch.promotion_id,
                batch=batch,
                most_uses=1,
                starts_at=term.starts_at,
                ends_at=term.ends_at,
            )
            for code in sorted(codes)
        ],
        batch_size=5_000,
    )


def _refuse_bad(term: Term) -> None:
    if term.starts_at and term.ends_at and term.ends_at <= term.starts_at:
        raise NotACoupon(say("The coupons would end before they start."))


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
    _refuse_bad(term)
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
