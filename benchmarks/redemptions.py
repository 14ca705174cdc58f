"""500 parallel redemptions of a coupon limited to 100, and of a budget worth 100 orders: exactly 100."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

from django.db import connection
from django.utils import timezone

from benchmarks.figures import Bar, Figures, at_most
from benchmarks.machine import Database, empty_tables
from benchmarks.options import Options
from promotions.models import Allowance, Coupon, Promotion, Redemption
from promotions.services import limits
from promotions.services.limits import Taking

THREADS, CALLS, PER_CALL, MOST = 10, 10, 5, 100
AMOUNT = Decimal("8.00")


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Race for the coupon, then for the budget."""
    figures.heading(f"redemptions: {THREADS * CALLS * PER_CALL} on {THREADS} connections, {MOST} of them possible")
    for name in ("coupon", "budget"):
        empty_tables()
        promotion = Promotion.objects.create(code="BENCH", name="BENCH", created_at=timezone.now())
        Allowance.objects.create(promotion=promotion, budget=AMOUNT * MOST if name == "budget" else None)
        most = MOST if name == "coupon" else None
        coupon = Coupon.objects.create(code="BENCH", promotion=promotion, most_uses=most)
        seconds, refused = _race(promotion.pk, coupon.pk)
        figures.show(f"{name}_redeemed", Redemption.objects.count(), Bar(MOST))
        figures.show(f"{name}_redeemed_too_often", max(0, Redemption.objects.count() - MOST), at_most(0))
        figures.show(f"{name}_refused", refused)
        figures.show(f"{name}_counted", Coupon.objects.get().taken)
        figures.show(f"{name}_tries_per_second", THREADS * CALLS * PER_CALL / seconds)


def _race(promotion_id: int, coupon_id: int) -> tuple[float, int]:
    start = Barrier(THREADS + 1)

    def worker(thread: int) -> Callable[[], int]:
        def redeem() -> int:
            try:
                connection.ensure_connection()
                start.wait(60)
                return sum(len(limits.take(_wanted(thread, call), at=timezone.now())) for call in range(CALLS))
            finally:
                connection.close()

        return redeem

    def _wanted(thread: int, call: int) -> list[Taking]:
        return [
            Taking(f"BENCH-{thread}-{call}-{place}", "BENCH", promotion_id, 1, AMOUNT, coupon_id=coupon_id)
            for place in range(PER_CALL)
        ]

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(worker(thread)) for thread in range(THREADS)]
        start.wait(60)
        began = time.perf_counter()
        refused = sum(future.result() for future in running)
        return time.perf_counter() - began, refused
