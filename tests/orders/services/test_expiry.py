"""Unpaid orders lose their stock at the end of the channel's term, and get it again when the money comes late."""

from datetime import timedelta

import pytest

from audit.models import Case
from inventory.models import Reservation
from orders.models import Fulfillment, OrderEvent
from orders.services import expiry, holds
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import change
from tests.small_company import NOON, TESTER

TERM = timedelta(minutes=30)
END = NOON + timedelta(minutes=20)  # placed ten minutes before noon, thirty minutes to pay


@pytest.fixture
def unpaid(hub):
    hub.take(company.order_message("1", {"CUP": 10}, paid_at=None))
    assert scenes.order().reserved_until == END
    return hub


def test_before_the_end_of_the_term_nothing_happens(unpaid):
    before = scenes.everything()
    assert expiry.expire_unpaid(at=END - timedelta(seconds=1)) == 0
    assert scenes.everything() == before


def test_at_the_end_of_the_term_stock_and_room_go_back(unpaid):
    assert expiry.expire_unpaid(at=END) == 1
    assert (scenes.books()["held"], scenes.books()["room"]) == ([], [])
    order = scenes.order()
    assert (order.status, order.goods_state, order.reserved_until, order.cancelled_at) == (
        "awaiting_payment", "priced", None, None,
    )  # fmt: skip
    assert scenes.kinds()[-1] == "reservation_expired"
    assert expiry.expire_unpaid(at=END) == 0


def test_what_expired_can_be_sold_to_somebody_else(unpaid):
    company.receive(unpaid.channel, company.order_message("2", {"CUP": 20}))
    scenes.drain()
    assert scenes.order("2").status == "backordered"
    expiry.expire_unpaid(at=END)
    holds.try_again([scenes.order("2").pk], actor=TESTER, at=END)
    assert scenes.order("2").status == "released"


def test_a_late_payment_allocates_again(unpaid):
    expiry.expire_unpaid(at=END)
    unpaid.take(change(2, paid_at=END.isoformat()), at=END + timedelta(hours=1))
    assert (scenes.order().status, scenes.books()["held"]) == ("released", [("CUP", "SH", 10)])
    assert [(p.number, p.status) for p in scenes.parcels()] == [("JD-1-1", "cancelled"), ("JD-1-2", "released")]


def test_a_late_payment_finds_the_stock_gone_and_becomes_a_backorder(unpaid):
    expiry.expire_unpaid(at=END)
    unpaid.take(company.order_message("2", {"CUP": 20}))
    unpaid.take(change(2, paid_at=END.isoformat()))
    assert (scenes.order("1").status, scenes.order("2").status) == ("backordered", "released")
    assert sum(units for *_, units in scenes.books()["held"]) == 20


def test_a_paid_order_never_expires(hub):
    hub.take(company.order_message("1", {"CUP": 1}))
    before = scenes.everything()
    assert expiry.expire_unpaid(at=END + timedelta(days=30)) == 0
    assert scenes.everything() == before


def ends():
    """When the order and its active reservations end."""
    active = Reservation.objects.filter(status="active").values_list("expires_at", flat=True)
    return scenes.order().reserved_until, set(active)


def test_an_order_on_hold_keeps_its_stock_for_another_term(unpaid):
    holds.place([scenes.order().pk], reason="talking to the buyer", actor=TESTER, at=NOON)
    before = scenes.books()
    assert expiry.expire_unpaid(at=END) == 0
    assert scenes.books() == before
    assert ends() == (END + TERM, {END + TERM})
    event = OrderEvent.objects.latest("pk")
    assert (event.kind, event.actor, event.happened_at) == ("allocated", "job:expiry", END)
    assert event.detail["text"] == "The stock stays reserved after the channel's term, because the order is on hold."
    holds.lift([scenes.order().pk], actor=TESTER, at=END)
    assert expiry.expire_unpaid(at=END + TERM - timedelta(seconds=1)) == 0
    assert expiry.expire_unpaid(at=END + TERM) == 1
    assert scenes.books()["held"] == []


def test_every_further_term_under_a_hold_is_granted_without_a_word(unpaid):
    holds.place([scenes.order().pk], reason="talking to the buyer", actor=TESTER, at=NOON)
    expiry.expire_unpaid(at=END)
    count = OrderEvent.objects.count()
    assert expiry.expire_unpaid(at=END + TERM) == 0
    assert ends() == (END + 2 * TERM, {END + 2 * TERM})
    assert OrderEvent.objects.count() == count


def test_what_a_node_has_accepted_is_extended_too(unpaid):
    Fulfillment.objects.update(status="picking")
    assert expiry.expire_unpaid(at=END) == 0
    assert ends() == (END + TERM, {END + TERM})
    text = OrderEvent.objects.latest("pk").detail["text"]
    assert text == "The stock stays reserved after the channel's term, because a node has accepted the parcel."


def test_a_held_order_that_has_no_stock_is_left_alone(hub):
    hub.take(company.order_message("1", {"GHOST": 1}, paid_at=None))
    before = scenes.everything()
    assert expiry.expire_unpaid(at=END) == 0
    assert scenes.everything() == before


def test_an_unpaid_order_that_its_channel_keeps_back_holds_stock_beyond_the_term(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None, must_not_ship="deposit only"))
    assert (scenes.order().status, scenes.books()["held"]) == ("on_hold", [("CUP", "SH", 2)])
    assert expiry.expire_unpaid(at=END) == 0
    assert (ends(), scenes.books()["held"]) == ((END + TERM, {END + TERM}), [("CUP", "SH", 2)])
    hub.take(company.order_message("1", {"CUP": 2}, revision=2), at=END)
    assert (scenes.order().status, ends()) == ("released", (None, {None}))


def test_one_that_its_channel_keeps_back_gets_stock_even_after_the_term(hub):
    hub.take(company.order_message("1", {"CUP": 2}, paid_at=None, must_not_ship="deposit only"), at=END)
    assert scenes.books()["held"] == [("CUP", "SH", 2)]
    expiry.expire_unpaid(at=END)
    assert ends() == (END + TERM, {END + TERM})


def test_an_unpaid_backorder_that_expires_closes_its_case(hub):
    hub.take(company.order_message("1", {"CUP": 25}, paid_at=None))
    assert Case.objects.get().status == "open"
    expiry.expire_unpaid(at=END)
    assert Case.objects.get().status == "resolved"


def test_an_unpaid_order_that_comes_after_its_term_gets_no_stock(hub):
    hub.take(company.order_message("1", {"CUP": 1}, paid_at=None), at=END)
    assert (scenes.order().status, scenes.books()["held"]) == ("awaiting_payment", [])


def test_the_limit_takes_the_longest_due_first(hub):
    for number, minutes in (("1", 5), ("2", 25), ("3", 15)):
        placed = (NOON - timedelta(minutes=minutes)).isoformat()
        hub.take(company.order_message(number, {"CUP": 1}, paid_at=None, placed_at=placed))
    assert expiry.expire_unpaid(at=NOON + timedelta(days=1), limit=2) == 2
    assert [scenes.order(n).reserved_until is None for n in "123"] == [False, True, True]
