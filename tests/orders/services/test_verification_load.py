"""A million movements are verified within a minute."""

import time

import pytest
from django.db import connection

from inventory.statuses import DifferenceCheck
from orders.services import verification
from tests import small_company as company
from tests.small_company import NOON

MOVEMENTS = 1_000_000
SKUS = 20_000
SECONDS = 60


@pytest.mark.load
@pytest.mark.django_db
def test_a_million_movements_are_verified_within_a_minute(capsys):
    node, first = company.node("SH"), company.sku("CUP")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_sku (code, name, name_en, kind, category_id, brand, barcode, list_price, unit_cost,"
            " weight_g, is_active) SELECT 'S' || n, 'S', '', 'single', %s, '', '', 1, 1, 1, true"
            " FROM generate_series(1, %s) AS n RETURNING id",
            [first.category_id, SKUS],
        )
        lowest = min(row[0] for row in cursor.fetchall())
        cursor.execute(
            "INSERT INTO inventory_stockmovement (key, sku_id, node_id, kind, quantity, reference, reason, actor,"
            " moved_at) SELECT 'm' || n, %s + n %% %s, %s, 'receipt', 1 + n %% 3, '', '', 'job:test', %s"
            " FROM generate_series(1, %s) AS n",
            [lowest, SKUS, node.pk, NOON, MOVEMENTS],
        )
        cursor.execute(
            "INSERT INTO inventory_stocklevel (sku_id, node_id, on_hand, reserved, safety_stock)"
            " SELECT sku_id, node_id, sum(quantity) + CASE WHEN sku_id = %s THEN 1 ELSE 0 END, 0, 0"
            " FROM inventory_stockmovement GROUP BY sku_id, node_id",
            [lowest],
        )
    started = time.perf_counter()
    report = verification.verify(at=NOON)
    seconds = time.perf_counter() - started
    with capsys.disabled():
        print(f"\nmovements: {MOVEMENTS}\nverify_seconds: {seconds:.2f}")  # noqa: T201
    assert [len(report.found[check]) for check in DifferenceCheck] == [1, *[0] * (len(DifferenceCheck) - 1)]
    assert seconds < SECONDS
