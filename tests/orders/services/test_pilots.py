"""Pilots: one at a time, only what is live, the draw even, both arms counted as they are."""

import time
from datetime import timedelta
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, NotGood, Text
from inventory.models import Node
from orders.models import (
    Fulfillment,
    Order,
    RoutingAttempt,
    RoutingDecision,
    RoutingPilot,
    RoutingPolicy,
    RoutingPolicyVersion,
)
from orders.rules.routing.policy import Group, Hard, Policy, Weights, from_json, to_json
from orders.rules.routing.statistics import Sample, Share
from orders.services import acting, pilots
from tests import small_company as company
from tests.races import PATIENCE, race
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
FAR = Policy(groups=(Group(name="far", hard=Hard(node_kinds=("store",)), weights=Weights(freight=0.5, pick=2.0)),))
LATER = NOON + timedelta(hours=1)


def version_of(code, policy=FAR, status="live"):
    """Make a version of a policy that stands as told."""
    author, _ = User.objects.get_or_create(username="author")
    row, _ = RoutingPolicy.objects.get_or_create(code=code, defaults={"name": code, "created_at": NOON})
    text = Text(to_json(policy))
    return RoutingPolicyVersion.objects.create(
        policy=row, number=row.versions.count() + 1, status=status, body=text.body, digest=text.digest, author=author,
        writers=[author.pk], drafted_at=NOON, live_at=NOON if status == "live" else None,
    )  # fmt: skip


def deed(reason="autumn", at=NOON):
    person, _ = User.objects.get_or_create(username="anna")
    return Deed(person, at, reason)


def start(version, share=50, **told):
    return pilots.start(version.pk, share_percent=share, deed=deed(**told))


def refused(verb, *args, **told):
    """Return why a verb was refused, with no pilot changed by it."""
    before = list(RoutingPilot.objects.order_by("pk").values())
    with pytest.raises(NotAllowed) as no:
        verb(*args, **told)
    assert list(RoutingPilot.objects.order_by("pk").values()) == before
    return str(no.value.reason)


@pytest.fixture
def tried(hub):
    """A running pilot that sends from WH, a store, at half the weight of freight and twice that of picking."""
    Node.objects.filter(pk=hub.far.pk).update(kind="store", pick_cost="3.00")
    Node.objects.filter(pk=hub.near.pk).update(pick_cost="2.00")
    return start(version_of("far"))


def numbers(pilot, *, is_pilot, count):
    """Return channel numbers of orders that are drawn into an arm."""
    drawn = (str(n) for n in range(1, 1000) if (acting.draw(pilot.salt, f"JD-{n}") < pilot.share_percent) is is_pilot)
    return [next(drawn) for _ in range(count)]


def sell(hub, found, lines=None, at=NOON):
    hub.take(*(company.order_message(number, lines or {"CUP": 1}) for number in found), at=at)


def nodes(found):
    rows = Fulfillment.objects.filter(order__external_id__in=found).exclude(status="cancelled")
    return sorted(rows.values_list("node__code", flat=True))


def sample(values):
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Sample(len(values), pytest.approx(mean), pytest.approx(variance, abs=1e-9))


def test_a_pilot_keeps_who_began_it_why_and_a_salt_of_its_own(db):
    version = version_of("far")
    first = start(version, 20)
    assert (first.version, first.share_percent, first.reason, first.started_by, first.started_at) == (
        version, 20, "autumn", "person:anna", NOON,
    )  # fmt: skip
    pilots.end(first.pk, deed("enough", LATER))
    first.refresh_from_db()
    assert (first.ended_at, first.ended_by, first.outcome) == (LATER, "person:anna", "enough")
    second = start(version, 20, at=LATER)
    assert second.salt != first.salt
    assert len(first.salt) == len(second.salt) == 16


@pytest.mark.parametrize("share", [0, 91, -5])
def test_a_share_that_leaves_an_arm_empty_or_small_is_refused(db, share):
    assert refused(start, version_of("far"), share) == "Give a share from 1 to 90 per cent."


@pytest.mark.parametrize("share", [1, 90])
def test_the_smallest_and_the_biggest_share_are_taken(db, share):
    assert start(version_of("far"), share).share_percent == share


@pytest.mark.parametrize("status", ["draft", "submitted", "approved", "paused", "retired"])
def test_what_is_not_live_is_not_tried(db, status):
    said = "Only a live version can be tried on orders. Have it approved first."
    assert refused(start, version_of("far", status=status)) == said


def test_the_acting_policy_a_version_that_is_gone_and_no_reason_are_refused(db):
    version = version_of("far")
    said = "This policy routes the orders already. Choose a version of another policy."
    assert refused(start, version_of("main")) == said
    gone = refused(pilots.start, version.pk + 100, share_percent=10, deed=deed())
    assert gone == "This version is not there any more. Choose another."
    assert refused(start, version, reason="  ") == "Say why: it is kept with the pilot."
    assert RoutingPilot.objects.count() == 0


def test_one_pilot_at_a_time_and_none_ends_twice(db):
    pilot = start(version_of("far"))
    said = "A pilot is running already. End it before you start another."
    assert refused(start, version_of("other")) == said
    assert refused(pilots.end, pilot.pk, deed("")) == "Say why: it is kept with the pilot."
    pilots.end(pilot.pk, deed("enough"))
    assert refused(pilots.end, pilot.pk, deed("again", LATER)) == "This pilot has ended already."


def test_only_live_versions_of_candidates_can_be_chosen(db):
    far = version_of("far")
    version_of("main")
    version_of("other", status="draft")
    assert pilots.choices() == [far]


@pytest.mark.parametrize("share", [1, 10, 37, 50, 90])
def test_the_draw_is_even_over_twenty_thousand_orders(db, share):
    """Within four standard deviations, and every hundredth alike by chi-square (99 degrees, 1 in 10,000: 161.3)."""
    salt = f"salt-{share}"
    places = [acting.draw(salt, f"TMALL-{20261100000 + n}") for n in range(20_000)]
    drawn = sum(place < share for place in places)
    assert abs(drawn - 200 * share) < 4 * (20_000 * share / 100 * (1 - share / 100)) ** 0.5
    assert sum((places.count(place) - 200) ** 2 / 200 for place in range(100)) < 161.3


def test_another_salt_draws_other_orders(db):
    both = sum(acting.draw("one", f"JD-{n}") < 50 and acting.draw("two", f"JD-{n}") < 50 for n in range(20_000))
    assert abs(both - 5000) < 4 * (20_000 * 0.25 * 0.75) ** 0.5


def test_each_order_is_routed_by_its_arm_until_the_pilot_ends(hub, tried):
    mine, others = numbers(tried, is_pilot=True, count=3), numbers(tried, is_pilot=False, count=2)
    sell(hub, [*mine[:2], *others])
    assert (nodes(mine[:2]), nodes(others)) == (["WH", "WH"], ["SH", "SH"])
    pilots.end(tried.pk, deed("enough", LATER))
    sell(hub, mine[2:], at=LATER)
    assert nodes(mine[2:]) == ["SH"]


def test_both_arms_are_counted_as_they_are(hub, tried):
    mine, others = numbers(tried, is_pilot=True, count=4), numbers(tried, is_pilot=False, count=3)
    sell(hub, mine[:2], {"CUP": 1})
    sell(hub, mine[2:3], {"CUP": 3})
    sell(hub, mine[3:], {"LID": 1})  # only at SH, where the pilot sends nothing from
    sell(hub, others)
    Order.objects.update(deliver_by=NOON + timedelta(days=30))
    Order.objects.filter(external_id=others[0]).update(deliver_by=NOON - timedelta(days=1))
    Order.objects.filter(external_id=others[2]).update(deliver_by=None)
    late = Fulfillment.objects.filter(order__external_id=mine[0])
    late.update(status="delivered", delivered_at=NOON + timedelta(days=31))
    parcel = Fulfillment.objects.get(order__external_id=others[1])
    RoutingAttempt.objects.create(
        order=parcel.order, node=parcel.node, parcel_number=parcel.number, outcome="rejected", happened_at=NOON,
        told_by="node",
    )  # fmt: skip

    pilot = RoutingPilot.objects.select_related("version__policy").get()
    with CaptureQueriesContext(connection) as asked:
        found = pilots.compare(pilot, at=LATER)
    late.update(status="planned")  # so that the books add up
    assert len(asked) == 2
    assert (found.pilot.orders, found.others.orders) == (4, 3)
    assert (found.until, found.is_cut) == (LATER, False)
    assert found.pilot.shares == {"kept": Share(2, 3), "refused": Share(0, 4), "unfilled": Share(1, 4)}
    assert found.others.shares == {"kept": Share(1, 2), "refused": Share(1, 3), "unfilled": Share(0, 3)}
    km = {node: Fulfillment.objects.filter(node__code=node).first().distance_km for node in ("SH", "WH")}
    assert km["WH"] > 600 > km["SH"]
    assert found.pilot.means["km"] == sample([km["WH"]] * 3)
    assert found.pilot.means["parcels"] == Sample(3, 1.0, 0.0)
    assert found.others.means["km"] == sample([km["SH"]] * 3)


def test_cost_is_the_yuan_and_not_what_an_arm_weighs(hub, tried):
    mine, others = numbers(tried, is_pilot=True, count=2), numbers(tried, is_pilot=False, count=2)
    sell(hub, [*mine, *others])
    found = pilots.compare(tried, at=LATER)

    def terms(number):
        return RoutingDecision.objects.get(order__external_id=number).explanation["parcels"][0][7]

    assert [terms(number)["pick"] for number in (*mine, *others)] == [6.0, 6.0, 2.0, 2.0]
    real = [terms(number)["freight"] / 0.5 + 3 for number in mine]
    assert found.pilot.means["cost"] == sample(real)
    assert found.others.means["cost"] == sample([terms(number)["freight"] + 2 for number in others])


def test_what_a_policy_does_not_weigh_is_not_known_and_not_zero(hub, tried):
    RoutingPolicyVersion.objects.filter(pk=tried.version_id).update(
        body=to_json(Policy(groups=(Group(name="far", weights=Weights(freight=0.0)),))), digest="free"
    )
    mine = numbers(tried, is_pilot=True, count=2)
    sell(hub, mine)
    found = pilots.compare(RoutingPilot.objects.get(), at=LATER)
    assert (found.pilot.orders, found.pilot.means["cost"].count, found.pilot.means["parcels"].count) == (2, 0, 2)


def test_orders_from_before_the_pilot_and_after_it_do_not_count(hub):
    Node.objects.filter(pk=hub.far.pk).update(kind="store")
    early = [str(n) for n in range(1, 4)]
    sell(hub, early, at=NOON - timedelta(hours=1))
    pilot = start(version_of("far"))
    again = RoutingDecision.objects.get(order__external_id=early[0])
    again.pk, again.decided_at, again.is_pilot = None, NOON + timedelta(minutes=1), True
    again.save()
    mine = numbers(pilot, is_pilot=True, count=5)
    mine = [number for number in mine if number not in early][:2]
    sell(hub, mine[:1])
    pilots.end(pilot.pk, deed("enough", LATER))
    sell(hub, mine[1:], at=LATER)
    pilot.refresh_from_db()
    found = pilots.compare(pilot, at=LATER + timedelta(days=1))
    assert (found.pilot.orders, found.others.orders, found.until) == (1, 0, LATER)


def test_an_order_stays_in_the_arm_it_was_drawn_into(hub, tried):
    (mine,) = numbers(tried, is_pilot=True, count=1)
    sell(hub, [mine])
    changed = RoutingDecision.objects.get()
    changed.pk, changed.decided_at, changed.is_pilot = None, NOON + timedelta(minutes=9), False
    changed.save()
    found = pilots.compare(tried, at=LATER)
    assert (found.pilot.orders, found.others) == (1, pilots.NOTHING)


def test_no_more_than_ninety_days_are_compared(hub, tried):
    found = pilots.compare(tried, at=NOON + timedelta(days=200))
    assert (found.until, found.is_cut) == (NOON + timedelta(days=90), True)
    assert (found.pilot, found.others) == (pilots.NOTHING, pilots.NOTHING)


def test_ending_with_a_winner_submits_it_as_the_acting_policys_next_version(db):
    company.node("SH")
    pilot = start(version_of("far", Policy(groups=(Group(name="all", weights=Weights(split=3.5)),))))
    version_of("main", Policy(groups=(Group(name="all"),)))
    asked = pilots.end_and_submit(pilot.pk, deed("fewer km", LATER))
    pilot.refresh_from_db()
    assert (pilot.ended_at, pilot.outcome) == (LATER, "fewer km")
    assert (asked.policy.code, asked.number, asked.status) == ("main", 2, "submitted")
    assert from_json(asked.body).groups[0].weights.split == 3.5


def test_a_winner_that_cannot_be_submitted_leaves_the_pilot_running(db):
    pilot = start(version_of("far", Policy(groups=(Group(name="all"),))))
    version_of("main", status="draft")
    said = "Version 1 is being prepared already. Continue with it or discard it."
    assert refused(pilots.end_and_submit, pilot.pk, deed("fewer km")) == said
    assert RoutingPilot.objects.get().ended_at is None
    assert RoutingPolicyVersion.objects.count() == 2


def test_a_winner_that_cannot_stand_leaves_the_pilot_running(db):
    pilot = start(version_of("far"))  # no node is a store
    with pytest.raises(NotGood, match="No node passes"):
        pilots.end_and_submit(pilot.pk, deed("fewer km"))
    assert RoutingPilot.objects.get().ended_at is None
    assert RoutingPolicyVersion.objects.count() == RoutingPolicy.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_starts_at_once_one_is_let_in(transactional_db):
    """The second looks while the first is not committed and sees no pilot (the race); the table stops it."""
    first, second = version_of("far"), version_of("other")
    deed()
    written, looked = Event(), []

    def early():
        with transaction.atomic():
            pilot = start(first)
            written.set()
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and not _somebody_waits():
                time.sleep(0.02)
            return pilot.pk

    def late():
        assert written.wait(PATIENCE)
        looked.append(RoutingPilot.objects.count())
        return start(second, 90).pk

    one, two = race([early, late])
    assert looked == [0]
    assert isinstance(two, NotAllowed), two
    assert str(two.reason) == "A pilot is running already. End it before you start another."
    assert list(RoutingPilot.objects.values_list("pk", "version", "share_percent")) == [(one, first.pk, 50)]


@pytest.mark.django_db(transaction=True)
def test_of_many_ends_at_once_one_counts(transactional_db):
    pilot = start(version_of("far"))
    deeds = [deed(f"reason {n}", NOON + timedelta(minutes=n)) for n in range(4)]
    told = race([lambda one=one: pilots.end(pilot.pk, one) for one in deeds])
    assert sorted(type(answer).__name__ for answer in told) == ["NoneType", *["NotAllowed"] * 3]
    pilot.refresh_from_db()
    assert pilot.outcome == deeds[told.index(None)].reason


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0
