"""Back-tests at the desk: asked for, stopped, read, and a version tried on ten orders."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from orders.models import Backtest
from orders.services import backtests
from promotions.rules.rewards import SpendAndSave, Step
from promotions.rules.rule import Rule
from tests.orders.services.conftest import hub
from tests.promotions.services.scenes import submitted
from tests.small_company import order_message

__all__ = ["hub"]
pytestmark = pytest.mark.django_db
BASE = "/admin/orders/backtest/"


@pytest.fixture
def version(hub):
    hub.channel.is_priced_here = True
    hub.channel.save()
    hub.take(order_message("1", {"CUP": 1}), order_message("2", {"CUP": 2}))
    return submitted("SAVE", Rule(reward=SpendAndSave((Step(Decimal(20), Decimal(5)),))))


def test_a_back_test_is_asked_for_and_its_page_tells_what_it_found(version, admin_client):
    answer = admin_client.post(f"{BASE}ask/{version.pk}/", {"days": "400"})
    row = Backtest.objects.get()
    assert (answer.status_code, answer["location"]) == (302, f"{BASE}{row.pk}/change/")
    backtests.run_waiting()
    page = admin_client.get(answer["location"]).content.decode()
    assert "it would have applied to 1." in page
    assert "It would have taken 5.00 more off" in page
    assert "SAVE v1" in admin_client.get(BASE).content.decode()


def test_a_running_one_shows_its_bar_and_is_stopped(version, admin_client):
    admin_client.post(f"{BASE}ask/{version.pk}/")
    row = Backtest.objects.get()
    Backtest.objects.update(status="running", orders_total=10, orders_done=4)
    assert '<progress max="10" value="4">' in admin_client.get(BASE).content.decode()
    admin_client.post(f"{BASE}stop/{row.pk}/")
    assert Backtest.objects.get().status == "stopped"


def test_a_version_is_tried_on_chosen_orders(version, admin_client):
    page = admin_client.get(f"{BASE}try/{version.pk}/", {"orders": "JD-2"}).content.decode()
    assert "It takes 5.00 off." in page
    assert "JD-1" not in page


def test_days_that_are_not_possible_are_refused(version, admin_client):
    for days in ("0", "401", "x"):
        assert admin_client.post(f"{BASE}ask/{version.pk}/", {"days": days})["location"] == BASE
    assert not Backtest.objects.exists()


def test_without_the_right_nothing_is_tried(version, client):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.post(f"{BASE}ask/{version.pk}/").status_code == 403
    assert client.get(f"{BASE}try/{version.pk}/").status_code == 403
    assert not Backtest.objects.exists()
