"""Storms, stopped carriers and nodes that are down: what is planned again, and when."""

from datetime import timedelta

import pytest

from audit.models import Case
from inventory.models import Node
from orders.models import Disruption, Fulfillment, Order, RoutingAttempt, RoutingDecision
from orders.services import disruptions, fulfillment, holds
from orders.services.disruptions import Draft, NotGood, Touched
from tests import small_company as company
from tests.orders.services import scenes
from tests.small_company import NOON, TESTER


def minutes(n):
    return NOON + timedelta(minutes=n)


def storm(**facts):
    return Draft(**{"name": "Typhoon", "effect": "blocks", "starts_at": minutes(10), "from_regions": ("31",)} | facts)


def start(**facts):
    row = disruptions.start(storm(**facts), reason="seen on TV", actor=TESTER)
    Disruption.history.update(history_date=NOON)
    return row


def planned(hub, number="1"):
    """An unpaid order: its parcel is planned and not released."""
    hub.take(company.order_message(number, {"CUP": 3}, paid_at=None))
    return scenes.parcels(number)[0]


def parcels(number="1"):
    return [(one.number, one.status, one.node.code) for one in scenes.parcels(number)]


# -- saying what it is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        pytest.param({"name": " "}, "Give it a name that people recognise.", id="no name"),
        pytest.param({"ends_at": minutes(10)}, "It must end after it begins.", id="ends as it begins"),
        pytest.param({"effect": "delays"}, "Say by how many hours parcels are later.", id="a delay of nothing"),
        pytest.param({"from_regions": ()}, "Name regions, nodes or a carrier: nothing named would stop everything "
                     "everywhere.", id="nothing named"),
        pytest.param({"to_regions": ("99",)}, "No region has the code 99.", id="unknown region"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_refused_and_nothing_is_kept(db, facts, complaint):
    with pytest.raises(NotGood) as error:
        disruptions.start(storm(**facts), reason="x", actor=TESTER)
    assert ([str(sentence) for sentence in error.value.wrong], Disruption.objects.count()) == ([complaint], 0)


def test_each_has_a_code_of_its_day_and_a_trail(hub):
    first, second = start(node_ids=(hub.near.pk,)), start()
    assert (first.code, second.code) == ("D20261102-1", "D20261102-2")
    assert list(first.nodes.all()) == [hub.near]
    assert first.history.get().history_change_reason == "person:tester: seen on TV"


def test_it_is_changed_and_ended_by_people_and_by_itself(hub):
    row = start()
    disruptions.change(row.pk, storm(ends_at=minutes(30)), reason="shorter", actor=TESTER, at=NOON)
    row.refresh_from_db()
    assert row.ends_at == minutes(30)
    with pytest.raises(NotGood):
        disruptions.end(row.pk, reason="x", actor=TESTER, at=minutes(31))
    with pytest.raises(NotGood):
        disruptions.change(row.pk, storm(), reason="x", actor=TESTER, at=minutes(31))
    disruptions.end(row.pk, reason="over", actor=TESTER, at=minutes(20))
    row.refresh_from_db()
    assert (row.ends_at, row.ended_by) == (minutes(20), "person:tester")


def test_the_preview_counts_what_is_open(hub):
    planned(hub, "1")
    hub.take(company.order_message("2", {"CUP": 2}), company.order_message("3", {"CUP": 1}))
    fulfillment.stop([scenes.parcels("3")[0].pk], reason="x", actor=TESTER, at=NOON)
    assert disruptions.preview(storm()) == Touched(1, 1, 1, (("SH", 2),))
    assert disruptions.preview(storm(from_regions=("44",))) == Touched()
    assert disruptions.preview(storm(from_regions=(), to_regions=("31",))).planned_orders == 1
    assert disruptions.preview(storm(from_regions=(), carrier_code="SF")) == Touched()


# -- planning again -------------------------------------------------------------------------------------------


def test_planned_parcels_leave_a_blocked_region_when_it_begins_and_not_before(hub):
    planned(hub)
    start()
    assert disruptions.follow(at=minutes(9)) == 0
    assert disruptions.follow(at=minutes(10)) == 1
    assert parcels() == [("JD-1-1", "cancelled", "SH"), ("JD-1-2", "planned", "WH")]
    again = RoutingDecision.objects.order_by("-pk")[0]
    assert (again.kind, again.reason, again.explanation["again"]["outcome"]) == ("reroute", "Typhoon", "")
    assert not RoutingAttempt.objects.exists()
    assert disruptions.follow(at=minutes(11)) == 0


def test_when_it_ends_parcels_go_back_to_the_better_node(hub):
    start(starts_at=minutes(1), ends_at=minutes(60))
    hub.take(company.order_message("1", {"CUP": 3}, paid_at=None), at=minutes(2))
    assert parcels() == [("JD-1-1", "planned", "WH")]
    assert disruptions.follow(at=minutes(3)) == 0
    Order.objects.update(reserved_until=minutes(600))
    assert disruptions.follow(at=minutes(60)) == 1
    assert parcels()[-1] == ("JD-1-2", "planned", "SH")
    assert disruptions.follow(at=minutes(61)) == 0


def test_one_that_is_described_anew_is_followed_again(hub):
    planned(hub)
    row = start(from_regions=("44",))
    assert disruptions.follow(at=minutes(12)) == 0
    disruptions.change(row.pk, storm(), reason="it moved", actor=TESTER, at=minutes(13))
    Disruption.history.filter(history_change_reason__endswith="it moved").update(history_date=minutes(13))
    assert disruptions.follow(at=minutes(14)) == 1


def test_parcels_that_nodes_have_are_a_case_until_it_is_over(hub):
    hub.take(company.order_message("1", {"CUP": 3}))
    row = start(ends_at=minutes(60))
    before = scenes.everything()
    assert disruptions.follow(at=minutes(12)) == 0
    assert scenes.everything() == before
    case = Case.objects.get(status="open")
    assert (case.kind, case.subject, case.why["values"]) == (
        "disrupted_parcels", row.code, {"count": 1, "name": "Typhoon"},
    )  # fmt: skip
    disruptions.follow(at=minutes(60))
    assert Case.objects.filter(status="open").count() == 0


def test_orders_on_hold_are_left_alone(hub):
    planned(hub)
    holds.place([scenes.order().pk], reason="wait", actor=TESTER, at=NOON)
    start()
    before = scenes.everything()
    assert disruptions.follow(at=minutes(12)) == 0
    assert scenes.everything() == before


# -- nodes that are down --------------------------------------------------------------------------------------


def test_a_node_that_is_down_loses_what_it_has_not_begun(hub):
    hub.take(*(company.order_message(n, {"CUP": 1}) for n in "123"))
    planned(hub, "4")
    fulfillment.pick([scenes.parcels("3")[0].pk], actor=TESTER, at=NOON)
    Node.objects.filter(pk=hub.near.pk).update(down_until=minutes(60), down_reason="flood")
    assert disruptions.follow(at=minutes(5)) == 3
    assert [parcels(n)[-1][1:] for n in "1234"] == [
        ("released", "WH"), ("released", "WH"), ("picking", "SH"), ("planned", "WH"),
    ]  # fmt: skip
    tried = RoutingAttempt.objects.order_by("pk").values_list("parcel_number", "outcome", "reason")
    assert list(tried) == [("JD-1-1", "node_down", "flood"), ("JD-2-1", "node_down", "flood")]
    assert disruptions.follow(at=minutes(6)) == 0


def test_nothing_moves_when_the_node_is_up_again(hub):
    hub.take(company.order_message("1", {"CUP": 1}))
    Node.objects.filter(pk=hub.near.pk).update(down_until=minutes(5))
    before = scenes.everything()
    assert disruptions.follow(at=minutes(5)) == 0
    assert (scenes.everything(), Fulfillment.objects.count()) == (before, 1)
