"""Plans made without a lock meet others: what changed meanwhile is not moved, and a set moves whole or not at all."""

from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from django.db import transaction

from inventory.models import NodeDay
from orders.models import Fulfillment, Order, RoutingDecision, RoutingRun
from orders.rules.routing import moves
from orders.services import batch as batches
from orders.services import cancellation, gathering, moving, pipeline, reoptimising
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.test_reoptimising import SOON, publish
from tests.races import PATIENCE, race
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db(transaction=True)
DUE = NOON + timedelta(minutes=31)


@pytest.fixture
def squeezed(db):
    """One cup is left at SH; it goes to order 1, so that order 2 with its lid is sent in two parcels."""
    cup, lid = company.sku("CUP"), company.sku("LID")
    near, far = company.node("SH"), company.node("WH", "42")
    for sku, node, units in ((cup, near, 1), (lid, near, 10), (cup, far, 10)):
        company.stock(sku, node, units)
    hub = scenes.Shop(company.channel(), cup, lid, near, far)
    publish()
    hub.take(company.order_message("1", {"CUP": 1}))
    hub.take(company.order_message("2", {"CUP": 1, "LID": 1}))
    assert where() == [("JD-1-1", "SH", "planned"), ("JD-2-1", "SH", "planned"), ("JD-2-2", "WH", "planned")]
    yield hub
    scenes.assert_books_add_up()


def where():
    live = Fulfillment.objects.exclude(status="cancelled").order_by("order_id", "node__code")
    return list(live.values_list("number", "node__code", "status"))


def planned_and_solved():
    found = gathering.read(at=SOON)
    return found, *reoptimising.solve(found, seconds=5)


def new(found, joined, number):
    """Return the move of one order by itself to WH."""
    place = [one.demand.reference for one in joined.candidates].index(number)
    wish, far = joined.joint.wishes[place], [node.code for node in joined.nodes].index("WH")
    plan = ((far, wish.shape.whole),)
    move = moves.Move(place, wish.kept, plan, wish.cost(wish.kept), wish.cost(plan))
    return reoptimising.Plans(found, joined).new(move, 1)


def release():
    """Release what is due, as the pipeline does."""
    with transaction.atomic():
        batch = batches.load(Order.objects.values_list("pk", flat=True), at=DUE, actor=TESTER)
        pipeline.walk(batch)
        batch.write()


def cancel(number="JD-1"):
    return cancellation.cancel([Order.objects.get(number=number).pk], reason="", actor=TESTER, at=SOON)


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        pytest.param(lambda _hub: release(), "released", id="released"),
        pytest.param(lambda _hub: cancel(), "changed", id="cancelled"),
        pytest.param(
            lambda hub: hub.take(scenes.change(2, "1", cancelled_at=NOON.isoformat())), "changed", id="by channel"
        ),
        pytest.param(lambda _hub: reoptimising.run(at=SOON, actor=TESTER), "changed", id="moved by another"),
    ],
)
def test_what_changed_while_the_plan_was_made_is_left_as_it_is(squeezed, meanwhile, why):
    found, joined, answer = planned_and_solved()
    meanwhile(squeezed)
    before = scenes.everything()
    made, refused = reoptimising.apply(found, joined, answer, TESTER, SOON)
    assert (made, dict(refused)) == ([], {why: 1})
    assert scenes.everything() == before


def test_a_set_whose_stock_others_took_moves_nothing_at_all(squeezed):
    found, joined, _answer = planned_and_solved()
    squeezed.take(company.order_message("3", {"CUP": 9}))
    before = scenes.everything()
    with pytest.raises(moving.NotMoved) as refused:
        moving.move([new(found, joined, "JD-1")], actor=TESTER, at=SOON)
    assert (refused.value.number, refused.value.why) == ("JD-1", "taken")
    assert scenes.everything() == before


def test_a_node_that_is_full_meanwhile_moves_nothing_at_all(squeezed):
    found, joined, _answer = planned_and_solved()
    NodeDay.objects.filter(node__code="WH").update(capacity=1)
    before = scenes.everything()
    with pytest.raises(moving.NotMoved) as refused:
        moving.move([new(found, joined, "JD-1")], actor=TESTER, at=SOON)
    assert (refused.value.number, refused.value.why) == ("JD-1", "taken")
    assert scenes.everything() == before


def test_only_one_of_many_who_move_the_same_set_at_once_does_it(squeezed):
    found, joined, answer = planned_and_solved()
    results = race([partial(reoptimising.apply, found, joined, answer, TESTER, SOON)] * 4)
    assert sorted(len(made) for made, _refused in results) == [0, 0, 0, 2]
    assert [dict(refused) for made, refused in results if not made] == [{"changed": 1}] * 3
    assert where() == [("JD-1-2", "WH", "planned"), ("JD-2-3", "SH", "planned")]
    assert RoutingDecision.objects.filter(kind="batch").count() == 2


def test_without_the_lock_the_same_order_is_planned_twice(squeezed):
    """The control: look whether it is planned still, then write, as it is often written."""
    everybody_has_read = Barrier(4)
    order = Order.objects.get(number="JD-1")

    def move_naively(number):
        with transaction.atomic():
            old = list(Fulfillment.objects.filter(order=order, status="planned").values_list("pk", flat=True))
            everybody_has_read.wait(PATIENCE)
            if old:
                Fulfillment.objects.filter(pk__in=old).update(status="cancelled")
                Fulfillment.objects.create(number=f"twice-{number}", order=order, node=squeezed.far, planned_at=SOON)

    assert race([partial(move_naively, n) for n in range(4)]) == [None] * 4
    assert Fulfillment.objects.filter(order=order, status="planned").count() == 4
    Fulfillment.objects.filter(number__startswith="twice").delete()
    Fulfillment.objects.filter(order=order).update(status="planned")


@pytest.mark.parametrize("turn", range(3))
def test_moving_beside_releases_and_cancellations_leaves_every_order_whole(squeezed, turn):
    found, joined, answer = planned_and_solved()
    deeds = [partial(reoptimising.apply, found, joined, answer, TESTER, SOON), release, cancel]
    results = race(deeds[turn:] + deeds[:turn])
    assert [result for result in results if isinstance(result, Exception)] == []
    cancelled = Order.objects.get(number="JD-1").cancelled_at is not None
    live = {}
    for number, node, _status in where():
        live.setdefault(number.rsplit("-", 1)[0], []).append(node)
    moved = RoutingDecision.objects.filter(kind="batch").exists()
    assert live.get("JD-1", []) == ([] if cancelled else (["WH"] if moved else ["SH"]))
    assert live["JD-2"] == (["SH"] if moved else ["SH", "WH"])
    released = Fulfillment.objects.filter(status="released")
    assert not Fulfillment.objects.filter(status="cancelled", released_at__isnull=False).exists()
    assert released.filter(order__number="JD-2").count() == len(live["JD-2"])


def test_two_rounds_at_once_are_one(squeezed):
    results = race([partial(reoptimising.run, at=SOON, actor=TESTER)] * 3)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(result.result["moved"] for result in results if result is not None) == 2
    assert RoutingRun.objects.filter(kind="batch").count() == sum(result is not None for result in results)
    assert where() == [("JD-1-2", "WH", "planned"), ("JD-2-3", "SH", "planned")]
