"""Back-tests at the desk: asked for, stopped, read, and a version tried on ten orders."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from guardian.shortcuts import assign_perm

from audit.rules.sentences import say
from orders.models import Backtest
from orders.services import backtests
from promotions.models import Promotion, PromotionVersion, Scope
from promotions.rules.conditions import OnChannel
from promotions.rules.rewards import FreeShipping, SpendAndSave, Step
from promotions.rules.rule import Rule
from tests.orders.services.conftest import hub
from tests.promotions.services.scenes import submitted
from tests.small_company import NOON, order_message

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


FORM = {"kind": "save", "condition-0-mode": "all", "steps-0-at_least": "20", "steps-0-off": "5", "returns_uses": "on"}


def rows(answer):
    """Return what the table of orders says: order, outcome, before, after."""
    return [(one["order"], one["outcome"], one["before"], one["after"]) for one in answer.context["examples"]]


def test_the_builders_form_is_tried_on_ten_real_orders_and_nothing_is_kept(hub, admin_client):
    hub.channel.is_priced_here = True
    hub.channel.save()
    hub.take(*(order_message(f"{n:02}", {"CUP": 1 + n % 2}) for n in range(10)))
    before = (Backtest.objects.count(), PromotionVersion.objects.count(), Promotion.objects.count())
    answer = admin_client.post(f"{BASE}form/", FORM | {"starts_at": "2030-01-01T00:00", "code": "NEXT"})
    assert "It takes 5.00 off." in answer.content.decode()
    assert [row[1:] for row in rows(answer)] == [("applied", "20.00", "15.00")] * 5 + [
        ("nothing_left", "10.00", "10.00")
    ] * 5
    assert (Backtest.objects.count(), PromotionVersion.objects.count(), Promotion.objects.count()) == before


def test_of_many_orders_those_that_it_changes_come_first_and_some_others_follow(hub, admin_client):
    hub.channel.is_priced_here = True
    hub.channel.save()
    early, late = (NOON - timedelta(hours=2)).isoformat(), (NOON - timedelta(minutes=1)).isoformat()
    hub.take(*(order_message(f"H{n}", {"LID": 2}, placed_at=early) for n in range(5)))
    hub.take(*(order_message(f"G{n}", {"CUP": 2}, placed_at=early) for n in range(4)))
    hub.take(*(order_message(f"L{n}", {"CUP": 1}, placed_at=late) for n in range(6)))
    outcomes = [outcome for _order, outcome, *_totals in rows(admin_client.post(f"{BASE}form/", FORM))]
    assert outcomes == ["applied"] * 7 + ["nothing_left"] * 3


def test_a_form_that_cannot_stand_is_not_tried_and_says_why(version, admin_client):
    answer = admin_client.post(f"{BASE}form/", FORM | {"steps-0-off": "50", "budget": "x"})
    assert "Enter a number." in answer.content.decode()
    answer = admin_client.post(f"{BASE}form/", FORM | {"steps-0-off": "50"})
    assert "takes off ¥50: more than the goods cost." in answer.content.decode()
    assert answer.context.get("examples") == []


def test_one_that_failed_shows_its_reason_and_is_tried_again(version, admin_client):
    admin_client.post(f"{BASE}ask/{version.pk}/")
    row = Backtest.objects.get()
    Backtest.objects.update(status="failed", why=say("This version is not there any more.").stored())
    page = admin_client.get(f"{BASE}{row.pk}/change/").content.decode()
    assert "This version is not there any more." in page
    assert f"{BASE}again/{row.pk}/" in page
    assert admin_client.post(f"{BASE}again/{row.pk}/")["location"] == f"{BASE}{row.pk}/change/"
    row.refresh_from_db()
    assert (row.status, row.why) == ("waiting", {})
    answer = admin_client.post(f"{BASE}again/{row.pk}/", follow=True)
    assert "Only one that failed or was stopped can be tried again." in answer.content.decode()


def test_whoever_answers_for_its_channel_tries_a_version_and_nobody_elses(version, hub, client):
    person = User.objects.create_user("of JD", is_staff=True)
    assign_perm("approve_in_scope", person, Scope.objects.create(kind="channel", code="JD"))
    client.force_login(person)
    ours = submitted("OURS", Rule(reward=FreeShipping(), condition=OnChannel(("JD",))))
    assert client.get(f"{BASE}try/{ours.pk}/").status_code == 200
    assert client.get(f"{BASE}try/{version.pk}/").status_code == 403
    assert client.post(f"{BASE}ask/{version.pk}/").status_code == 403
    assert not Backtest.objects.exists()


def test_without_the_right_nothing_is_tried(version, client):
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.post(f"{BASE}ask/{version.pk}/").status_code == 403
    assert client.get(f"{BASE}try/{version.pk}/").status_code == 403
    assert client.post(f"{BASE}form/", FORM).status_code == 403
    failed = Backtest.objects.create(
        promotion_code="SAVE", version_number=1, status="failed", starts_at=NOON, ends_at=NOON, asked_at=NOON
    )
    assert client.post(f"{BASE}again/{failed.pk}/").status_code == 403
    assert Backtest.objects.get().status == "failed"
