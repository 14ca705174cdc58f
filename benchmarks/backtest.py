"""A version of a promotion tried on 100,000 stored orders, with and without it, beside 20 live rules."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from audit.rules.actors import Actor
from audit.services.versions import Text
from benchmarks.figures import Figures, at_least, at_most
from benchmarks.machine import Database, empty_tables, settle
from benchmarks.options import Options
from orders.models import Backtest
from orders.services import backtests
from promotions.models import Promotion, PromotionVersion
from promotions.rules import rule as rules
from promotions.rules.conditions import All, Amount, Condition, ShipsTo
from promotions.rules.goods import Goods
from promotions.rules.rewards import ItemOff, SpendAndSave, Step
from promotions.rules.rule import Rule

ORDERS: Final = 100_000
LIVE: Final = 20
_FILL = f"""
INSERT INTO inventory_category (code, name, name_en) VALUES ('bench', 'bench', '');
INSERT INTO inventory_sku (code, name, name_en, kind, category_id, brand, barcode, list_price, unit_cost, weight_g,
                           is_active)
SELECT 'B' || n, 'B' || n, '', 'single', (SELECT id FROM inventory_category), '', '', 40, 25, 500, true
  FROM generate_series(1, 500) AS n;
INSERT INTO channels_channel (code, name, name_en, platform, adapter, currency, is_active, base_url, credentials,
                              options, unpaid_minutes, is_sandbox, fee_percent, calls_at_once, priority,
                              ship_within_hours, is_priced_here)
VALUES ('WEB', 'WEB', '', 'own', 'house', 'CNY', true, '', '', '{{}}', 30, false, 0, 2, 0, 48, true);
INSERT INTO orders_order (number, channel_id, external_id, revision, address_revision, note_revision, status,
                          money_state, goods_state, open_holds, currency, goods_amount, discount_amount,
                          shipping_amount, total_amount, paid_amount, country, region, city, district,
                          recipient_name, recipient_phone, recipient_address, recipient_token,
                          buyer_note, seller_note, placed_at, received_at, cancel_reason)
SELECT 'WEB-' || n, (SELECT id FROM channels_channel), n, 1, 1, 1, 'delivered', 'paid', 'delivered', 0, 'CNY',
       0, 0, 8, 0, 0, 'CN', (ARRAY['31', '44', '42', '11'])[1 + n % 4], '', '', '', '', '', '', '', '',
       now() - n * interval '20 seconds', now(), ''
  FROM generate_series(1, {ORDERS}) AS n;
INSERT INTO orders_orderline (order_id, line_number, external_id, external_sku, sku_id, title, quantity,
                              quantity_allocated, quantity_shipped, unit_price, discount_amount, net_amount, is_gift,
                              is_cancelled)
SELECT orders.id, step, step, '', (SELECT min(id) FROM inventory_sku) + (orders.id * 7 + step * 13) % 500, '',
       1 + (orders.id + step) % 3, 0, 0, 30 + (orders.id + step) % 90, 0, 0, false, false
  FROM orders_order AS orders CROSS JOIN generate_series(1, 3) AS step;
"""


def run(figures: Figures, _options: Options, _database: Database) -> None:
    """Fill the tables, publish the rules, try one version."""
    figures.heading(f"back-test: {ORDERS:,} orders of three lines, {LIVE} live rules")
    empty_tables()
    with connection.cursor() as cursor:
        cursor.execute(_FILL)
    settle()
    for number in range(LIVE):
        _version(f"LIVE{number}", _live_rule(number), status="live")
    trial = _version("TRIAL", Rule(reward=SpendAndSave((Step(Decimal(300), Decimal(30)),))), status="draft")
    backtests.ask(trial, days=30, actor=Actor("job", "benchmark"), at=timezone.now())
    began = time.perf_counter()
    backtests.run_waiting()
    seconds = time.perf_counter() - began
    done = Backtest.objects.get()
    figures.show("backtest_orders", done.orders_done, at_least(ORDERS))
    figures.show("backtest_seconds", seconds, at_most(60))
    figures.show("backtest_orders_per_second", done.orders_done / seconds)
    figures.show("backtest_orders_hit", done.result["with"]["hit"])


def _live_rule(number: int) -> Rule:
    """Return one of a mix: off single goods, off the whole of one region's orders."""
    if number % 2:
        return Rule(reward=ItemOff(Decimal(10), goods=Goods(skus=tuple(f"B{n}" for n in range(number, 500, 50)))))
    region: Condition = ShipsTo((("31", "44", "42", "11")[number % 4],))
    condition = All((region, Amount(at_least=Decimal(100 + number))))
    return Rule(reward=SpendAndSave((Step(Decimal(100), Decimal(number + 1)),)), condition=condition, group="order")


def _version(code: str, rule: Rule, *, status: str) -> PromotionVersion:
    now = timezone.now() - timedelta(days=60)
    author, _is_new = User.objects.get_or_create(username="bench")
    text = Text(rules.to_json(rule))
    promotion = Promotion.objects.create(code=code, name=code, created_at=now)
    return PromotionVersion.objects.create(
        promotion=promotion, number=1, status=status, body=text.body, digest=text.digest, author=author, drafted_at=now
    )
