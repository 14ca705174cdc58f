"""Orders of one buyer at once: only one of them is the first, in one batch and between two workers."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest

from channels.models import InboundMessage
from orders.models import Customer, Hold, Order, OrderPricing
from orders.queries import buyers
from orders.services import baskets, pipeline
from promotions.rules.conditions import Member, OrdersBefore
from promotions.rules.goods import Goods
from promotions.rules.rewards import FreeShipping, PurchaseLimit, SpendAndSave, Step
from promotions.rules.rule import Rule
from tests import small_company as company
from tests.orders.services.scenes import order
from tests.promotions.services.scenes import live
from tests.races import race
from tests.small_company import NOON, order_message

pytestmark = pytest.mark.django_db
THREE_A_WEEK = Rule(reward=PurchaseLimit(units=3, days=7, goods=Goods(skus=("CUP",))))
FIRST_5_OFF = Rule(reward=SpendAndSave((Step(Decimal(20), Decimal(5)),)), condition=OrdersBefore(at_most=0))
EARLY = (NOON - timedelta(hours=1)).isoformat()
PATIENCE = 1.5  # seconds in which the other worker would have come as far, if it could


def cups(number, units=2, **facts):
    return order_message(number, {"CUP": units}, buyer_key="b", **facts)


def test_two_first_orders_in_one_batch_do_not_both_stay_below_a_limit(hub):
    live("LIMIT", THREE_A_WEEK)
    hub.take(cups("1"), cups("2"))
    assert [order(n).status for n in "12"] == ["released", "on_hold"]
    assert Hold.objects.get().reason["values"] == {"here": 2, "before": 2, "days": 7, "most": 3}
    assert Customer.objects.count() == 1


def test_in_a_batch_the_order_that_was_placed_first_is_the_first(hub):
    live("LIMIT", THREE_A_WEEK)
    hub.take(cups("1"), cups("2", placed_at=EARLY))
    assert [order(n).status for n in "12"] == ["on_hold", "released"]


def test_what_a_known_buyer_takes_in_one_batch_is_counted_together(hub):
    hub.take(cups("0", 1))
    live("LIMIT", THREE_A_WEEK)
    hub.take(cups("1", 1), cups("2", 1), cups("3", 1))
    assert [order(n).status for n in "0123"] == ["released", "released", "released", "on_hold"]
    assert Hold.objects.get().reason["values"] == {"here": 1, "before": 3, "days": 7, "most": 3}


def test_other_buyers_and_cancelled_orders_of_a_batch_do_not_count(hub):
    live("LIMIT", THREE_A_WEEK)
    hub.take(
        cups("1", cancelled_at=NOON.isoformat(), placed_at=EARLY),
        order_message("2", {"CUP": 2}, buyer_key="c"),
        order_message("3", {"LID": 3}, buyer_key="b", placed_at=EARLY),
        cups("4"),
    )
    assert [order(n).status for n in "1234"] == ["cancelled", "released", "released", "released"]


def test_a_changed_order_is_not_counted_with_itself_nor_with_those_after_it(hub):
    live("LIMIT", THREE_A_WEEK)
    hub.take(cups("1", paid_at=None))
    hub.take(cups("2", 1))
    hub.take(cups("1", 3, paid_at=None, revision=2))
    assert ([order(n).status for n in "12"], Hold.objects.count()) == (["awaiting_payment", "released"], 0)


def test_of_two_orders_of_one_moment_one_is_the_first(hub):
    hub.channel.is_priced_here = True
    hub.channel.save()
    live("FIRST", FIRST_5_OFF)
    hub.take(cups("1"), cups("2"))
    hub.take(cups("3"))
    assert [order(n).total_amount for n in "123"] == [Decimal(15), Decimal(20), Decimal(20)]


def test_an_order_priced_again_meets_the_buyer_as_they_were(hub):
    """A tier that came later and orders that came late change nothing; without the pins both would."""
    hub.channel.is_priced_here = True
    hub.channel.save()
    live("FIRST", FIRST_5_OFF)
    live("GOLD", Rule(reward=FreeShipping(), condition=Member(("gold",))))
    hub.take(cups("1", paid_at=None, member_tier="silver", shipping_amount="8.00"))
    hub.take(cups("2", placed_at=EARLY, member_tier="gold"))
    assert Customer.objects.get().tier == "gold"
    hub.take(cups("1", 3, paid_at=None, revision=2, shipping_amount="8.00"))
    assert order("1").total_amount == Decimal(33)
    then = {"tier": "silver", "segments": [], "orders_before": 0}
    assert list(OrderPricing.objects.filter(order__external_id="1").values_list("buyer_facts", flat=True)) == [then] * 2


def test_an_order_from_before_the_buyer_was_pinned_is_pinned_when_it_is_priced_again(hub):
    hub.channel.is_priced_here = True
    hub.channel.save()
    live("FIRST", FIRST_5_OFF)
    hub.take(cups("1", paid_at=None))
    OrderPricing.objects.update(buyer_facts={})
    hub.take(cups("2", placed_at=EARLY))
    hub.take(cups("1", 3, paid_at=None, revision=2))
    assert order("1").total_amount == Decimal(30)
    assert OrderPricing.objects.order_by("pk").last().buyer_facts["orders_before"] == 1


@pytest.fixture
def two_first_orders(standard_reasons):
    """Two messages of one buyer whom nobody knows yet, for two workers."""
    channel = company.channel()
    cup = company.sku("CUP")
    company.stock(cup, company.node("SH"), 50)
    live("LIMIT", THREE_A_WEEK)
    company.receive(channel, cups("1"), cups("2"))
    return [[pk] for pk in InboundMessage.objects.order_by("pk").values_list("pk", flat=True)]


def _meet_while_reading(monkeypatch):
    """Let each worker wait, after it has read what the buyer bought, until the other has read it too."""
    both, bought = Barrier(2), buyers.bought

    def read(*args, **facts):
        found = bought(*args, **facts)
        with suppress(BrokenBarrierError):
            both.wait(PATIENCE)
        return found

    monkeypatch.setattr(buyers, "bought", read)


def _race(messages):
    results = race([partial(pipeline.drain, at=lambda: NOON, message_ids=ids) for ids in messages])
    assert [result for result in results if isinstance(result, Exception)] == []
    return sorted(Order.objects.values_list("status", flat=True))


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_with_a_new_buyers_first_orders_one_holds_its_order(two_first_orders, monkeypatch):
    _meet_while_reading(monkeypatch)
    assert _race(two_first_orders) == ["on_hold", "released"]
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_meeting_the_buyer_first_both_orders_go_through(two_first_orders, monkeypatch):
    """The control: buyers are saved with their orders, as they are while no rule looks back."""
    _meet_while_reading(monkeypatch)
    monkeypatch.setattr(baskets, "_meet_buyers", _save_without_waiting)
    assert _race(two_first_orders) == ["released", "released"]


def _save_without_waiting(batch, works, _books):
    """Give new buyers keys of their own for the time of reading; the order's row meets the real one when saved."""
    for place, work in enumerate(works):
        if work.order.customer is not None and work.order.customer.pk is None:
            work.order.customer.pk = -1 - place
