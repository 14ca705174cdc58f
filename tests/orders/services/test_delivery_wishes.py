"""How the buyer wants the goods, and until when: as the channel told it first."""

from datetime import timedelta

import pytest

from tests import small_company as company
from tests.orders.services.scenes import Shop, order
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
FRIDAY = NOON + timedelta(days=4)


def test_an_order_keeps_how_and_until_when_it_was_promised(hub: Shop):
    hub.take(company.order_message("1", {"CUP": 1}, delivery_method="express", deliver_by=FRIDAY.isoformat()))

    assert (order().method, order().deliver_by) == ("express", FRIDAY)


def test_an_order_without_wishes_goes_the_usual_way(hub: Shop):
    hub.take(company.order_message("1", {"CUP": 1}))

    assert (order().method, order().deliver_by) == ("standard", None)


def test_a_promise_is_never_moved_and_one_that_comes_late_is_kept(hub: Shop):
    later = FRIDAY + timedelta(days=3)
    hub.take(
        company.order_message("1", {"CUP": 1}, deliver_by=FRIDAY.isoformat()), company.order_message("2", {"CUP": 1})
    )
    hub.take(*(company.order_message(n, {"CUP": 1}, revision=2, deliver_by=later.isoformat()) for n in ("1", "2")))

    assert (order("1").deliver_by, order("2").deliver_by) == (FRIDAY, later)
