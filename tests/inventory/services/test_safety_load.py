"""Two hundred thousand levels are refreshed within half a minute, and previewed before people lose patience."""

import resource
import time
from decimal import Decimal

import pytest
from django.db import connection

from inventory.models import SafetyChange, SafetyRule, Sku, StockLevel
from inventory.queries import safety as looks
from inventory.services import safety, verification
from tests import small_company as company
from tests.small_company import NOON

SKUS, NODES, RULES = 5_000, 40, 500
LEVELS = SKUS * NODES
MOVEMENTS = 1_000_000
REFRESH_SECONDS, PREVIEW_SECONDS, MEGABYTES = 30, 15, 200


@pytest.fixture
def big(db):
    """Levels of every SKU at every node, four weeks of movements, and rules of every width."""
    category = company.sku("CUP").category_id
    nodes = [company.node(f"N{n}").pk for n in range(NODES)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_sku (code, name, name_en, kind, category_id, brand, barcode, list_price, unit_cost,"
            " weight_g, is_active) SELECT 'S' || n, 'S', '', 'single', %s, '', '', 1, 1, 1, true"
            " FROM generate_series(1, %s) AS n",
            [category, SKUS - 1],
        )
        cursor.execute(
            "INSERT INTO inventory_stocklevel (sku_id, node_id, on_hand, reserved, safety_stock)"
            " SELECT sku.id, node, 40 + sku.id %% 60, 0, 0 FROM inventory_sku AS sku, unnest(%s::bigint[]) AS node",
            [nodes],
        )
        cursor.execute(
            "INSERT INTO inventory_stockmovement (key, sku_id, node_id, kind, quantity, reference, reason, actor,"
            " moved_at) SELECT 'm' || n, %s + n %% %s, (%s::bigint[])[1 + n / %s %% %s], 'shipment', -1 - n %% 3, '',"
            " '', 'job:test', %s::timestamptz - (n %% 30) * interval '1 day' FROM generate_series(1, %s) AS n",
            [Sku.objects.order_by("pk").first().pk, SKUS, nodes, SKUS, NODES, NOON, MOVEMENTS],
        )
        cursor.execute("ANALYZE")
    live = {"status": "live", "created_at": NOON, "published_at": NOON}
    skus = Sku.objects.order_by("pk").values_list("pk", flat=True)[:RULES]
    rules = [SafetyRule(name="SKU", kind="fixed", amount=Decimal(3), sku_id=pk, **live) for pk in skus]
    rules.append(SafetyRule(name="Node", kind="percent", amount=Decimal(10), node_id=nodes[0], **live))
    rules.append(SafetyRule(name="All", kind="days", amount=Decimal("1.5"), **live))
    SafetyRule.objects.bulk_create(rules)
    return SafetyRule.objects.get(name="All")


def timed(deed):
    started = time.perf_counter()
    result = deed()
    return result, time.perf_counter() - started


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.load
def test_two_hundred_thousand_levels_are_refreshed_within_half_a_minute(big, capsys):
    before = peak_megabytes()
    changed, first = timed(lambda: safety.refresh(at=NOON))
    again, second = timed(lambda: safety.refresh(at=NOON))
    effect, preview = timed(lambda: looks.effect(big, at=NOON))
    found, verify = timed(lambda: verification.safety_stock(at=NOON))
    more = peak_megabytes() - before
    with capsys.disabled():
        print(  # noqa: T201
            f"\nlevels: {LEVELS}\nchanged: {changed}\nrefresh_seconds: {first:.1f}\nrefresh_again_seconds: {second:.1f}"
            f"\npreview_seconds: {preview:.1f}\nverify_seconds: {verify:.1f}\nmemory_mb: {more:.0f}"
        )
    assert StockLevel.objects.count() == effect.levels == LEVELS
    assert changed == SafetyChange.objects.count() == StockLevel.objects.filter(safety_stock__gt=0).count() > 150_000
    assert (again, effect.late, found) == (0, 0, [])
    assert max(first, second) < REFRESH_SECONDS
    assert preview < PREVIEW_SECONDS
    assert more < MEGABYTES
