"""Orders that their channel closes line by line: a newer view may sell lines again, a cancel is for good."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from audit.models import Case
from channels.adapters import registry
from orders.models import Order
from orders.services import cancellation, holds, waiting
from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import address, change
from tests.orders.services.speaking import Speaker, refund, tell
from tests.small_company import NOON, TESTER


def view(revision, *, cups=25, cancelled=(), **facts):
    """A view of an unpaid order of cups and a lid: more than there is; these lines of it are cancelled."""
    message = company.order_message("1", {"CUP": cups, "LID": 1}, **({"paid_at": None, "revision": revision} | facts))
    message["lines"] = [line | {"is_cancelled": line["external_id"] in cancelled} for line in message["lines"]]
    return message


FIRST, CLOSED, AGAIN = view(1), view(3, cancelled="12"), view(5, cups=22, cancelled="2")
PAID = change(4, paid_at=NOON.isoformat())
MOVED = change(6, address=address("湖北省", "武汉市"))
CANCELLED = change(4, cancelled_at=NOON.isoformat(), cancel_reason="changed mind")
LID_BACK = refund("refunded", 2, amount="10.00", lines={"2": 1})
SOME_CUPS_BACK = refund("refunded", 2, amount="20.00", lines={"1": 2})
ALL_BACK = refund("refunded", 6, amount="300.00")


@pytest.fixture(autouse=True)
def speaker(monkeypatch):
    monkeypatch.setitem(registry.BY_NAME, "house", Speaker())


def take(hub, mails, number):
    """Let facts about this order come together."""
    for mail in mails:
        if isinstance(mail, dict):
            company.receive(hub.channel, mail | {"external_id": number})
        else:
            tell(hub.channel, type(mail)(**{**vars(mail), "external_id": number}))
    scenes.drain()


def end(number):
    order = scenes.order(number)
    return (
        order.status, order.money_state, order.cancelled_at, order.cancel_reason, order.reserved_until,
        order.total_amount, order.paid_amount, order.region,
        sorted(order.holds.filter(lifted_at__isnull=True).values_list("kind", flat=True)),
        list(order.lines.filter(is_cancelled=False).values_list("external_id", "quantity", "quantity_allocated")),
    )  # fmt: skip


SETS = [
    pytest.param([FIRST, CLOSED, AGAIN], "awaiting_payment", 1, id="sold again"),
    pytest.param([FIRST, CLOSED, AGAIN], "awaiting_payment", 3, id="sold again, all at once"),
    pytest.param([FIRST, CLOSED, AGAIN, PAID], "backordered", 2, id="sold again and paid, two at once"),
    pytest.param([FIRST, CLOSED, AGAIN, PAID], "backordered", 1, id="sold again and paid"),
    pytest.param([CLOSED, AGAIN, PAID, MOVED], "backordered", 1, id="known closed, moved"),
    pytest.param([FIRST, CLOSED, AGAIN, CANCELLED], "cancelled", 1, id="cancelled for good"),
    pytest.param([FIRST, CLOSED, AGAIN, LID_BACK], "awaiting_payment", 1, id="one line refunded"),
    pytest.param([FIRST, view(3, cancelled="1"), AGAIN, LID_BACK], "awaiting_payment", 1, id="closed by a refund"),
    pytest.param([FIRST, CLOSED, AGAIN, ALL_BACK], "cancelled", 1, id="all refunded"),
    pytest.param([FIRST, CLOSED, AGAIN, SOME_CUPS_BACK], "on_hold", 1, id="some units refunded"),
    pytest.param([FIRST, AGAIN, view(7, cancelled="12")], "cancelled", 1, id="closed in the end"),
]


@pytest.mark.parametrize(("facts", "status", "at_once"), SETS)
def test_facts_in_any_order_end_as_the_newest_view_says(hub, facts, status, at_once):
    free, ends = scenes.books(), {}
    for place, mails in enumerate(permutations(facts)):
        number = str(100 + place)
        for first in range(0, len(mails), at_once):
            take(hub, mails[first : first + at_once], number)
        waiting.wake(at=NOON)
        scenes.drain()
        ends[place] = end(number)
        take(hub, [change(90, cancelled_at=NOON.isoformat())], number)
        assert scenes.books() == free
    assert ends == dict.fromkeys(ends, ends[0])
    assert ends[0][0] == status


def test_without_opening_again_the_order_of_the_facts_would_decide(hub, monkeypatch):
    monkeypatch.setattr(cancellation, "is_closed", lambda order: False)
    take(hub, [FIRST, CLOSED], "in-order")
    take(hub, [AGAIN], "in-order")
    take(hub, [FIRST, AGAIN], "overtaken")
    take(hub, [CLOSED], "overtaken")
    assert [scenes.order(number).status for number in ("in-order", "overtaken")] == ["cancelled", "awaiting_payment"]


def test_an_order_that_is_sold_again_is_reserved_priced_and_told_anew(hub):
    hub.take(view(1, cups=2))
    before, term = scenes.books(), scenes.order().reserved_until
    hub.take(CLOSED)
    assert (scenes.order().status, scenes.order().cancel_reason, scenes.order().reserved_until) == (
        "cancelled", "no line was left", None,
    )  # fmt: skip
    assert scenes.books()["held"] == []
    hub.take(view(5, cups=2))
    order = scenes.order()
    assert (order.status, order.cancelled_at, order.cancel_reason) == ("awaiting_payment", None, "")
    assert (scenes.books(), order.reserved_until, order.total_amount) == (before, term, Decimal("30.00"))
    assert scenes.kinds()[-4:] == ["changed", "changed", "priced", "allocated"]


def test_an_unpaid_order_whose_term_is_over_gets_no_other(hub):
    hub.take(view(1, cups=2))
    hub.take(CLOSED)
    late = scenes.order().placed_at + timedelta(days=2)
    hub.take(view(5, cups=2), at=late)
    order = scenes.order()
    assert (order.status, order.reserved_until < late, scenes.books()["held"]) == ("awaiting_payment", True, [])


def test_a_close_and_a_sale_that_come_together_tell_nobody_of_a_cancel(hub):
    hub.take(FIRST)
    hub.take(CLOSED, AGAIN)
    assert "cancelled" not in scenes.kinds()
    assert scenes.order().status == "awaiting_payment"


def test_what_a_person_holds_an_order_for_outlasts_its_closing(hub):
    hub.take(view(1, cups=2))
    holds.place([scenes.order().pk], reason="call the buyer", actor=TESTER, at=NOON)
    hub.take(CLOSED)
    assert (scenes.order().status, scenes.order().open_holds) == ("cancelled", 1)
    hub.take(view(5, cups=2, paid_at=NOON.isoformat()))
    assert (scenes.order().status, scenes.order().open_holds, scenes.parcels()[-1].status) == (
        "on_hold",
        1,
        "cancelled",
    )
    assert list(Case.objects.values_list("kind", "status")) == [("manual", "open")]


def test_a_cancel_after_the_close_lifts_what_a_person_held_it_for(hub):
    hub.take(view(1, cups=2))
    holds.place([scenes.order().pk], reason="call the buyer", actor=TESTER, at=NOON)
    hub.take(CLOSED)
    hub.take(CANCELLED)
    order = scenes.order()
    assert (order.cancelled_at, order.cancel_reason, order.open_holds) == (NOON, "changed mind", 0)
    hub.take(AGAIN)
    assert (scenes.order().status, scenes.order().cancel_reason) == ("cancelled", "changed mind")


def test_an_order_that_a_person_cancelled_is_not_opened_by_a_view(hub):
    hub.take(view(1, cups=2))
    cancellation.cancel([scenes.order().pk], reason="fraud", actor=TESTER, at=NOON)
    hub.take(CLOSED)
    hub.take(AGAIN)
    assert Order.objects.values_list("status", "cancel_reason").get() == ("cancelled", "fraud")
    assert scenes.books()["held"] == []
