"""Pilots at the desk: who may start and end them, and what their page says of both arms."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone, translation

from audit.services.versions import Deed
from inventory.models import Node
from orders.admin import pilot as page
from orders.models import RoutingDecision, RoutingPilot, RoutingPolicyVersion
from orders.rules.routing.policy import Group, Hard, Policy
from orders.rules.routing.statistics import Sample, Share
from orders.services import acting, pilots
from orders.services.pilots import Arm, Comparison
from tests.orders.services.test_pilots import version_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_routingpilot_changelist")
ADD = reverse("admin:orders_routingpilot_add")
VIEW, RUN, SUBMIT = "orders.view_routingpilot", "orders.run_routingpilot", "orders.change_routingpolicy"
EVERYWHERE = Policy(groups=(Group(name="all"),))


def begun(share=50):
    person, _ = User.objects.get_or_create(username="anna")
    live = version_of("far", Policy(groups=(Group(name="far", hard=Hard(node_kinds=("store",))),)))
    return pilots.start(live.pk, share_percent=share, deed=Deed(person, timezone.now() - timedelta(hours=1), "autumn"))


def url(name, pilot):
    return reverse(f"admin:orders_routingpilot_{name}", args=[pilot.pk])


def compared(pilot, others):
    return Comparison(pilot, others, timezone.now(), is_cut=False)


def arm(orders, cost=(5.0, 4.0), kept=(0, 0), refused=0):
    means = {"cost": Sample(orders, *cost), "parcels": Sample(orders, 1.0, 0.0), "km": Sample(orders, 300.0, 100.0)}
    shares = {"kept": Share(*kept), "refused": Share(refused, orders), "unfilled": Share(0, orders)}
    return Arm(orders, means, shares)


def rows(pilot, others, part=0.5):
    with translation.override("en"):
        found = page._rows(compared(pilot, others), part)
    return {figure.name: row for figure, row in zip(page.FIGURES, found, strict=True)}


def test_a_pilot_is_started_by_the_form_and_shown(clerk, shop):
    live = version_of("far", EVERYWHERE)
    browser = clerk(VIEW, RUN)
    assert "No pilot yet." in browser.get(LIST).content.decode()
    answer = browser.post(ADD, {"version": live.pk, "share_percent": "15", "reason": "fewer km"})
    pilot = RoutingPilot.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, url("change", pilot))
    assert (pilot.version, pilot.share_percent, pilot.reason, pilot.ended_at) == (live, 15, "fewer km", None)
    shown = browser.get(url("change", pilot)).content.decode()
    for words in ("far/1", "15 %", "fewer km", "running", "Too few orders yet."):
        assert words in shown
    assert "End and submit the winner" not in shown
    assert "far/1" in browser.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"share_percent": "91"}, "less than or equal to 90"),
        ({"share_percent": "0"}, "greater than or equal to 1"),
        ({"share_percent": "many"}, "Enter a whole number."),
        ({"reason": ""}, "This field is required."),
        ({"version": "999"}, "Select a valid choice."),
    ],
)
def test_bad_input_is_refused_with_what_to_do(clerk, shop, told, said):
    live = version_of("far", EVERYWHERE)
    answer = clerk(VIEW, RUN).post(ADD, {"version": live.pk, "share_percent": "15", "reason": "fewer km"} | told)
    assert (answer.status_code, RoutingPilot.objects.count()) == (200, 0)
    assert said in answer.content.decode()


def test_a_second_pilot_is_refused_on_the_form(clerk, shop):
    pilot = begun()
    told = {"version": pilot.version_id, "share_percent": "15", "reason": "more"}
    answer = clerk(VIEW, RUN).post(ADD, told)
    assert "A pilot is running already. End it before you start another." in answer.content.decode()
    assert list(RoutingPilot.objects.values_list("pk", flat=True)) == [pilot.pk]


def test_without_a_live_candidate_the_form_says_so(clerk, shop):
    assert "No candidate policy has a live version." in clerk(VIEW, RUN).get(ADD).content.decode()


def test_who_may_not_run_pilots_looks_only(clerk, shop):
    pilot = begun()
    browser = clerk(VIEW, SUBMIT)
    told = {"reason": "enough"}
    assert browser.get(ADD).status_code == 403
    assert [browser.post(url(name, pilot), told).status_code for name in ("end", "submit")] == [403, 403]
    assert clerk(VIEW, RUN).post(url("submit", pilot), told).status_code == 403
    assert "End the pilot" not in browser.get(url("change", pilot)).content.decode()
    assert clerk().get(url("change", pilot)).status_code == 403
    pilot.refresh_from_db()
    assert pilot.ended_at is None


def test_a_pilot_is_ended_with_a_reason(clerk, shop):
    pilot = begun()
    browser = clerk(VIEW, RUN)
    refused = browser.post(url("end", pilot), {"reason": " "}, follow=True).content.decode()
    assert "Say why: it is kept with the pilot." in refused
    assert RoutingPilot.objects.get().ended_at is None
    done = browser.post(url("end", pilot), {"reason": "dearer"}, follow=True).content.decode()
    assert "The pilot has ended." in done
    assert "dearer" in done
    pilot.refresh_from_db()
    assert (pilot.outcome, pilot.ended_at is None) == ("dearer", False)
    twice = browser.post(url("end", pilot), {"reason": "again"}, follow=True).content.decode()
    assert "This pilot has ended already." in twice
    assert browser.get(url("end", pilot)).status_code == 405


def test_the_winner_is_submitted_from_the_page(clerk, shop):
    pilot = begun()
    Node.objects.filter(code="WH").update(kind="store")
    browser = clerk(VIEW, RUN, SUBMIT, "orders.view_routingpolicy")
    assert "End and submit the winner" in browser.get(url("change", pilot)).content.decode()
    browser.post(url("submit", pilot), {"reason": "fewer km"})
    asked = RoutingPolicyVersion.objects.get(policy__code="main")
    assert (asked.status, asked.body) == ("submitted", pilot.version.body)
    pilot.refresh_from_db()
    assert pilot.outcome == "fewer km"


def test_a_winner_that_no_node_passes_is_refused_and_the_pilot_goes_on(clerk, shop):
    pilot = begun()
    answer = clerk(VIEW, RUN, SUBMIT).post(url("submit", pilot), {"reason": "fewer km"}, follow=True)
    assert "No node passes the group" in answer.content.decode()
    assert RoutingPilot.objects.get().ended_at is None
    assert not RoutingPolicyVersion.objects.filter(policy__code="main").exists()


def test_the_page_counts_the_orders_of_both_arms(clerk, shop, sell):
    Node.objects.filter(code="WH").update(kind="store")
    pilot = begun()
    drawn = {str(n): acting.draw(pilot.salt, f"JD-{n}") < 50 for n in range(1, 99)}
    mine = [number for number, is_pilot in drawn.items() if is_pilot]
    others = [number for number, is_pilot in drawn.items() if not is_pilot]
    sell({number: {"CUP": 1} for number in (*mine[:3], *others[:3])})
    RoutingDecision.objects.update(decided_at=timezone.now() - timedelta(minutes=1))
    answer = clerk(VIEW).get(url("change", pilot))
    told = {str(row["title"]): row for row in answer.context["rows"]}
    assert (answer.context["found"].pilot.orders, answer.context["found"].others.orders) == (3, 3)
    assert (told["Parcels an order"]["pilot"], told["Parcels an order"]["words"]) == ("1.000", "No difference so far.")
    assert told["km an order"]["words"] == "Sure: the pilot is worse."
    assert told["Orders not filled at once"]["pilot"] == "0.0% (0 / 3)"
    assert answer.content.decode().count("<svg viewBox") == 4  # cost and promises are not known


def test_a_version_that_is_not_live_any_more_is_said(clerk, shop):
    pilot = begun()
    RoutingPolicyVersion.objects.filter(pk=pilot.version_id).update(status="paused")
    assert "The version is not live any more. End the pilot." in clerk(VIEW).get(url("change", pilot)).content.decode()


def test_a_sure_difference_is_said_by_what_is_better():
    told = rows(arm(400, (4.0, 4.0), kept=(380, 400)), arm(400, (5.0, 4.0), kept=(300, 400)))
    assert (told["cost"]["words"], told["cost"]["tone"]) == ("Sure: the pilot is better.", "green")
    assert (told["kept"]["words"], told["kept"]["difference"]) == ("Sure: the pilot is better.", "+20.0%")
    worse = rows(arm(400, (6.0, 4.0), kept=(300, 400)), arm(400, (5.0, 4.0), kept=(380, 400)))
    assert [worse[name]["tone"] for name in ("cost", "kept")] == ["red", "red"]


def test_an_unsure_difference_says_how_many_more_orders_it_needs():
    """0.2 of a deviation 2 at even shares: 2 × 2 × 7.8489 × 4 / 0.04 = 3,140 in all; 200 are there."""
    told = rows(arm(100, (5.2, 4.0)), arm(100, (5.0, 4.0)))["cost"]
    assert (told["tone"], told["words"]) == ("grey", "Not sure yet: about 3,000 more orders are needed.")
    small = rows(arm(100, (5.0001, 4.0)), arm(100, (5.0, 4.0)))["cost"]
    assert small["words"] == "Not sure, and so small that more orders hardly tell."


def test_an_interval_is_drawn_around_no_difference():
    told = rows(arm(100, (5.2, 4.0)), arm(100, (5.0, 4.0)))["cost"]
    assert (told["low"], told["difference"], told["high"]) == ("-0.36", "+0.20", "+0.76")
    assert told["drawing"] == {"low": 66.2, "high": 234.0, "at": 150.1}
