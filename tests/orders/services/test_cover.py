"""What units are worth where they lie, from orders and stock."""

import time
from datetime import timedelta

import pytest
from django.db import connection

from inventory.models import StockPosition
from orders.models import Order
from orders.services import cover
from tests import small_company as company
from tests.orders.services.scenes import address
from tests.small_company import NOON

LATER = NOON + timedelta(hours=1)


def known():
    rows = StockPosition.objects.order_by("sku__code", "node__code")
    return {(row.sku.code, row.node.code): row for row in rows.select_related("sku", "node")}


def test_what_a_region_wants_and_has(hub):
    hub.take(company.order_message("1", {"CUP": 3}), company.order_message("2", {"CUP": 4}))
    assert cover.refresh(at=LATER) == 2
    near, far = known()["CUP", "SH"], known()["CUP", "WH"]
    assert (near.daily_demand, near.days_of_cover, near.is_markdown) == (0.25, 12.0, False)
    assert (far.daily_demand, far.days_of_cover, far.is_markdown, far.shadow_price) == (0.0, None, True, 0)
    assert near.shadow_price > 0
    assert (near.source, near.computed_at) == ("cover", LATER)


def test_two_nodes_of_a_region_are_one_stock(hub):
    store = company.node("SH2")
    company.stock(hub.cup, store, 20)
    hub.take(company.order_message("1", {"CUP": 2}))
    cover.refresh(at=LATER)
    assert {code: row.days_of_cover for (_sku, code), row in known().items() if code != "WH"} == {
        "SH": 392.0, "SH2": 392.0,
    }  # fmt: skip


def test_bundles_count_as_their_parts(hub):
    company.sku("SET", parts={hub.cup: 2, hub.lid: 1})
    hub.take(company.order_message("1", {"SET": 2}))
    cover.refresh(at=LATER)
    assert {key: round(row.daily_demand * 28) for key, row in known().items()} == {
        ("CUP", "SH"): 4, ("CUP", "WH"): 0, ("LID", "SH"): 2,
    }  # fmt: skip


def test_cancelled_and_old_orders_say_nothing(hub):
    hub.take(company.order_message("1", {"CUP": 3}), company.order_message("2", {"LID": 1}))
    Order.objects.filter(external_id="1").update(cancelled_at=NOON)
    Order.objects.filter(external_id="2").update(placed_at=NOON - timedelta(days=29))
    assert (cover.refresh(at=LATER), known()) == (0, {})


def test_what_is_not_known_any_more_is_forgotten_and_a_forecast_is_left_alone(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    StockPosition.objects.create(sku=hub.lid, node=hub.near, source="forecast", shadow_price=2, computed_at=NOON)
    cover.refresh(at=LATER)
    Order.objects.update(placed_at=NOON - timedelta(days=29))
    cover.refresh(at=LATER + timedelta(hours=1))
    assert list(known()) == [("LID", "SH")]


def test_running_twice_changes_nothing_but_the_time(hub):
    hub.take(company.order_message("1", {"CUP": 3}, address=address("湖北省", "武汉市")))
    cover.refresh(at=LATER)
    first = list(StockPosition.objects.order_by("pk").values_list("sku", "node", "shadow_price", "daily_demand"))
    cover.refresh(at=LATER)
    assert first == list(
        StockPosition.objects.order_by("pk").values_list("sku", "node", "shadow_price", "daily_demand")
    )


@pytest.mark.load
def test_two_hundred_thousand_levels_take_seconds(hub):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_sku (code, name, name_en, kind, category_id, brand, barcode, list_price, unit_cost,"
            " weight_g, tracks_lots, is_active)"
            " SELECT 'L' || n, 'L', '', 'single', %s, '', '', 20, 10, 500, false, true"
            " FROM generate_series(1, 10000) AS n",
            [hub.cup.category_id],
        )
        cursor.execute(
            "INSERT INTO inventory_node (code, name, name_en, kind, region, city, serves, parcels_per_day, is_active)"
            " SELECT 'N' || n, 'N', '', 'store', (ARRAY['31','42','44','11','51'])[1 + n % 5], '', '{}', 100, true"
            " FROM generate_series(1, 20) AS n"
        )
        cursor.execute(
            "INSERT INTO inventory_stocklevel (sku_id, node_id, on_hand, reserved, safety_stock)"
            " SELECT sku.id, node.id, 1 + (sku.id + node.id) % 40, 0, 0 FROM inventory_sku sku, inventory_node node"
            " WHERE sku.code ~ '^L[0-9]' AND node.code LIKE 'N%'"
        )
        cursor.execute(
            "INSERT INTO orders_order (number, channel_id, external_id, revision, address_revision, note_revision,"
            " status, money_state, goods_state, open_holds, currency, goods_amount, discount_amount, shipping_amount,"
            " total_amount, paid_amount, country, region, city, district, recipient_name, recipient_phone,"
            " recipient_address, recipient_token, buyer_note, seller_note, placed_at, received_at, cancel_reason)"
            " SELECT 'X' || n, %s, 'X' || n, 0, 0, 0, 'delivered', 'paid', 'delivered', 0, 'CNY', 0, 0, 0, 0, 0, 'CN',"
            " (ARRAY['31','42','44','11','51'])[1 + n %% 5], '', '', '', '', '', '', '', '', %s, %s, ''"
            " FROM generate_series(1, 20000) AS n",
            [hub.channel.pk, NOON, NOON],
        )
        cursor.execute(
            "INSERT INTO orders_orderline (order_id, line_number, external_id, external_sku, sku_id, title, quantity,"
            " quantity_allocated, quantity_shipped, unit_price, discount_amount, net_amount, is_gift, is_cancelled)"
            " SELECT orders.id, 1, '1', '', sku.id, '', 2, 0, 0, 1, 0, 2, false, false FROM orders_order orders"
            " JOIN inventory_sku sku ON sku.code = 'L' || (1 + orders.id % 10000) WHERE orders.number LIKE 'X%'"
        )
    began = time.perf_counter()
    count = cover.refresh(at=LATER)
    seconds = time.perf_counter() - began
    print(f"{count} positions in {seconds:.1f} s")  # noqa: T201  # the figure of a load test
    assert count == 200_000
    with connection.cursor() as cursor:  # these levels have no ledger
        cursor.execute(
            "DELETE FROM inventory_stocklevel AS level USING inventory_sku AS sku"
            " WHERE level.sku_id = sku.id AND sku.code ~ '^L[0-9]'"
        )
