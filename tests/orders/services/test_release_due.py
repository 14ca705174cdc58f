"""Parcels wait for a better plan as long as their group says, and no longer."""

from datetime import timedelta

import pytest

from audit.statuses import VersionStatus
from inventory.models import Node
from orders.models import Fulfillment, RoutingDecision, RoutingPilot, RoutingPolicy, RoutingPolicyVersion
from orders.rules.routing import policy as policies
from orders.services import acting, backorders, holds, releasing
from tests import small_company as company
from tests.orders.services.scenes import Shop, order, parcels
from tests.small_company import NOON, TESTER

pytestmark = pytest.mark.django_db


def minutes(count: float):
    return NOON + timedelta(minutes=count)


@pytest.fixture
def publish(django_user_model):
    """Put a policy in force, as its versions' verbs would."""
    writer = django_user_model.objects.create_user("writer")

    def put(policy: policies.Policy, code: str = "main", status: str = VersionStatus.LIVE) -> RoutingPolicyVersion:
        subject, _ = RoutingPolicy.objects.get_or_create(code=code, defaults={"name": code, "created_at": NOON})
        return RoutingPolicyVersion.objects.create(
            policy=subject, number=subject.versions.count() + 1, status=status, body=policies.to_json(policy),
            digest=f"{code}{subject.versions.count()}", author=writer, drafted_at=NOON,
        )  # fmt: skip

    return put


def waiting(count: int = 10) -> policies.Policy:
    return policies.Policy(groups=(policies.Group(name="all", wait_minutes=count),))


def test_a_parcel_waits_as_long_as_its_group_says(hub: Shop, publish):
    publish(waiting(10))
    hub.take(company.order_message("1", {"CUP": 1}))

    [parcel] = parcels()
    assert (parcel.status, parcel.release_after, order().status) == ("planned", minutes(10), "allocated")
    assert releasing.release_due(at=minutes(9.9)) == 0
    assert parcels()[0].status == "planned"
    assert releasing.release_due(at=minutes(10)) == 1
    assert (parcels()[0].status, parcels()[0].released_at, order().status) == ("released", minutes(10), "released")
    assert releasing.release_due(at=minutes(11)) == 0


def test_express_never_waits(hub: Shop, publish):
    publish(waiting(10))
    hub.take(company.order_message("1", {"CUP": 1}, delivery_method="express"))
    assert [(one.status, one.release_after) for one in parcels()] == [("released", None)]


def test_nothing_waits_past_a_cut_off_of_its_nodes(hub: Shop, publish):
    publish(waiting(30))
    Node.objects.filter(pk=hub.near.pk).update(cut_off="12:20")
    hub.take(company.order_message("1", {"CUP": 1}), company.order_message("2", {"CUP": 12, "LID": 1}))

    assert {one.release_after for one in Fulfillment.objects.all()} == {minutes(18)}
    assert Fulfillment.objects.count() == 3


def test_an_order_on_hold_stays_and_goes_when_the_hold_is_lifted(hub: Shop, publish):
    publish(waiting(10))
    hub.take(company.order_message("1", {"CUP": 1}))
    holds.place([order().pk], reason="ask", actor=TESTER, at=minutes(1))

    assert (releasing.release_due(at=minutes(20)), parcels()[0].status) == (0, "planned")
    holds.lift([order().pk], actor=TESTER, at=minutes(21))
    assert parcels()[0].status == "released"


def test_a_short_order_waits_for_the_rest_and_goes_as_a_whole(hub: Shop, publish):
    publish(waiting(10))
    hub.take(company.order_message("1", {"LID": 12}))
    assert (releasing.release_due(at=minutes(20)), parcels()[0].status) == (0, "planned")

    company.stock(hub.lid, hub.far, 5)
    assert backorders.retry(at=minutes(30)) == 1
    assert {(one.status, one.release_after) for one in parcels()} == {("planned", minutes(40))}
    assert releasing.release_due(at=minutes(40)) == 2
    assert {one.status for one in parcels()} == {"released"}


def test_without_a_live_version_the_products_own_policy_decides(publish):
    publish(waiting(), status=VersionStatus.DRAFT)
    assert acting.read() == acting.Acting(policies.BUILT_IN)


def test_the_acting_policy_is_the_one_that_settings_name(publish, settings):
    publish(waiting(1), code="other")
    version = publish(waiting(2))
    assert acting.read().policy == policies.PublishedPolicy("main", version.number, waiting(2))
    settings.ROUTING_POLICY = "other"
    assert acting.read().policy == policies.PublishedPolicy("other", 1, waiting(1))


def test_a_pilot_takes_its_share_and_an_order_stays_in_its_arm(hub: Shop, publish):
    publish(waiting(0))
    tried = publish(waiting(5), code="trial")
    RoutingPilot.objects.create(
        version=tried, share_percent=30, salt="a", reason="try", started_at=NOON, started_by="x"
    )

    act = acting.read()
    arms = [act.of(f"JD-{number}") for number in range(10_000)]
    assert arms == [acting.read().of(f"JD-{number}") for number in range(10_000)]
    assert sum(is_pilot for _policy, is_pilot in arms) == pytest.approx(3000, abs=150)
    assert {policy.name for policy, is_pilot in arms if is_pilot} == {"trial/1"}

    hub.take(*(company.order_message(str(number), {"CUP": 1}) for number in range(1, 9)))
    for number in range(1, 9):
        decision = order(str(number)).routing.get()
        policy, is_pilot = act.of(f"JD-{number}")
        assert (decision.policy, decision.is_pilot) == (policy.name, is_pilot)
    assert {one.is_pilot for one in RoutingDecision.objects.all()} == {True, False}


def test_a_version_that_cannot_be_read_never_stops_orders(hub: Shop, publish, caplog):
    version = publish(waiting(5))
    RoutingPolicyVersion.objects.filter(pk=version.pk).update(body={"groups": "none"}, digest="broken")
    hub.take(company.order_message("1", {"CUP": 1}))
    assert (order().status, order().routing.get().policy) == ("released", "balanced/0")
    assert "cannot be read" in caplog.text


def test_a_stopped_version_pilots_nothing_more(hub: Shop, publish):
    publish(waiting(0))
    tried = publish(waiting(5), code="trial", status=VersionStatus.PAUSED)
    RoutingPilot.objects.create(
        version=tried, share_percent=30, salt="a", reason="try", started_at=NOON, started_by="x"
    )
    act = acting.read()
    assert not any(act.of(f"JD-{number}")[1] for number in range(1_000))
