"""A node's parcels of a day."""

from datetime import date, timedelta

import pytest

from inventory.models import NodeDay
from inventory.queries import promise
from inventory.services import capacity
from tests import small_company as company

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 2)


@pytest.fixture
def small():
    return company.node("SH", parcels_per_day=3)


@pytest.fixture
def large():
    return company.node("WH", "42", parcels_per_day=100)


def used(node, day_date=TODAY):
    return NodeDay.objects.filter(node=node, day_date=day_date).values_list("capacity", "used").first()


def test_room_is_taken_up_to_the_last_place(small):
    assert capacity.claim({small.pk: 2}, day_date=TODAY) == set()
    assert capacity.claim({small.pk: 1}, day_date=TODAY) == set()
    assert used(small) == (3, 3)


def test_a_full_node_is_named_and_left_as_it_was_while_others_are_taken(small, large):
    capacity.claim({small.pk: 2}, day_date=TODAY)
    assert capacity.claim({small.pk: 2, large.pk: 5}, day_date=TODAY) == {small.pk}
    assert (used(small), used(large)) == ((3, 2), (100, 5))


def test_a_negative_count_gives_room_back_and_never_below_nothing(small):
    capacity.claim({small.pk: 3}, day_date=TODAY)
    assert capacity.claim({small.pk: -2}, day_date=TODAY) == set()
    assert used(small) == (3, 1)
    assert capacity.claim({small.pk: -5}, day_date=TODAY) == set()
    assert used(small) == (3, 0)


def test_days_do_not_share_their_room(small):
    capacity.claim({small.pk: 3}, day_date=TODAY)
    tomorrow = TODAY + timedelta(days=1)
    assert capacity.claim({small.pk: 1}, day_date=tomorrow) == set()
    assert (used(small), used(small, tomorrow)) == ((3, 3), (3, 1))


def test_nothing_wanted_touches_nothing(small):
    assert capacity.claim({small.pk: 0}, day_date=TODAY) == set()
    assert capacity.claim({}, day_date=TODAY) == set()
    assert NodeDay.objects.count() == 0


def test_a_node_that_does_not_exist_has_no_room():
    assert capacity.claim({999_999: 1}, day_date=TODAY) == {999_999}


def test_the_room_left_is_told_for_every_node(small, large):
    capacity.claim({small.pk: 2}, day_date=TODAY)
    assert promise.nodes_with_room(TODAY) == [(small, 1), (large, 100)]
