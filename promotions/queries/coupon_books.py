"""How many coupons of batches are made, taken, used, stopped and left: two queries for any number of batches."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, Sum

from promotions.models import Coupon, CouponBatch, PromotionVersion, Redemption
from promotions.rules import rule as rules
from promotions.statuses import RedemptionStatus

HEADS: Final = ("code", "from", "until", "state")
MARK: Final = "\ufeff"  # a spreadsheet then reads the file as UTF-8
ROWS_A_PIECE: Final = 2_000


@dataclass(frozen=True)
class Counts:
    """Where the coupons of a batch stand. ``taken`` are those that orders hold, ``redeemed`` the paid part of them."""

    wanted: int
    made: int = 0
    taken: int = 0
    redeemed: int = 0
    stopped: int = 0  # and not taken

    @property
    def reserved(self) -> int:
        """Return how many are held by orders that are not paid yet."""
        return max(0, self.taken - self.redeemed)

    @property
    def left(self) -> int:
        """Return how many can still be taken."""
        return max(0, self.made - self.taken - self.stopped)

    @property
    def is_complete(self) -> bool:
        """Return whether all codes are made."""
        return self.made >= self.wanted


def counts(batches: Iterable[CouponBatch]) -> dict[int, Counts]:
    """Return the counts of these batches, by batch."""
    sizes = {batch.pk: batch.size for batch in batches}
    rows = Coupon.objects.filter(batch__in=sizes).values("batch_id").annotate(
        made=Count("pk"), taken_=Sum("taken"), stopped=Count("pk", filter=Q(is_active=False, taken=0))
    )  # fmt: skip
    used = Redemption.objects.filter(status=RedemptionStatus.COMMITTED, coupon__batch__in=sizes)
    redeemed = dict(used.values("coupon__batch_id").annotate(n=Count("pk")).values_list("coupon__batch_id", "n"))
    found = {
        row["batch_id"]: Counts(
            sizes[row["batch_id"]], row["made"], row["taken_"], redeemed.get(row["batch_id"], 0), row["stopped"]
        )
        for row in rows
    }
    return {key: found.get(key, Counts(size)) for key, size in sizes.items()}


def redeemed(coupon_ids: Iterable[int]) -> dict[int, int]:
    """Return how often each of these coupons was used by an order that is paid."""
    used = Redemption.objects.filter(status=RedemptionStatus.COMMITTED, coupon__in=list(coupon_ids))
    return dict(used.values("coupon_id").annotate(n=Count("pk")).values_list("coupon_id", "n"))


def promotion_ids_with_coupons(*, most: int) -> list[int]:
    """Return the promotions of which a version, in force or being prepared, asks for a coupon; newest first."""
    versions = PromotionVersion.objects.filter(body__needs_coupon=True).exclude(status="retired")
    found = versions.order_by("-promotion_id").values_list("promotion_id", flat=True).distinct()
    return list(found[:most])


def most_of_a_buyer(promotion_id: int) -> int | None:
    """Return how often one buyer may use a promotion, as its newest version says; empty: no limit."""
    versions = PromotionVersion.objects.filter(promotion=promotion_id).exclude(status="retired")
    newest = versions.order_by("-number").first()
    return None if newest is None else rules.from_json(newest.body).limits.most_uses_of_a_buyer


def as_csv(batch: CouponBatch) -> Iterator[bytes]:
    """Yield a batch's codes as a CSV file, piece by piece, by the order in which they were made.

    A cell that a spreadsheet would work out is written as text.
    """
    yield (MARK + _line(HEADS)).encode()
    last = 0
    while True:  # page by page, so that a slow reader keeps no query open
        page = list(batch.coupons.filter(pk__gt=last).order_by("pk")[:ROWS_A_PIECE])
        if not page:
            return
        yield "".join(_line(_cells(coupon)) for coupon in page).encode()
        last = page[-1].pk


def _cells(coupon: Coupon) -> tuple[str, ...]:
    state = "taken" if coupon.taken else "free" if coupon.is_active else "stopped"
    first = coupon.starts_at.isoformat() if coupon.starts_at else ""
    return coupon.code, first, coupon.ends_at.isoformat() if coupon.ends_at else "", state


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow([_safe(cell) for cell in cells])
    return text.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
