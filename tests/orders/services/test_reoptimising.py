"""Planning waiting orders again together: what is moved, what is never moved, and what a run says."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from inventory.models import Reservation
from orders.models import Fulfillment, Order, RoutingDecision, RoutingPolicy, RoutingPolicyVersion, RoutingRun
from orders.rules.routing.policy import Group, Policy, to_json
from orders.services import gathering, holds, reoptimising, situations
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER

SOON = NOON + timedelta(minutes=1)


def publish(wait_minutes=30, least_saving=1.0):
    """Put a policy in force that lets parcels wait."""
    policy = Policy(groups=(Group(name="all", wait_minutes=wait_minutes),), least_saving=least_saving)
    author = User.objects.create(username="author")
    row, _ = RoutingPolicy.objects.get_or_create(code="main", defaults={"name": "main", "created_at": NOON})
    RoutingPolicyVersion.objects.create(
        policy=row, number=1, status="live", body=to_json(policy), digest=f"{wait_minutes}/{least_saving}",
        author=author, writers=[author.pk], drafted_at=NOON, live_at=NOON,
    )  # fmt: skip


@pytest.fixture
def squeezed(hub):
    """Nine of the ten cups at SH are on their way; the tenth goes to order 1, so that order 2 with its lid is split."""
    publish()
    hub.take(company.order_message("0", {"CUP": 9}))
    Fulfillment.objects.update(status="released")
    hub.take(company.order_message("1", {"CUP": 1}))
    hub.take(company.order_message("2", {"CUP": 1, "LID": 1}))
    return hub


def where():
    """Return the live parcels: number, node, carrier's kilometres known, units."""
    live = Fulfillment.objects.exclude(status="cancelled").order_by("order_id", "node__code")
    return [(one.number, one.node.code) for one in live.select_related("node")]


def test_who_needs_the_last_unit_most_gets_it(squeezed):
    assert where() == [("JD-0-1", "SH"), ("JD-1-1", "SH"), ("JD-2-1", "SH"), ("JD-2-2", "WH")]
    run = reoptimising.run(at=SOON, actor=TESTER)
    assert where() == [("JD-0-1", "SH"), ("JD-1-2", "WH"), ("JD-2-3", "SH")]
    assert (run.result["before"]["parcels"], run.result["after"]["parcels"]) == (3, 2)
    assert run.result["how"] == "proven"
    assert run.result["after"]["cost"] == run.result["bound"] == run.result["best"]
    assert run.result["after"]["cost"] < run.result["before"]["cost"] - 6
    assert [move[:3] for move in run.result["moves"]] == [["JD-2", ["SH", "WH"], ["SH"]], ["JD-1", ["SH"], ["WH"]]]
    assert sum(move[3] for move in run.result["moves"]) == pytest.approx(
        run.result["before"]["cost"] - run.result["after"]["cost"], abs=0.02
    )
    assert set(Order.objects.exclude(number="JD-0").values_list("status", "open_holds")) == {("allocated", 0)}


def test_stock_and_room_move_with_the_parcels(squeezed):
    reoptimising.run(at=SOON, actor=TESTER)
    books = scenes.books()
    assert books["held"] == [("CUP", "SH", 10), ("CUP", "WH", 1), ("LID", "SH", 1)]
    assert [(node, used) for node, _day, used in books["room"]] == [("SH", 2), ("WH", 1)]
    gone = Reservation.objects.filter(status="released").values_list("reference", flat=True)
    assert sorted(gone) == ["JD-1-1", "JD-2-1", "JD-2-2"]


def test_the_new_parcels_are_released_no_later_than_the_old_ones(squeezed):
    before = dict(Fulfillment.objects.values_list("order__number", "release_after"))
    reoptimising.run(at=SOON, actor=TESTER)
    after = dict(Fulfillment.objects.exclude(status="cancelled").values_list("order__number", "release_after"))
    assert after == before
    assert set(after.values()) == {NOON + timedelta(minutes=30)}


def test_each_moved_order_has_a_decision_that_says_why(squeezed):
    run = reoptimising.run(at=SOON, actor=TESTER)
    made = RoutingDecision.objects.filter(kind="batch").order_by("order_id")
    assert [(one.order.number, one.outcome, one.policy, one.run_id) for one in made] == [
        ("JD-1", "single", "main/1", run.pk), ("JD-2", "single", "main/1", run.pk),
    ]  # fmt: skip
    told = made[1].explanation
    assert told["batch"]["from"] == ["SH", "WH"]
    assert told["batch"]["together"] == 2
    assert [row[0] for row in told["parcels"]] == ["SH"]
    assert {row[0]: row[1] for row in told["candidates"]} == {"SH": "short", "WH": "short"}
    planned = Fulfillment.objects.get(number="JD-2-3")
    assert planned.planned_cost == made[1].cost == Decimal(str(told["parcels"][0][2]))
    assert (planned.distance_km, planned.arrives_until is None) == (told["parcels"][0][1], False)
    assert scenes.kinds("1")[-1] == "allocated"


def test_a_second_round_finds_nothing_to_do(squeezed):
    reoptimising.run(at=SOON, actor=TESTER)
    before = scenes.everything()
    again = reoptimising.run(at=SOON + timedelta(minutes=1), actor=TESTER)
    assert (again.result["moved"], again.result["moves"]) == (0, [])
    assert again.result["before"] == again.result["after"]
    assert scenes.everything() == before


def test_a_saving_below_what_the_policy_asks_moves_nothing(squeezed):
    RoutingPolicyVersion.objects.update(
        body=to_json(Policy(groups=(Group(name="all"),), least_saving=50.0)), digest="x"
    )
    before = scenes.everything()
    run = reoptimising.run(at=SOON, actor=TESTER)
    assert run.result["moved"] == 0
    assert run.result["best"] < run.result["before"]["cost"]
    assert scenes.everything() == before


@pytest.mark.parametrize(
    "at", [NOON + timedelta(minutes=29, seconds=40), NOON + timedelta(hours=2)], ids=["a moment before", "after"]
)
def test_nothing_is_moved_once_it_is_about_to_be_released(squeezed, at):
    before = scenes.everything()
    assert reoptimising.run(at=at, actor=TESTER) is None
    assert scenes.everything() == before
    assert RoutingRun.objects.filter(kind="batch").count() == 0


def test_an_order_that_a_person_holds_stays_where_it_is(squeezed):
    holds.place([Order.objects.get(number="JD-2").pk], reason="look", actor=TESTER, at=NOON)
    before = where()
    run = reoptimising.run(at=SOON, actor=TESTER)
    assert (run.orders_count, run.result["moved"]) == (1, 0)
    assert where() == before


def test_an_order_that_lacks_units_keeps_what_it_has(squeezed):
    squeezed.take(company.order_message("3", {"CUP": 20}))
    assert Order.objects.get(number="JD-3").status == "backordered"
    held = list(Fulfillment.objects.filter(order__number="JD-3").order_by("pk").values())
    run = reoptimising.run(at=SOON, actor=TESTER)
    assert run.orders_count == 2
    assert list(Fulfillment.objects.filter(order__number="JD-3").order_by("pk").values()) == held


def test_nothing_waiting_leaves_no_run(hub):
    assert reoptimising.run(at=SOON, actor=TESTER) is None
    hub.take(company.order_message("1", {"CUP": 1}))
    assert Fulfillment.objects.get().status == "released"
    assert reoptimising.run(at=SOON, actor=TESTER) is None
    assert not RoutingRun.objects.filter(kind="batch").exists()


def test_unpaid_orders_may_move_too_and_keep_their_term(hub):
    unpaid = {"paid_at": None}
    hub.take(company.order_message("0", {"CUP": 9}, **unpaid))
    hub.take(company.order_message("1", {"CUP": 1}, **unpaid))
    hub.take(company.order_message("2", {"CUP": 1, "LID": 1}, **unpaid))
    until = Order.objects.get(number="JD-2").reserved_until
    assert reoptimising.run(at=SOON, actor=TESTER).result["moved"] == 2
    assert until is not None
    held = Reservation.objects.filter(status="active", reference__startswith="JD-2-")
    assert set(held.values_list("expires_at", flat=True)) == {until}


def test_a_round_is_due_two_minutes_after_the_last_or_at_once_at_a_peak(squeezed):
    assert reoptimising.run_if_due(at=SOON) is not None
    assert reoptimising.run_if_due(at=SOON + timedelta(seconds=119)) is None
    with override_settings(ROUTING_PEAK=1):
        assert reoptimising.run_if_due(at=SOON + timedelta(seconds=20)) is not None
    with override_settings(ROUTING_PEAK=2):
        assert reoptimising.run_if_due(at=SOON + timedelta(seconds=40)) is None
    assert reoptimising.run_if_due(at=SOON + timedelta(minutes=4)) is not None


def test_orders_that_lack_units_make_no_peak(squeezed):
    reoptimising.run_if_due(at=SOON)
    squeezed.take(company.order_message("3", {"CUP": 20}))
    assert Fulfillment.objects.filter(order__number="JD-3", status="planned").exists()
    with override_settings(ROUTING_PEAK=2):
        assert reoptimising.run_if_due(at=SOON + timedelta(seconds=20)) is None
    assert Order.objects.get(number="JD-3").pk not in gathering.order_ids(SOON, 10)


def test_reading_takes_as_many_queries_for_many_orders_as_for_few(squeezed):
    def queries():
        situations.forget()  # what waits at nodes is counted anew, as after a few seconds
        with CaptureQueriesContext(
            connection,
        ) as captured:
            gathering.read(at=SOON)
        return len(captured)

    few = queries()
    for number in range(10, 18):
        squeezed.take(company.order_message(str(number), {"CUP": 1}))
    assert queries() == few <= 30


def test_released_parcels_of_an_order_keep_all_of_it_where_it_is(squeezed):
    Fulfillment.objects.filter(number="JD-2-1").update(status="released")
    before = where()
    run = reoptimising.run(at=SOON, actor=TESTER)
    assert (run.orders_count, run.result["moved"]) == (1, 0)
    assert where() == before


def test_room_of_yesterday_is_given_back_to_its_own_day(squeezed):
    """What was planned before midnight and moves after it leaves yesterday's room and takes today's."""
    Fulfillment.objects.update(release_after=NOON + timedelta(days=2))
    reoptimising.run(at=NOON + timedelta(days=1), actor=TESTER)
    assert scenes.books()["room"] == [
        ("SH", date(2026, 11, 2), 1), ("SH", date(2026, 11, 3), 1), ("WH", date(2026, 11, 3), 1),
    ]  # fmt: skip
