"""Routing policies at the desk: begun from a preset, approved by somebody else, and then they route."""

import pytest
from django.urls import reverse

from audit.statuses import VersionStatus
from orders.models import Order, RoutingPolicy, RoutingPolicyVersion
from orders.rules.routing.policy import PRESETS, Group, When, from_json

pytestmark = pytest.mark.django_db
LIST = reverse("admin:orders_routingpolicy_changelist")
ADD = reverse("admin:orders_routingpolicy_add")
PREVIEW = reverse("admin:orders_routingpolicy_preview")
WRITER = ("orders.view_routingpolicy", "orders.add_routingpolicy", "orders.change_routingpolicy")
APPROVER = (
    "orders.view_routingpolicy", "orders.approve_routingpolicyversion", "orders.stop_routingpolicyversion",
)  # fmt: skip


def filled(*groups, **more):
    """Return the form's fields for groups, each a mapping of what is filled in."""
    told = {"code": "main", "name": "主策略", "name_en": "Main", "least_saving": "2",
            "groups-TOTAL_FORMS": str(len(groups)), "groups-INITIAL_FORMS": "0"}  # fmt: skip
    for place, group in enumerate(groups):
        told |= {f"groups-{place}-{name}": value for name, value in ({"ORDER": str(place + 1)} | group).items()}
    return told | more


EAST = {"name": "east", "regions": ["31", "33"], "least_value": "300", "node_kinds": ["central_dc"], "most_km": "500",
        "weight_late": "1.25", "wait_minutes": "10"}  # fmt: skip
REST = {"name": "rest", "weight_split": "0"}


@pytest.fixture
def writer(clerk, shop):
    return clerk(*WRITER)


@pytest.fixture
def approver(clerk, shop):
    return clerk(*APPROVER)


def begin(client, *groups, **more):
    answer = client.post(f"{ADD}?preset=balanced", filled(*(groups or (EAST, REST)), **more))
    assert answer.status_code == 302, answer.content.decode()
    return RoutingPolicyVersion.objects.get()


def deed(client, version, name, **told):
    url = reverse("admin:orders_routingpolicy_deed", args=[version.policy_id, version.number, name])
    answer = client.post(url, {"reason": "autumn", "read_digest": version.digest} | told, follow=True)
    version.refresh_from_db()
    return answer


def go_live(writer, approver, version):
    deed(writer, version, "submit")
    deed(approver, version, "approve")
    assert version.status == VersionStatus.LIVE


def page(client, version):
    return client.get(reverse("admin:orders_routingpolicy_change", args=[version.policy_id])).content.decode()


def test_an_empty_list_says_that_the_products_own_policy_decides(writer):
    assert "“balanced”, routes the orders. Add one to change that." in writer.get(LIST).content.decode()


def test_every_preset_is_a_card_and_its_form_holds_its_figures(writer):
    cards = writer.get(ADD).content.decode()
    for name in PRESETS:
        assert f"?preset={name}" in cards
        form = writer.get(f"{ADD}?preset={name}").context["groups"]
        assert [one["name"].value() for one in form] == [group.name for group in PRESETS[name].groups]
        assert [one["weight_late"].value() for one in form] == [group.weights.late for group in PRESETS[name].groups]


def test_the_form_keeps_what_was_filled_in_and_nothing_else(writer):
    version = begin(writer)
    policy = from_json(version.body)
    assert version.status == VersionStatus.DRAFT
    assert [group.name for group in policy.groups] == ["east", "rest"]
    east, rest = policy.groups
    assert east.when == When(regions=("31", "33"), least_value=east.when.least_value)
    assert (str(east.when.least_value), east.hard.node_kinds, east.hard.most_km) == ("300", ("central_dc",), 500.0)
    assert (east.weights.late, east.weights.split, east.wait_minutes) == (1.25, 6.0, 10)
    assert rest == Group(name="rest", weights=rest.weights)
    assert (rest.weights.split, rest.weights.late) == (0.0, 0.5)


def test_groups_stand_in_the_order_they_are_given_and_a_struck_out_one_goes(writer):
    version = begin(writer, REST | {"ORDER": "3"}, EAST | {"ORDER": "1"}, {"name": "gone", "DELETE": "on"})
    assert [group.name for group in from_json(version.body).groups] == ["east", "rest"]


def test_asking_for_a_group_more_shows_one_and_keeps_nothing(writer):
    answer = writer.post(f"{ADD}?preset=balanced", filled(EAST, add="1"))
    assert answer.status_code == 200
    assert len(answer.context["groups"].forms) == 2
    assert answer.context["groups"].forms[0]["name"].value() == "east"
    assert not RoutingPolicy.objects.exists()


@pytest.mark.parametrize(
    ("group", "why"),
    [
        ({"name": ""}, "This field is required."),
        (REST | {"weight_late": "-1"}, "greater than or equal to 0"),
        (REST | {"most_parcels": "0"}, "greater than or equal to 1"),
        (REST | {"regions": ["99"]}, "is not one of the available choices"),
    ],
)
def test_what_cannot_be_read_is_refused_beside_its_field(writer, group, why):
    answer = writer.post(f"{ADD}?preset=balanced", filled(group))
    assert answer.status_code == 200
    assert why in answer.content.decode()
    assert not RoutingPolicy.objects.exists()


def test_a_policy_is_approved_by_somebody_else_and_then_routes_the_orders(writer, approver, sell):
    version = begin(writer)
    refused = deed(writer, version, "approve")
    assert refused.status_code == 403
    go_live(writer, approver, version)
    sell({"1": {"CUP": 1}})
    decision = Order.objects.get().routing.get()
    assert (decision.policy, decision.group) == ("main/1", "rest")
    assert "routes the orders" in page(writer, version)


def test_a_policy_that_no_node_passes_is_refused_with_what_to_do(writer):
    version = begin(writer, EAST | {"node_kinds": ["store"]}, REST)
    told = deed(writer, version, "submit").content.decode()
    assert "No node passes the group “east”" in told
    assert version.status == VersionStatus.DRAFT


def test_the_preview_speaks_both_languages_and_tells_nodes_complaints_and_changes(writer):
    told = writer.post(PREVIEW, filled(EAST, {"name": "big", "node_groups": "cold", "least_priority": "3"}))
    shown = told.content.decode()
    assert (
        "“east”: orders to Shanghai, Zhejiang, of ¥300 or more from nodes that are central DCs, within 500 km" in shown
    )
    assert "“east”：寄往上海, 浙江, 金额 ¥300 及以上的订单" in shown or "上海" in shown
    assert "2 of 2 nodes may send" in shown
    assert "0 of 2 nodes may send" in shown
    assert "names an unknown node group: cold" in shown
    assert "The last group “big” does not take all orders" in shown
    assert "New group “east”" in shown
    assert not RoutingPolicy.objects.exists()


def test_stopping_gives_the_orders_back_to_the_products_own_policy(writer, approver, sell):
    version = begin(writer)
    go_live(writer, approver, version)
    deed(approver, version, "stop")
    assert version.status == VersionStatus.PAUSED
    sell({"1": {"CUP": 1}})
    assert Order.objects.get().routing.get().policy == "balanced/0"
    assert "Nothing of it is live" in page(writer, version)


def test_rolling_back_puts_the_earlier_text_in_force(writer, approver):
    first = begin(writer)
    go_live(writer, approver, first)
    build = reverse("admin:orders_routingpolicy_build", args=[first.policy_id])
    assert writer.post(build, filled(REST, reason="simpler")).status_code == 302
    second = RoutingPolicyVersion.objects.get(number=2)
    go_live(writer, approver, second)
    deed(approver, second, "roll_back", to="1")
    live = RoutingPolicyVersion.objects.get(status=VersionStatus.LIVE)
    assert (live.number, live.body) == (3, first.body)
    shown = page(writer, live)
    assert "Version 3 against version 2" in shown
    assert "New group “east”" in shown


def test_a_draft_that_somebody_else_changed_is_not_overwritten(writer, clerk):
    version = begin(writer)
    build = reverse("admin:orders_routingpolicy_build", args=[version.policy_id])
    other = clerk(*WRITER)
    assert other.post(build, filled(REST, read_digest=version.digest)).status_code == 302
    answer = writer.post(build, filled(EAST, REST, read_digest=version.digest))
    assert "Somebody else has changed this draft" in answer.content.decode()
    version.refresh_from_db()
    assert [group.name for group in from_json(version.body).groups] == ["rest"]


@pytest.mark.parametrize("name", ["submit", "approve", "stop", "roll_back", "nonsense"])
def test_deeds_need_their_right_and_a_post(writer, clerk, name):
    version = begin(writer)
    url = reverse("admin:orders_routingpolicy_deed", args=[version.policy_id, version.number, name])
    reader = clerk("orders.view_routingpolicy")
    assert reader.get(url).status_code == 404
    assert reader.post(url, {"reason": "x", "to": "1"}).status_code == (404 if name == "nonsense" else 403)
    version.refresh_from_db()
    assert version.status == VersionStatus.DRAFT


def test_who_may_not_write_gets_no_form(writer, clerk):
    version = begin(writer)
    reader = clerk("orders.view_routingpolicy")
    assert reader.get(ADD).status_code == 403
    assert reader.get(reverse("admin:orders_routingpolicy_build", args=[version.policy_id])).status_code == 403
    assert reader.post(PREVIEW, filled(REST)).status_code == 403
    assert "Make the next version" not in page(reader, version)
