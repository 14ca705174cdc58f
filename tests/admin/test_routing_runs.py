"""Rounds of routing at the desk: both sides, what was moved, and planning together now."""

import pytest

from orders.models import Fulfillment, RoutingRun
from orders.services import reoptimising
from tests.orders.services.conftest import hub
from tests.orders.services.test_reoptimising import SOON, squeezed
from tests.small_company import NOON, TESTER

__all__ = ["hub", "squeezed"]
pytestmark = pytest.mark.django_db
BASE = "/admin/orders/routingrun/"


def test_a_round_shows_both_sides_the_proof_and_its_moves(squeezed, admin_client):
    run = reoptimising.run(at=SOON, actor=TESTER)
    page = admin_client.get(f"{BASE}{run.pk}/change/").content.decode()
    for words in ("One by one", "Together", "Late orders", "No plan is cheaper: proven.", "0.00 per cent above",
                  "JD-1", "JD-2", "SH, WH", "-33.3 %"):  # fmt: skip
        assert words in page
    assert f"¥{run.result['after']['cost']:,.2f}" in page
    assert "RoutingRun" not in page


def test_the_list_shows_what_was_saved(squeezed, admin_client):
    run = reoptimising.run(at=SOON, actor=TESTER)
    page = admin_client.get(BASE, {"kind": "batch"}).content.decode()
    assert f"¥{run.result['before']['cost'] - run.result['after']['cost']:,.2f}" in page
    assert "Plan together now" in page


def test_a_round_that_planned_orders_one_by_one_has_a_page_too(hub, admin_client):
    run = RoutingRun.objects.create(kind="online", decided_at=NOON, orders_count=3, milliseconds=12, body=b"")
    page = admin_client.get(f"{BASE}{run.pk}/change/").content.decode()
    assert "Orders were planned one by one, as they came." in page
    assert "0.0 s" in admin_client.get(BASE).content.decode()


def test_planning_together_now_leads_to_the_round(squeezed, admin_client):
    Fulfillment.objects.update(release_after="2099-01-01T00:00:00Z")
    answer = admin_client.post(f"{BASE}plan/")
    run = RoutingRun.objects.get(kind="batch")
    assert (answer.status_code, answer["location"]) == (302, f"{BASE}{run.pk}/change/")
    assert run.result["moved"] == 2


def test_when_nothing_waits_the_button_says_so(hub, admin_client):
    page = admin_client.post(f"{BASE}plan/", follow=True).content.decode()
    assert "No order waits that could be planned again" in page
    assert RoutingRun.objects.count() == 0


def test_only_who_may_choose_nodes_plans_together(squeezed, clerk):
    browser = clerk("orders.view_routingrun")
    assert "Plan together now" not in browser.get(BASE).content.decode()
    assert browser.post(f"{BASE}plan/").status_code == 403
    assert RoutingRun.objects.filter(kind="batch").count() == 0
    assert clerk("orders.view_order").get(BASE).status_code == 403


def test_the_list_takes_as_many_queries_for_three_rounds_as_for_one(hub, admin_client, django_assert_max_num_queries):
    def rounds(count):
        for _number in range(count):
            RoutingRun.objects.create(kind="online", decided_at=NOON, orders_count=3, milliseconds=12, body=b"")

    rounds(1)
    admin_client.get(BASE)
    with django_assert_max_num_queries(14) as first:
        admin_client.get(BASE)
    rounds(2)
    with django_assert_max_num_queries(len(first)):
        admin_client.get(BASE)
