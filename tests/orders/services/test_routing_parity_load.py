"""A day of five thousand orders, decided again a day later: every decision is what it was; and what-if runs read it."""

import random
import time
from datetime import date, timedelta

import psutil
import pytest

from audit.rules.actors import Actor
from orders.models import FreightTariff, Order, RoutingDecision, RoutingRun
from orders.rules.routing.policy import PRESETS
from orders.rules.routing.variants import Changes, Storm
from orders.services import pipeline, routing_records, whatif
from orders.services.whatif import Wanted
from tests import small_company as company
from tests.small_company import NOON

ORDERS, ROUNDS = 5_000, 50
PROVINCES = ("Shanghai", "Zhejiang", "Guangdong", "Beijing", "Sichuan", "Hubei", "Shandong", "Fujian")
NODES = (("SH", "31"), ("SH2", "31"), ("WH", "42"), ("WH2", "42"), ("GZ", "44"), ("GZ2", "44"))


def sell_a_day() -> None:
    """Let a day's orders come in rounds, over stock that runs out here and there."""
    dice = random.Random(20261123)
    channel = company.channel()
    skus = [company.sku(f"SKU{number}") for number in range(40)]
    for code, region in NODES:
        node = company.node(code, region, parcels_per_day=1_200)
        for sku in skus:
            company.stock(sku, node, dice.randint(1, 60))
    for carrier, price in (("SF", "9.00"), ("YTO", "5.00")):
        FreightTariff.objects.create(carrier_code=carrier, first_price=price, step_price="1.50", hours_min=24,
                                     hours_max=60, valid_from=date(2026, 1, 1))  # fmt: skip
    for turn in range(ROUNDS):
        messages = []
        for place in range(ORDERS // ROUNDS):
            chosen = dice.sample(range(len(skus)), dice.choice((1, 1, 2, 3)))
            address = {
                "province": dice.choice(PROVINCES),
                "line": "1 Test Road",
                "name": "Wang",
                "phone": "13812345678",
            }
            lines = {f"SKU{number}": dice.choice((1, 1, 1, 2)) for number in chosen}
            messages.append(company.order_message(f"{turn}-{place}", lines, address=address))
        company.receive(channel, *messages)
        pipeline.drain(at=lambda turn=turn: NOON + timedelta(minutes=turn))


@pytest.mark.load
@pytest.mark.django_db(transaction=True)
def test_yesterday_decided_again_is_yesterday(capsys):
    sell_a_day()
    assert Order.objects.count() == ORDERS
    runs = RoutingRun.objects.filter(situation__isnull=False).select_related("situation").order_by("pk")
    stored = sum(len(run.body) for run in runs)
    started = time.perf_counter()
    figure = routing_records.parity(runs.iterator(chunk_size=50))
    seconds = time.perf_counter() - started

    begun, process = time.perf_counter(), psutil.Process()
    variants = {"fastest": Changes(policy=PRESETS["fastest"], policy_name="fastest"),
                "without SH": Changes(nodes_off=("SH",)), "half the stock": Changes(stock_factor=0.5),
                "storm": Changes(storm=Storm(to_regions=("44",)))}  # fmt: skip
    wanted = Wanted("the day", NOON - timedelta(hours=1), NOON + timedelta(hours=2), variants)
    asked = whatif.ask(wanted, actor=Actor("person", "anna"), at=NOON)
    assert whatif.run_waiting(at=lambda: NOON) == 1
    tried = time.perf_counter() - begun
    results = [one.result for one in asked.variants.order_by("position")]
    with capsys.disabled():
        for name, value in {
            "decisions": figure.decisions, "parity_percent": f"{figure.percent:.2f}",
            "replay_seconds": f"{seconds:.1f}", "bytes_of_runs_per_order": round(stored / ORDERS),
            "whatif_seconds": f"{tried:.1f}", "process_mb": round(process.memory_info().rss / 1e6),
        }.items():  # fmt: skip
            print(f"{name}: {value}")  # noqa: T201
        for name, told in zip(variants, results, strict=True):
            print(name, {key: told[key] for key in ("cost", "parcels", "unfilled_orders", "changed")})  # noqa: T201

    assert (figure.decisions, figure.same, figure.different) == (RoutingDecision.objects.count(), figure.decisions, [])
    assert all(told["parity"]["same"] == told["parity"]["decisions"] == figure.decisions for told in results)
    assert all(told["changed"] > 0 for told in results)
    assert "SH" not in results[1]["by_node"]
