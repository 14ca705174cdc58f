"""Unpaid orders lose their stock at the end of the channel's term, and get it again when the money comes late."""

from datetime import timedelta

import pytest

from audit.models import Case
from orders.services import expiry, holds
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import change
from tests.small_company import NOON, TESTER

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


def test_an_order_on_hold_keeps_its_stock(unpaid):
    holds.place([scenes.order().pk], reason="talking to the buyer", actor=TESTER, at=NOON)
    before = scenes.books()
    assert expiry.expire_unpaid(at=END) == 0
    assert scenes.books() == before
    holds.lift([scenes.order().pk], actor=TESTER, at=END)
    assert expiry.expire_unpaid(at=END) == 1


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
