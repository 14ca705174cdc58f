"""What-if runs at the desk: asked for, worked off, read, and the winner sent to approval."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.statuses import VersionStatus
from orders.models import RoutingPolicy, RoutingPolicyVersion, WhatIf
from orders.rules.routing.policy import PRESETS, from_json
from orders.services import whatif
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_whatif_changelist")
ADD = reverse("admin:orders_whatif_add")
PLANNER = ("orders.view_whatif", "orders.add_whatif")
STAMP = "%Y-%m-%dT%H:%M"


def filled(*variants, **more):
    local = timezone.localtime(NOON)
    told = {"name": "autumn", "starts_at": (local - timedelta(hours=1)).strftime(STAMP),
            "ends_at": (local + timedelta(hours=1)).strftime(STAMP),
            "variants-TOTAL_FORMS": str(len(variants)), "variants-INITIAL_FORMS": "0"}  # fmt: skip
    usual = {"stock_factor": "1", "capacity_factor": "1", "demand_factor": "1", "storm_effect": "blocks",
             "storm_hours": "24"}  # fmt: skip
    for place, variant in enumerate(variants):
        told |= {f"variants-{place}-{name}": value for name, value in (usual | variant).items()}
    return told | more


@pytest.fixture
def planner(clerk, sell):
    sell({str(number): {"CUP": 1} for number in range(6)})
    return clerk(*PLANNER)


def ask(client, *variants):
    answer = client.post(ADD, filled(*(variants or ({"name": "without SH", "nodes_off": ["SH"]},))))
    assert answer.status_code == 302, answer.content.decode()
    asked = WhatIf.objects.get()
    assert answer.url == reverse("admin:orders_whatif_change", args=[asked.pk])
    return asked


def shown(client, asked, **query):
    return client.get(reverse("admin:orders_whatif_change", args=[asked.pk]), query).content.decode()


def test_an_empty_list_says_what_to_do(planner):
    assert "Add one and compare policies on past orders." in planner.get(LIST).content.decode()


def test_a_run_shows_how_far_it_is_and_then_its_figures_and_orders(planner):
    asked = ask(planner)
    waiting = shown(planner, asked)
    assert 'http-equiv="refresh"' in waiting
    assert "Stop" in waiting
    whatif.run_waiting(at=lambda: NOON)
    told = shown(planner, asked)
    assert 'http-equiv="refresh"' not in told
    assert "6 of 6 decisions the same" in told
    assert "100.00%" in told
    assert "6 orders go otherwise" in told
    assert told.count('<td>SH <span class="faint">') == 6
    assert told.count('<td>WH <span class="faint">') == 6
    assert "Submit this policy for approval" not in told
    listed = planner.get(LIST).content.decode()
    assert "100.00%" in listed


def test_a_variant_more_is_offered_and_nothing_is_kept(planner):
    answer = planner.post(ADD, filled({"name": "one"}, add="1"))
    assert answer.status_code == 200
    assert len(answer.context["variants"].forms) == 2
    assert not WhatIf.objects.exists()


def test_what_cannot_be_tried_is_said_above_the_form(planner):
    late = timezone.localtime(NOON) + timedelta(days=2)
    answer = planner.post(ADD, filled({"name": "one"}, starts_at=late.strftime(STAMP),
                                      ends_at=(late + timedelta(hours=1)).strftime(STAMP)))  # fmt: skip
    assert "No routing decision of that time is kept" in answer.content.decode()
    assert not WhatIf.objects.exists()


def test_a_presets_win_waits_for_approval_as_the_acting_policys_next_version(planner, clerk):
    asked = ask(planner, {"name": "fast", "policy": "preset:fastest"})
    whatif.run_waiting(at=lambda: NOON)
    told = shown(planner, asked)
    assert "Submit this policy for approval" in told
    submit = reverse("admin:orders_whatif_submit", args=[asked.variants.get().pk])
    assert planner.post(submit).status_code == 403
    writer = clerk(*PLANNER, "orders.change_routingpolicy", "orders.view_routingpolicy")
    answer = writer.post(submit, follow=True)
    version = RoutingPolicyVersion.objects.get()
    assert (version.policy.code, version.number, version.status) == ("main", 1, VersionStatus.SUBMITTED)
    assert from_json(version.body) == PRESETS["fastest"]
    assert "It waits for approval now." in answer.content.decode()
    again = writer.post(submit, follow=True).content.decode()
    assert "Version 1 is being prepared already" in again
    assert RoutingPolicyVersion.objects.count() == 1


def test_a_variant_without_a_policy_of_its_own_is_not_submitted(planner, clerk):
    asked = ask(planner)
    writer = clerk(*PLANNER, "orders.change_routingpolicy")
    submit = reverse("admin:orders_whatif_submit", args=[asked.variants.get().pk])
    assert "there is nothing to approve" in writer.post(submit, follow=True).content.decode()
    assert not RoutingPolicy.objects.exists()


def test_a_run_is_stopped_by_a_button(planner):
    asked = ask(planner)
    planner.post(reverse("admin:orders_whatif_stop", args=[asked.pk]))
    assert "It was stopped before it had figures." in shown(planner, asked)
    again = planner.post(reverse("admin:orders_whatif_stop", args=[asked.pk]), follow=True)
    assert "It has ended already." in again.content.decode()


def test_who_may_only_look_cannot_ask_or_stop(planner, clerk):
    asked = ask(planner)
    reader = clerk("orders.view_whatif")
    assert reader.get(ADD).status_code == 403
    assert reader.post(reverse("admin:orders_whatif_stop", args=[asked.pk])).status_code == 403
    assert "autumn" in shown(reader, asked)
    assert clerk().get(reverse("admin:orders_whatif_change", args=[asked.pk])).status_code == 403
