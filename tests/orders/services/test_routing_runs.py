"""What routing was told is kept: it can be decided again, and comes out the same."""

from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from inventory.models import Node, StockPosition
from orders.models import (
    CarrierLane,
    Disruption,
    FreightTariff,
    NodeStanding,
    Order,
    RoutingDecision,
    RoutingRun,
    RoutingSituation,
)
from orders.rules.routing.policy import Group, Policy, PublishedPolicy, Weights
from orders.services import backorders, routing_records, situations
from tests import small_company as company
from tests.orders.services.scenes import Shop
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
DEAR_SPLITS = PublishedPolicy(
    "other", 1, Policy(groups=(Group(name="all", weights=Weights(freight=0.0, distance=0.01)),))
)


def ground(hub: Shop) -> None:
    """Lay out what a run must remember: tariffs, a learned lane, a storm, positions, a node's standing and cut-off."""
    for carrier, price in (("SF", "9.00"), ("YTO", "5.00")):
        FreightTariff.objects.create(
            carrier_code=carrier,
            first_price=price,
            step_price="1.50",
            hours_min=24,
            hours_max=60,
            valid_from=date(2026, 1, 1),
        )
    CarrierLane.objects.create(
        carrier_code="YTO", from_region="42", to_region="31", parcels=50, hours_p50=30, hours_p90=90, late_share=0.2,
        learned_at=NOON,
    )  # fmt: skip
    storm = Disruption.objects.create(code="rain", name="Rain", effect="delays", delay_hours=5, starts_at=NOON)
    storm.nodes.add(hub.far)
    StockPosition.objects.create(sku=hub.cup, node=hub.near, shadow_price="1.25", computed_at=NOON)
    NodeStanding.objects.create(node=hub.near, score=0.5, changed_at=NOON)
    Node.objects.filter(pk=hub.far.pk).update(
        cut_off="17:00", parcels_per_hour=20, capabilities=["cold_chain"], groups=["hub"]
    )


def orders(count: int, start: int = 1) -> list[dict]:
    wants = ({"CUP": 1}, {"CUP": 2, "LID": 1}, {"LID": 1}, {"CUP": 3})
    return [company.order_message(str(number), wants[number % 4]) for number in range(start, start + count)]


def test_a_run_gives_back_exactly_what_it_was_told(hub: Shop):
    ground(hub)
    hub.take(*orders(3))

    run = RoutingRun.objects.get()
    told = routing_records.read(run)
    situations.forget()
    now = situations.read({hub.cup.pk, hub.lid.pk}, at=NOON)
    assert (run.orders_count, run.kind, run.decided_at) == (3, "online", NOON)
    moved = {hub.near.pk: 10, hub.far.pk: 10}
    before = {node.node_id: node for node in told.situation.nodes}
    assert {pk: node.parcels_left - 990 for pk, node in before.items()} == moved
    assert told.situation.carriers == now.carriers
    assert told.situation.disruptions == now.disruptions != ()
    assert told.situation.positions == now.positions != {}
    assert told.situation.goods == now.goods
    same = [replace(node, parcels_left=0, backlog=0) for node in now.nodes]
    assert [replace(node, parcels_left=0, backlog=0) for node in told.situation.nodes] == same
    assert told.stock == {hub.cup.pk: moved, hub.lid.pk: {hub.near.pk: 10}}
    assert [demand.reference for demand in told.demands] == ["JD-1", "JD-2", "JD-3"]
    assert {policy.name for policy in told.policies} == {"balanced/0"}


def test_deciding_again_gives_the_same_and_another_weight_does_not(hub: Shop):
    ground(hub)
    hub.take(*orders(4))
    run = RoutingRun.objects.get()

    figure = routing_records.parity([run])
    assert (figure.decisions, figure.same, figure.percent, figure.different) == (4, 4, 100.0, [])

    decision = RoutingDecision.objects.order_by("pk").first()
    RoutingDecision.objects.filter(pk=decision.pk).update(
        explanation=decision.explanation | {"parcels": [["WH", *decision.explanation["parcels"][0][1:]]]}
    )
    worse = routing_records.parity([run])
    assert (worse.decisions, worse.same, worse.different) == (4, 3, [decision.order.number])

    told = routing_records.read(run)
    weighed = replace(told, policies=[DEAR_SPLITS] * len(told.demands))
    chosen = [plan.cost for plan in routing_records.decide(weighed)]
    assert chosen != [float(one.cost) for one in RoutingDecision.objects.order_by("pk")]


def test_the_same_situation_is_kept_once(hub: Shop):
    hub.take(*orders(2))
    hub.take(*orders(2, start=3), at=NOON + timedelta(minutes=1))
    assert (RoutingRun.objects.count(), RoutingSituation.objects.count()) == (2, 1)

    Node.objects.filter(pk=hub.far.pk).update(pick_cost="9.00")
    hub.take(*orders(2, start=5), at=NOON + timedelta(minutes=2))
    assert (RoutingRun.objects.count(), RoutingSituation.objects.count()) == (3, 2)


def test_old_runs_go_and_their_decisions_stay(hub: Shop, settings):
    settings.ROUTING_RUN_DAYS = 30
    hub.take(*orders(2))
    hub.take(*orders(1, start=3), at=NOON + timedelta(days=20))

    assert routing_records.prune(at=NOON + timedelta(days=31)) == 1
    assert list(RoutingRun.objects.values_list("decided_at", flat=True)) == [NOON + timedelta(days=20)]
    assert [one.run_id is None for one in RoutingDecision.objects.order_by("pk")] == [True, True, False]
    assert RoutingSituation.objects.count() == 1


def test_nothing_is_kept_where_nothing_shall_be_kept(hub: Shop, settings):
    settings.ROUTING_RUN_DAYS = 0
    hub.take(*orders(1))
    assert (RoutingRun.objects.count(), RoutingDecision.objects.get().run_id) == (0, None)


def test_an_order_that_waits_in_vain_leaves_no_run_behind(hub: Shop):
    hub.take(company.order_message("1", {"LID": 11}))
    runs = RoutingRun.objects.count()
    company.stock(hub.cup, hub.near, 5)
    backorders.retry(at=NOON + timedelta(minutes=5))
    assert (runs, RoutingRun.objects.count()) == (1, 1)


def test_the_command_prints_a_days_parity(hub: Shop):
    hub.take(*orders(3))
    out = StringIO()
    call_command("replay_routing", "--day", "2026-11-02", stdout=out)
    assert out.getvalue() == "2026-11-02: 3 of 3 decisions the same, 100.00 per cent\n"

    decision = Order.objects.get(number="JD-1").routing.get()
    RoutingDecision.objects.filter(pk=decision.pk).update(explanation=decision.explanation | {"split": 1.0})
    with pytest.raises(SystemExit):
        call_command("replay_routing", "--day", "2026-11-02", stdout=out)
    assert out.getvalue().endswith("2 of 3 decisions the same, 66.67 per cent\ndifferent: JD-1\n")
