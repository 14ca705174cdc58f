"""Rejections, picks, cancellations and claims at once: each parcel has one fate, and the books add up."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.models import Node
from orders.models import Fulfillment, RoutingAttempt
from orders.services import cancellation, claiming, disruptions, fulfillment, holds, rerouting
from orders.services.rerouting import Failure
from orders.statuses import AttemptOutcome
from tests import small_company as company
from tests.orders.services import scenes
from tests.races import race
from tests.small_company import NOON, TESTER

LATER = NOON + timedelta(hours=1)


def reject(pk, at=LATER):
    return fulfillment.reject([pk], reason="no hands", actor=TESTER, at=at)


def order_of(hub, number="1", units=3):
    hub.take(company.order_message(number, {"CUP": units}))
    return scenes.parcels(number)[0]


def failures(results):
    return [one for one in results if isinstance(one, Exception)]


@pytest.mark.django_db(transaction=True)
def test_a_parcel_is_either_picked_or_refused(hub):
    parcel = order_of(hub)
    came = race([partial(reject, parcel.pk), partial(fulfillment.pick, [parcel.pk], actor=TESTER, at=LATER)])
    assert failures(came) == []
    states = [one.status for one in scenes.parcels()]
    assert states == ["cancelled", "released"]  # a picked parcel may still be refused: the refusal has the last word
    assert RoutingAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_parcel_that_two_workers_claim_back_moves_once(hub):
    Node.objects.update(claim_minutes=10)
    for number in ("1", "2", "3"):
        order_of(hub, number, 1)
    came = race([partial(claiming.claim_back, at=LATER) for _ in range(4)])
    assert failures(came) == []
    assert sum(came) == 3
    assert [[one.status for one in scenes.parcels(n)] for n in "123"] == [["cancelled", "released"]] * 3
    assert RoutingAttempt.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_who_looked_before_the_lock_looks_again_under_it(hub):
    parcel = order_of(hub, "1", 1)
    assert Fulfillment.objects.get(pk=parcel.pk).status == "released"  # what a slow worker has read
    reject(parcel.pk)
    again = rerouting.reroute([parcel.pk], Failure(AttemptOutcome.TIMED_OUT, "x"), actor=TESTER, at=LATER)
    assert (list(again.refused), RoutingAttempt.objects.count()) == (["JD-1-1"], 1)


@pytest.mark.django_db(transaction=True)
def test_a_hold_and_a_refusal_at_once_leave_the_order_whole(hub):
    parcel = order_of(hub)
    order = scenes.order()
    came = race([partial(reject, parcel.pk), partial(holds.place, [order.pk], reason="x", actor=TESTER, at=LATER)])
    assert failures(came) == []
    holds.lift([order.pk], actor=TESTER, at=LATER)
    assert [(one.status, one.node.code) for one in scenes.parcels() if one.status != "cancelled"] == [
        ("released", "WH")
    ]


DEEDS = st.lists(
    st.sampled_from(["reject", "claim", "down", "up", "hold", "lift", "try", "forgive", "pick", "stop", "cancel"]),
    min_size=1, max_size=14,
)  # fmt: skip


def set_down(until, at):
    Node.objects.filter(code="SH").update(down_until=until)
    disruptions.follow(at=at)


def do(deed, at):
    """Do one deed to the newest live parcel of the only order, or to its order."""
    by = {"actor": TESTER, "at": at}
    orders = [scenes.order().pk]
    live = [one.pk for one in scenes.parcels() if one.status in ("released", "picking", "packed")]
    blamed = list(RoutingAttempt.objects.values_list("pk", flat=True))
    deeds = {
        "reject": lambda: fulfillment.reject(live[-1:], reason="no hands", **by),
        "claim": lambda: claiming.claim_back(at=at),
        "down": lambda: set_down(at + timedelta(days=9), at),
        "up": lambda: set_down(None, at),
        "hold": lambda: holds.place(orders, reason="x", **by),
        "lift": lambda: holds.lift(orders, **by),
        "try": lambda: holds.try_again(orders, **by),
        "forgive": lambda: rerouting.forgive(blamed, **by),
        "pick": lambda: fulfillment.pick(live, **by),
        "stop": lambda: fulfillment.stop(live[-1:], reason="x", **by),
        "cancel": lambda: cancellation.cancel(orders, reason="x", **by),
    }
    deeds[deed]()


def check_nothing_is_lost(forgiven):
    """The order is whole or says that it is not; it never goes to a node that failed it and was not forgiven."""
    order = scenes.order()
    live = [one for one in scenes.parcels() if one.status != "cancelled"]
    allocated = sum(line.quantity_allocated for line in order.lines.all())
    assert allocated == sum(content.quantity for one in live for content in one.lines.all())
    if order.cancelled_at is None and allocated < 3:
        assert order.status in ("backordered", "on_hold")
    if not forgiven:
        blamed = set(RoutingAttempt.objects.values_list("node_id", flat=True))
        assert not blamed & {one.node_id for one in live}
    scenes.assert_books_add_up()


@pytest.mark.django_db(transaction=True)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_any_sequence_ends_with_the_order_in_one_place(hub, deeds):
    with transaction.atomic():
        Node.objects.update(claim_minutes=10)
        order_of(hub)
        at = NOON
        for deed in deeds:
            at += timedelta(minutes=15)
            do(deed, at)
            check_nothing_is_lost("forgive" in deeds)
        assert len(scenes.parcels()) <= 2 * len(deeds) + 1
        transaction.set_rollback(True)
