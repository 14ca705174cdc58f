"""Recorded rounds decided again: unchanged they are what they were, changed they say what would have been."""

from datetime import timedelta

import pytest
from django.db import connection

from audit.rules.actors import Actor
from inventory.models import Reservation, StockLevel
from orders.models import Fulfillment, Order, RoutingDecision, RoutingRun, WhatIf, WhatIfDifference
from orders.rules.routing.policy import PRESETS
from orders.rules.routing.variants import Changes, Storm
from orders.services import pipeline, whatif
from orders.services.whatif import NotTried, Wanted
from orders.statuses import BacktestStatus
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
ANNA = Actor("person", "anna")
ADDRESS = {"province": "Shanghai", "city": "Shanghai", "line": "1 Test Road", "name": "Wang", "phone": "13812345678"}
HOUR = timedelta(hours=1)


@pytest.fixture
def day(db):
    """A day of twelve orders in three rounds; the near node has stock for eight."""
    channel = company.channel()
    cup = company.sku("CUP")
    near, far = company.node("SH", city="Shanghai"), company.node("WH", "42", city="Wuhan")
    company.stock(cup, near, 8)
    company.stock(cup, far, 20)
    for turn in range(3):
        numbers = [f"{turn}-{place}" for place in range(4)]
        company.receive(channel, *(company.order_message(one, {"CUP": 1}, address=ADDRESS) for one in numbers))
        pipeline.drain(at=lambda turn=turn: NOON + timedelta(minutes=turn))
    return cup, near, far


def ask(**told):
    changed = {"name": "autumn", "starts_at": NOON - HOUR, "ends_at": NOON + HOUR,
               "variants": {"as it was": Changes()}} | told  # fmt: skip
    return whatif.ask(Wanted(**changed), actor=ANNA, at=NOON)


def run(**told):
    asked = ask(**told)
    assert whatif.run_waiting(at=lambda: NOON) == 1
    asked.refresh_from_db()
    return asked


def result(asked, place=1):
    return asked.variants.get(position=place).result


def everything():
    return (
        list(StockLevel.objects.order_by("pk").values_list("on_hand", "reserved")),
        list(Reservation.objects.order_by("pk").values_list("key", "quantity", "node_id")),
        list(Fulfillment.objects.order_by("pk").values_list("number", "node__code", "status")),
        list(Order.objects.order_by("pk").values_list("number", "status", "revision")),
        RoutingDecision.objects.count(), RoutingRun.objects.count(),
    )  # fmt: skip


def test_unchanged_every_decision_is_what_it_was(day):
    told = result(run())
    assert told["parity"] == {"decisions": 12, "same": 12, "different": []}
    assert (told["changed"], told["orders"], told["was"]["by_node"]) == (0, 12, {"SH": 8, "WH": 4})
    assert told["cost"] == told["was"]["cost"]


def test_nothing_is_touched(day):
    before = everything()
    run(variants={"without SH": Changes(nodes_off=("SH",)), "twice": Changes(demand_factor=2.0)})
    assert everything() == before


def test_without_a_node_its_orders_go_from_another_and_cost_more(day):
    asked = run(variants={"without SH": Changes(nodes_off=("SH",))})
    told = result(asked)
    assert (told["by_node"], told["changed"], told["unfilled_orders"]) == ({"WH": 12}, 8, 0)
    assert told["cost"] > told["was"]["cost"]
    rows = WhatIfDifference.objects.filter(variant__what_if=asked)
    assert rows.count() == 8
    assert {(row.before["nodes"][0], row.after["nodes"][0]) for row in rows} == {("SH", "WH")}
    assert float(sum(row.saving for row in rows)) == pytest.approx(told["was"]["cost"] - told["cost"], abs=0.02)


def test_what_a_variant_leaves_or_lacks_is_carried_to_its_later_rounds(day):
    told = result(run(variants={"half": Changes(stock_factor=0.5)}))
    assert told["by_node"] == {"SH": 4, "WH": 8}  # half of eight, whatever was really taken in the rounds before
    assert told["unfilled_orders"] == 0


def test_more_orders_meet_the_same_stock(day):
    told = result(run(variants={"three times": Changes(demand_factor=3.0)}))
    assert told["orders"] == 36
    assert told["unfilled_orders"] == 36 - 28
    assert told["by_node"] == {"SH": 8, "WH": 20}


def test_a_storm_keeps_parcels_from_a_province(day):
    told = result(run(variants={"storm": Changes(storm=Storm(to_regions=("31",)))}))
    assert (told["parcels"], told["unfilled_orders"], told["changed"]) == (0, 12, 12)


def test_another_policy_decides(day):
    told = result(run(variants={"stores": Changes(policy=PRESETS["fastest"], policy_name="fastest")}))
    assert told["parity"]["same"] == 12
    assert told["cost"] != told["was"]["cost"]


def test_a_decision_that_was_tampered_with_shows_in_the_parity(day):
    decision = RoutingDecision.objects.order_by("pk").first()
    decision.explanation["parcels"] = []
    decision.save(update_fields=["explanation"])
    told = result(run())
    assert told["parity"] == {"decisions": 12, "same": 11, "different": [decision.order.number]}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"ends_at": NOON - HOUR}, "The end must be after the start."),
        ({"starts_at": NOON - timedelta(days=40)}, "Choose at most 31 days."),
        ({"variants": {}}, "Give between 1 and 6 variants."),
        ({"variants": {str(one): Changes() for one in range(7)}}, "Give between 1 and 6 variants."),
        ({"starts_at": NOON + HOUR, "ends_at": NOON + 2 * HOUR}, "No routing decision of that time is kept"),
        ({"variants": {"x": Changes(stock_factor=-1.0)}}, "“x”: factors of stock and capacity"),
        ({"variants": {"x": Changes(demand_factor=0.5)}}, "“x”: factors of stock and capacity"),
        ({"variants": {"x": Changes(nodes_off=("NOWHERE",))}}, "“x”: there is no node NOWHERE."),
    ],
)
def test_what_cannot_be_tried_is_refused_with_what_to_change(day, told, why):
    with pytest.raises(NotTried, match=why.replace(".", r"\.")):
        ask(**told)
    assert not WhatIf.objects.exists()


def test_a_stopped_run_has_no_figures_and_a_worker_that_died_leaves_its_run_to_the_next(day):
    stopped, left = ask(), ask()
    assert whatif.stop(stopped.pk, at=NOON)
    assert not whatif.stop(stopped.pk, at=NOON)
    WhatIf.objects.filter(pk=left.pk).update(status=BacktestStatus.RUNNING)
    assert whatif.run_waiting(at=lambda: NOON) == 1
    stopped.refresh_from_db()
    left.refresh_from_db()
    assert (stopped.status, result(stopped)) == (BacktestStatus.STOPPED, {})
    assert (left.status, left.steps_done, left.steps_total) == (BacktestStatus.DONE, 3, 3)


def test_a_run_that_cannot_be_read_fails_with_its_reason(day):
    RoutingRun.objects.update(body=b"")
    asked = run()
    assert asked.status == BacktestStatus.FAILED
    assert "was kept without its inputs" in str(asked.why)


def test_queries_do_not_grow_with_the_variants(day, django_assert_max_num_queries):
    ask(variants={str(one): Changes(nodes_off=("SH",)) for one in range(6)})
    with django_assert_max_num_queries(26):
        whatif.run_waiting(at=lambda: NOON)
    assert connection.in_atomic_block
