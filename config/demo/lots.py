"""Goods of the company that have a date: begun with lots and labelled by a stock file, by the verbs that people use."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.rules.actors import Actor
from audit.services import trail
from config.demo.catalogue import DemoSku
from inventory.models import Category, RemainingLife, Sku, StockLevel
from inventory.services import expiring, lot_repair, stock_import
from inventory.statuses import NodeKind
from orders.queries import parcel_channels

ACTOR = Actor("job", "demo")
REASON = "the demo company"
LABELLED = timedelta(days=2)  # before the end of the past
FILE_NAME = "批次建档 first lots.csv"
HEADER = ("sku", "node", "on_hand", "lot", "expires")

# The families whose best-selling variant has lots: how many days after the end of the past each lot expires.
PERISHABLES: Mapping[str, tuple[int, ...]] = {
    "Egg-yolk pastries, six": (-2, 10, 33),
    "Duck neck": (24, 75),
    "Butter cookies": (45, 210),
    "Oat milk, six": (60, 150),
    "Hyaluronic serum": (240, 700, 1000),
    "Sunscreen lotion": (200, 900),
}
# How many days goods must still keep: channel, category, days.
LIVES = (("TM", "snacks", 30), ("JD", "", 15), ("", "beauty", 180))


@transaction.atomic
def lay(skus: Sequence[DemoSku], *, until: datetime) -> None:
    """Let the perishables have lots, label what is free of them, and hold back what is past its date today."""
    at = until - LABELLED
    _ask_for_lives()
    lots = {sku.pk: days for sku, days in _perishables(skus)}
    for sku_id in lots:
        lot_repair.start(sku_id, reason=REASON, actor=ACTOR, at=at)
    rows = [HEADER, *_rows(lots, timezone.localdate(until))]
    stock_import.take_in(iter(rows), file_name=FILE_NAME, actor=ACTOR, at=at)
    expiring.expire(channels_of=parcel_channels.channels_of, at=until)


def _ask_for_lives() -> None:
    categories = dict(Category.objects.values_list("code", "pk"))
    for channel, category, days in LIVES:
        rule = RemainingLife(channel=channel, category_id=categories.get(category), days=days)
        trail.because(rule, actor=ACTOR, reason=REASON).save()


def _perishables(skus: Sequence[DemoSku]) -> Iterator[tuple[Sku, tuple[int, ...]]]:
    """Yield the best-selling variant of each perishable family, with the days of its lots."""
    chosen = {}
    for family, days in PERISHABLES.items():
        variants = [sku for sku in skus if sku.kind == "single" and family in sku.name_en]
        chosen[max(variants, key=lambda sku: (sku.popularity, sku.code)).code] = days
    for sku in Sku.objects.filter(code__in=chosen).order_by("pk"):
        yield sku, chosen[sku.code]


def _rows(lots: Mapping[int, tuple[int, ...]], today: date) -> Iterator[tuple[str, ...]]:
    """Yield a file's rows: what is promised stays unlabelled; older lots lie only where goods come in."""
    levels = StockLevel.objects.filter(sku__in=lots, on_hand__gt=0).order_by("sku", "node")
    kept = F("reserved") + F("quality_hold")
    for sku_id, sku, node, kind, on_hand, promised in levels.annotate(kept=kept).values_list(
        "sku", "sku__code", "node__code", "node__kind", "on_hand", "kept"
    ):
        days = lots[sku_id] if kind == NodeKind.CENTRAL_DC else lots[sku_id][-1:]
        yield sku, node, str(promised), "", ""
        for expires_date, units in _split(on_hand - promised, [today + timedelta(days=left) for left in days]):
            yield sku, node, str(units), f"{sku}-{expires_date:%y%m%d}", f"{expires_date:%Y-%m-%d}"


def _split(units: int, dates: Sequence[date]) -> Iterator[tuple[date, int]]:
    """Share units out evenly, the rest to the lot that keeps longest; lots without units are left out."""
    each = units // len(dates)
    for place, expires_date in enumerate(dates, start=1):
        share = each if place < len(dates) else units - each * (len(dates) - 1)
        if share:
            yield expires_date, share
