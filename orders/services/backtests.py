"""Trying a version of a promotion on past orders: asked for by a person, worked off by a job, read by approvers."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db import connection
from django.utils import timezone

from audit.rules.actors import Actor
from audit.rules.governance import digest
from audit.rules.sentences import Sentence, say
from inventory.models import Node, Sku
from inventory.queries import promise
from orders.models import Backtest, Order
from orders.services import replay
from orders.services.replay import Comparison, Trial
from orders.statuses import BacktestStatus
from promotions.models import PromotionVersion
from promotions.rules import rule as rules
from promotions.rules.rule import PublishedRule
from promotions.services import effects, quotes
from promotions.services.effects import Effect

logger = logging.getLogger(__name__)
MOST_ORDERS: Final = 500_000
MOST_DAYS: Final = 400
TEN: Final = 10
MOST_RECENT: Final = 500  # orders among which ten are chosen to try a rule on
MOST_HIT: Final = 7  # of the ten, when there are enough others
MOST_LOOKED_AT: Final = 20  # back-tests of one version, the newest
OPEN: Final = (BacktestStatus.WAITING, BacktestStatus.RUNNING)
AGAIN: Final = (BacktestStatus.FAILED, BacktestStatus.STOPPED)


class NotTried(Exception):
    """A back-test that cannot be made as asked."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


def ask(version: PromotionVersion, *, days: int = 30, actor: Actor, at: datetime) -> Backtest:
    """Ask for a back-test of a version on the orders of the last so many days. Raises ``NotTried``."""
    if not 0 < days <= MOST_DAYS:
        raise NotTried(say("Choose between 1 and %(most)s days.", most=MOST_DAYS))
    _refuse_second(version.promotion.code, version.number)
    return Backtest.objects.create(
        promotion_code=version.promotion.code,
        version_number=version.number,
        starts_at=at - timedelta(days=days),
        ends_at=at,
        asked_by=actor.label[:80],
        asked_at=at,
    )


def again(backtest_id: int, *, actor: Actor, at: datetime) -> Backtest:
    """Let a back-test that failed or was stopped begin again, on the same days. Raises ``NotTried`` for any other."""
    backtest = Backtest.objects.get(pk=backtest_id)
    if backtest.status in AGAIN:
        _refuse_second(backtest.promotion_code, backtest.version_number)
    begun = Backtest.objects.filter(pk=backtest_id, status__in=AGAIN).update(
        status=BacktestStatus.WAITING, orders_done=0, why={}, asked_by=actor.label[:80], asked_at=at, finished_at=None
    )
    if not begun:
        raise NotTried(say("Only one that failed or was stopped can be tried again."))
    backtest.refresh_from_db()
    return backtest


def stop(backtest_id: int, *, at: datetime) -> bool:
    """Stop a back-test that waits or runs; returns whether there was one."""
    open_ones = Backtest.objects.filter(pk=backtest_id, status__in=OPEN)
    return bool(open_ones.update(status=BacktestStatus.STOPPED, finished_at=at))


def run_waiting(*, at: Callable[[], datetime] = timezone.now) -> int:
    """Work off the back-tests that wait, the oldest first; returns how many were begun. One worker at a time.

    One that breaks is marked as failed with the reason, and the next one is tried.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('orders.backtests'))")
        if not cursor.fetchone()[0]:
            return 0
        try:  # whoever has the lock is alone: what runs without it was left by a worker that died
            Backtest.objects.filter(status=BacktestStatus.RUNNING).update(status=BacktestStatus.WAITING)
            done = 0
            while (
                backtest := Backtest.objects.filter(status=BacktestStatus.WAITING).order_by("pk").first()
            ) is not None:
                _run_or_fail(backtest, at)
                done += 1
            return done
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('orders.backtests'))")


def try_on(version: PromotionVersion, *, order_numbers: Sequence[str] = ()) -> Comparison:
    """Try a version on chosen orders, or on the ten newest, at once. Raises ``msgspec.ValidationError`` for no rule."""
    return try_rule(rules.from_json(version.body), version.promotion.code, order_numbers=order_numbers)


def try_rule(rule: rules.Rule, code: str, *, number: int = 0, order_numbers: Sequence[str] = ()) -> Comparison:
    """Try a rule that is not stored yet, under a promotion's code, on at most ten orders."""
    orders = Order.objects.order_by("-placed_at", "-pk")
    chosen = orders.filter(number__in=list(order_numbers)[:TEN]) if order_numbers else orders
    trial = trial_of(PublishedRule(code, number, rule))
    comparison = Comparison(keeps_all=True)
    for baskets, coupon_of in replay.pages(list(chosen.values_list("pk", flat=True)[:TEN]), trial.known):
        for basket in baskets:
            trial.add(comparison, basket, coupon_of)
    return comparison


def try_recent(rule: rules.Rule, code: str) -> list[dict[str, Any]]:
    """Try a rule that is not stored yet on ten of the newest orders; those that it would change come first.

    Returns what ``Comparison.examples`` holds of each. Beside orders that it changes there are some that it does not,
    as far as there are any: why not is as good to know.
    """
    orders = Order.objects.filter(cancelled_at__isnull=True).order_by("-placed_at", "-pk")
    ids = list(orders.values_list("pk", flat=True)[:MOST_RECENT])
    trial = trial_of(PublishedRule(code, 0, rule))
    hit: list[tuple[datetime, dict[str, Any]]] = []
    missed: list[tuple[datetime, dict[str, Any]]] = []
    for baskets, coupon_of in replay.pages(ids, trial.known):
        for basket in baskets:
            one = Comparison(keeps_all=True)
            trial.add(one, basket, coupon_of)
            placed = basket.placed_at or datetime.min.replace(tzinfo=UTC)
            (hit if one.within.hit else missed).append((placed, one.examples[0]))
    wanted = max(MOST_HIT, TEN - len(missed))
    chosen = [*_newest(hit, wanted), *_newest(missed, TEN)]
    return chosen[:TEN]


def _newest(found: Sequence[tuple[datetime, dict[str, Any]]], most: int) -> list[dict[str, Any]]:
    return [example for _placed, example in sorted(found, key=lambda pair: pair[0], reverse=True)[:most]]


def trial_of(published: PublishedRule) -> Trial:
    """Return the live rules beside the same with one rule in the place of its promotion's.

    The rule's own time does not count: one for next week would never have met an order of last week.
    """
    always = msgspec.structs.replace(published.rule, starts_at=None, ends_at=None)
    published = PublishedRule(published.code, published.number, always)
    live = quotes.live()
    changed = dict(sorted({**live.published, published.code: published}.items()))
    return Trial(published.code, live, quotes.book_of(changed, live.promotion_ids), replay.goods())


def effect(version: PromotionVersion) -> Effect:
    """Return what approvers read: the newest finished back-test of just what the version says, or that there is none.

    The settings name this function (``PROMOTION_EFFECT``), because promotions know no order.
    """
    rows = Backtest.objects.filter(promotion_code=version.promotion.code, version_number=version.number)
    newest = list(rows.order_by("-pk")[:MOST_LOOKED_AT])
    of_this = next((row for row in newest if row.result.get("digest") == digest(version.body)), None)
    if of_this is not None:
        return Effect(told(of_this), is_tried=True)
    if any(row.status in OPEN for row in newest):
        return Effect((say("It is being tried on past orders now."),), is_tried=False)
    if any(row.status == BacktestStatus.DONE for row in newest):
        changed = say("It has changed since it was tried on past orders. Try it again.")
        return Effect((changed,), is_tried=False)
    if newest and newest[0].status == BacktestStatus.FAILED:
        why = Sentence(newest[0].why["text"], newest[0].why["values"])
        return Effect((say("The trial on past orders failed: %(why)s", why=why),), is_tried=False)
    return Effect((say("It was not tried on past orders yet."),), is_tried=False)


def told(backtest: Backtest) -> list[Sentence]:
    """Return a finished back-test in sentences."""
    without, within = backtest.result["without"], backtest.result["with"]
    more = Decimal(within["discount"]) - Decimal(without["discount"])
    margin = Decimal(within["margin"]) - Decimal(without["margin"])
    sentences = [
        say(
            "Of %(orders)s orders from %(first)s to %(last)s it would have applied to %(hit)s.",
            orders=within["orders"],
            first=f"{timezone.localtime(backtest.starts_at):%Y-%m-%d}",
            last=f"{timezone.localtime(backtest.ends_at):%Y-%m-%d}",
            hit=within["hit"],
        ),
        say("It would have taken %(more)s more off; the margin would have changed by %(margin)s.",
            more=f"{more:,.2f}", margin=f"{margin:+,.2f}"),
    ]  # fmt: skip
    for sku, (needed, there) in backtest.result["gift_stock"].items():
        words = {"units": needed, "sku": sku, "there": there}
        sentences.append(say("It would have given %(units)s × %(sku)s; %(there)s can be promised now.", **words))
    return sentences


def _refuse_second(code: str, number: int) -> None:
    if Backtest.objects.filter(promotion_code=code, version_number=number, status__in=OPEN).exists():
        raise NotTried(say("This version is being tried already."))


def _run_or_fail(backtest: Backtest, at: Callable[[], datetime]) -> None:
    try:
        _run(backtest, at)
    except Exception as trouble:
        logger.exception("back-test %s failed", backtest.pk)
        failed = Backtest.objects.filter(pk=backtest.pk, status__in=OPEN)
        failed.update(status=BacktestStatus.FAILED, why=_why(trouble), finished_at=at())


def _why(trouble: Exception) -> Sentence:
    if isinstance(trouble, msgspec.ValidationError):
        return say("The rule cannot be read: %(why)s", why=str(trouble)[:300])
    if isinstance(trouble, PromotionVersion.DoesNotExist):
        return say("This version is not there any more.")
    error = f"{type(trouble).__name__}: {trouble}"[:300]
    return say("It broke off: %(error)s. Try it again.", error=error)


def _run(backtest: Backtest, at: Callable[[], datetime]) -> None:
    """Replay the orders page by page; each page says how far it is and asks whether somebody stopped it."""
    version = PromotionVersion.objects.select_related("promotion").get(
        promotion__code=backtest.promotion_code, number=backtest.version_number
    )
    trial = trial_of(_published(version))
    ids = _order_ids(backtest)
    Backtest.objects.filter(pk=backtest.pk, status=BacktestStatus.WAITING).update(
        status=BacktestStatus.RUNNING, orders_total=len(ids), orders_done=0
    )
    comparison, done = Comparison(), 0
    for baskets, coupon_of in replay.pages(ids, trial.known):
        for basket in baskets:
            trial.add(comparison, basket, coupon_of)
        done += len(baskets)
        if not _still_wanted(backtest).update(orders_done=done):
            return
    result = comparison.stored() | {"gift_stock": _gift_stock(comparison, at()), "digest": digest(version.body)}
    if _still_wanted(backtest).update(status=BacktestStatus.DONE, result=result, finished_at=at()):
        effects.tell_approvers(version)


def _still_wanted(backtest: Backtest) -> Any:
    return Backtest.objects.filter(pk=backtest.pk, status=BacktestStatus.RUNNING)


def _published(version: PromotionVersion) -> PublishedRule:
    return PublishedRule(version.promotion.code, version.number, rules.from_json(version.body))


def _order_ids(backtest: Backtest) -> list[int]:
    orders = Order.objects.filter(placed_at__gte=backtest.starts_at, placed_at__lt=backtest.ends_at)
    return list(orders.filter(cancelled_at__isnull=True).order_by("pk").values_list("pk", flat=True)[:MOST_ORDERS])


def _gift_stock(comparison: Comparison, at: datetime) -> Mapping[str, list[int]]:
    """Return for each gift how many units the version needs beyond what is given anyway, and how many there are."""
    needed = {
        sku: units - comparison.without.gifts.get(sku, 0)
        for sku, units in comparison.within.gifts.items()
        if units > comparison.without.gifts.get(sku, 0)
    }
    if not needed:
        return {}
    ids = dict(Sku.objects.filter(code__in=needed).values_list("code", "pk"))
    nodes = list(Node.objects.filter(is_active=True).values_list("pk", flat=True))
    there = promise.availability(set(ids.values()), nodes, on_date=timezone.localdate(at))
    return {sku: [units, there[ids[sku]].total if sku in ids else 0] for sku, units in sorted(needed.items())}
