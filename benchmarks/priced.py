"""Orders through the whole pipeline with fifty live rules of every kind, beside the same orders without a rule."""

import time
from dataclasses import dataclass
from statistics import median
from typing import Final

import msgspec
from django.contrib.auth.models import User
from django.db.models import F

from audit.services.versions import Text
from audit.statuses import VersionStatus
from benchmarks import company, intake, live_rules
from benchmarks.figures import Figures, at_most
from benchmarks.machine import Database, Worker, empty_tables, settle
from benchmarks.options import Options
from channels.models import Channel
from inventory.models import Category, Sku, StockLevel
from orders.models import Order, OrderLine, OrderPricing
from promotions.models import Allowance, Promotion, PromotionVersion, Redemption
from promotions.rules import rule as rules
from promotions.rules.rewards import BuyGet, Gift, Item
from promotions.rules.rule import Limits, PublishedRule

SOLD_MOST: Final = 200  # SKUs that the rules are about
USES: Final = 1_000_000  # of every third rule, so that limits are counted and never reached


@dataclass(frozen=True)
class Cost:
    """What one draining of the inbox took."""

    rate: float  # orders per second
    cpu_ms: float  # of worker and database together, per order


def run(figures: Figures, options: Options, database: Database) -> None:
    """Drain the same inbox without rules and with them, in turn, and show the medians."""
    figures.heading(f"priced: {options.orders} orders of {company.LINES} lines, 50 live rules of twelve kinds")
    empty_tables()
    shop = company.load()
    Channel.objects.update(is_priced_here=True)
    inbox = intake.Inbox(shop, company.pages(shop, options.orders + intake.WARM_UP))
    pairs = [(_drained(inbox, database), _drained(inbox, database, live=_rules())) for _ in range(options.rounds)]
    figures.show("rounds", len(pairs))
    figures.show("unruled_orders_per_s", median(without.rate for without, _with in pairs))
    figures.show("priced_orders_per_s", median(within.rate for _without, within in pairs))
    figures.show("unruled_cpu_ms_per_order", median(without.cpu_ms for without, _with in pairs))
    figures.show("priced_cpu_ms_per_order", median(within.cpu_ms for _without, within in pairs))
    ratio = median(within.cpu_ms / without.cpu_ms for without, within in pairs)
    figures.show("priced_to_unruled_cpu", ratio, at_most(2))
    orders = Order.objects.count()
    figures.show("orders_lost", inbox.messages - orders, at_most(0))
    figures.show("orders_without_a_pricing", orders - OrderPricing.objects.values("order").distinct().count())
    figures.show("orders_with_a_promotion", Redemption.objects.values("reference").distinct().count())
    figures.show("redemptions_per_order", Redemption.objects.count() / orders)
    figures.show("gift_lines", OrderLine.objects.exclude(promotion_code="").count())
    figures.show("oversold_levels", StockLevel.objects.filter(reserved__gt=F("on_hand")).count(), at_most(0))


def _drained(inbox: intake.Inbox, database: Database, live: list[PublishedRule] | None = None) -> Cost:
    empty_tables(keeping=company.TABLES)
    company.forget_promises()
    inbox.store()
    for published in live or ():
        _publish(published)
    settle()
    worker = Worker("intake", "prepare_drain", str(intake.WARM_UP))
    try:
        cpu, began = database.cpu_seconds(), time.perf_counter()
        worker.go()
        told = worker.result()
        seconds, database_cpu = time.perf_counter() - began, database.cpu_seconds() - cpu
    finally:
        worker.close()
    orders = told["result"]
    return Cost(orders / seconds, (told["cpu_seconds"] + database_cpu) * 1000 / orders)


def _rules() -> list[PublishedRule]:
    """Return the rules for what sells most, with gifts that are there; every third one is limited."""
    sold = list(Sku.objects.exclude(kind="gift").order_by("pk").values_list("code", flat=True)[:SOLD_MOST])
    categories = list(Category.objects.order_by("code").values_list("code", flat=True))
    there = StockLevel.objects.filter(on_hand__gte=100).order_by("sku_id").values_list("sku__code", flat=True)
    gifts = list(dict.fromkeys(there))[-2:]
    return [
        _with_gifts(published, gifts, is_limited=number % 3 == 0)
        for number, published in enumerate(live_rules.of_each_kind(categories, sold))
    ]


def _with_gifts(published: PublishedRule, gifts: list[str], *, is_limited: bool) -> PublishedRule:
    rule = published.rule
    if isinstance(rule.reward, Gift | BuyGet):
        items = tuple(Item(sku) for sku, _item in zip(gifts, rule.reward.items, strict=False))
        rule = msgspec.structs.replace(rule, reward=msgspec.structs.replace(rule.reward, items=items))
    limits = Limits(most_uses=USES, most_uses_of_a_buyer=USES) if is_limited else Limits()
    return PublishedRule(published.code, 1, msgspec.structs.replace(rule, limits=limits))


def _publish(published: PublishedRule) -> None:
    author, _is_new = User.objects.get_or_create(username="bench")
    text = Text(rules.to_json(published.rule))
    promotion = Promotion.objects.create(code=published.code, name=published.code, created_at=company.NOW)
    PromotionVersion.objects.create(
        promotion=promotion, number=1, status=VersionStatus.LIVE, body=text.body, digest=text.digest, author=author,
        drafted_at=company.NOW,
    )  # fmt: skip
    Allowance.objects.create(promotion=promotion, most_uses=published.rule.limits.most_uses)
