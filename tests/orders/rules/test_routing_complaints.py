"""What is said against a policy before it routes anybody."""

from decimal import Decimal

import pytest

from orders.rules.routing.complaints import Known, complaints
from orders.rules.routing.policy import PRESETS, Group, Hard, Policy, Weights, When

KNOWN = Known(
    channels=frozenset({"TMALL", "POS"}),
    nodes=(("central_dc", frozenset({"big"})), ("store", frozenset({"pilot"}))),
)
ALL = Group(name="all")


def said(policy, known=KNOWN):
    return [str(sentence) for sentence in complaints(policy, known)]


@pytest.mark.parametrize("name", PRESETS)
def test_nothing_speaks_against_what_the_product_brings_along(name):
    assert said(PRESETS[name]) == []


def test_a_policy_without_groups_routes_nobody():
    assert said(Policy(groups=())) == [
        "The policy has no group, so no order would be routed. Add a group that takes all orders."
    ]


@pytest.mark.parametrize(
    ("group", "complaint"),
    [
        pytest.param(
            Group(name="north", when=When(regions=("11", "99"))),
            "The group “north” names an unknown region: 99. Take it out or correct it.",
            id="region",
        ),
        pytest.param(
            Group(name="web", when=When(channels=("AMAZON", "EBAY"))),
            "The group “web” names an unknown channel: AMAZON, EBAY. Take it out or correct it.",
            id="channel",
        ),
        pytest.param(
            Group(name="fast", when=When(methods=("drone",))),
            "The group “fast” names an unknown way of delivery: drone. Take it out or correct it.",
            id="method",
        ),
        pytest.param(
            Group(name="new", hard=Hard(node_groups=("pilot", "moon"))),
            "The group “new” names an unknown node group: moon. Take it out or correct it.",
            id="node group",
        ),
        pytest.param(
            Group(name="none", hard=Hard(most_parcels=0)),
            "The group “none” allows no parcel at all. Allow at least one.",
            id="no parcel",
        ),
        pytest.param(
            Group(name="odd", weights=Weights(late=-1.0), hard=Hard(most_km=9.0)),
            "The group “odd” has a negative weight: lateness (yuan an hour after what was promised). Give 0 or more.",
            id="negative weight",
        ),
        pytest.param(
            Group(name="slow", wait_minutes=1440, hard=Hard(most_km=9.0)),
            "The group “slow” must wait between 0 minutes and a day.",
            id="wait",
        ),
        pytest.param(
            Group(name="regional", hard=Hard(node_kinds=("regional_dc",))),
            "No node passes the group “regional”: no active node is of its kinds and in its node groups. Loosen them, "
            "or put nodes into the groups.",
            id="no node passes",
        ),
        pytest.param(
            Group(name="both", hard=Hard(node_kinds=("store",), not_node_groups=("pilot",))),
            "No node passes the group “both”: no active node is of its kinds and in its node groups. Loosen them, "
            "or put nodes into the groups.",
            id="no node passes both",
        ),
        pytest.param(
            Group(name="rich", when=When(least_value=Decimal(500), most_value=Decimal(500))),
            "The group “rich” takes no order: its least value is not below its most value. Change one of them.",
            id="no value",
        ),
        pytest.param(
            Group(name="soon", when=When(promised_within_hours=0)),
            "The group “soon” must ask for a promise within 1 hour or more.",
            id="no hours",
        ),
        pytest.param(
            Group(name="near", hard=Hard(most_km=-1.0)),
            "The group “near” has a negative limit of distance. Give 0 or more kilometres.",
            id="negative distance",
        ),
        pytest.param(
            Group(name="idle", hard=Hard(most_backlog_hours=-1.0)),
            "The group “idle” has a negative limit of backlog. Give 0 or more hours.",
            id="negative backlog",
        ),
    ],
)
def test_a_group_and_what_to_do_about_it(group, complaint):
    assert said(Policy(groups=(group, ALL))) == [complaint]


def test_an_unknown_kind_is_told_and_that_no_node_is_of_it():
    told = said(Policy(groups=(Group(name="kiosk", hard=Hard(node_kinds=("kiosk",))), ALL)))
    assert told[0] == "The group “kiosk” names an unknown kind of node: kiosk. Take it out or correct it."
    assert told[1].startswith("No node passes the group “kiosk”")


def test_the_last_group_must_take_all_orders():
    assert said(Policy(groups=(Group(name="web", when=When(channels=("TMALL",))),))) == [
        "The last group “web” does not take all orders, so some would not be routed. Add a last group "
        "without conditions."
    ]


@pytest.mark.parametrize(
    ("earlier", "later", "is_reached"),
    [
        pytest.param(Group(name="a"), Group(name="b", weights=Weights(late=9.0)), False, id="other weights only"),
        pytest.param(Group(name="a", hard=Hard(node_kinds=("store",))), Group(name="b"), True, id="stores, then all"),
        pytest.param(Group(name="a"), Group(name="b", hard=Hard(most_km=5.0)), False, id="all, then near ones"),
        pytest.param(
            Group(name="a", when=When(least_priority=1)), Group(name="b", when=When(least_priority=2)), False,
            id="a part of the orders",
        ),
        pytest.param(
            Group(name="a", when=When(least_priority=2)), Group(name="b", when=When(least_priority=1)), True,
            id="more of the orders",
        ),
        pytest.param(
            Group(name="a", when=When(channels=("POS",))), Group(name="b", when=When(channels=("TMALL", "POS"))), True,
            id="one channel more",
        ),
        pytest.param(
            Group(name="a", hard=Hard(most_parcels=1)), Group(name="b", hard=Hard(most_parcels=2)), True,
            id="more parcels",
        ),
        pytest.param(
            Group(name="a", hard=Hard(before_cut_off_only=True)), Group(name="b"), True, id="after the cut-off",
        ),
    ],
)  # fmt: skip
def test_a_group_that_can_never_be_reached_is_told(earlier, later, is_reached):
    last = Group(name="rest", when=When(), hard=Hard(most_parcels=9))
    told = said(Policy(groups=(earlier, later, last)))
    never = [sentence for sentence in told if sentence.startswith("The group “b” is never reached: “a” takes all")]
    assert bool(never) is not is_reached


def test_names_must_tell_groups_apart():
    policy = Policy(
        groups=(
            Group(name="a", hard=Hard(most_parcels=1)),
            Group(name="a", hard=Hard(most_parcels=2)),
            Group(name=" "),
        ),
        least_saving=-0.5,
    )
    assert said(policy) == [
        "The least saving is negative. Give 0 or more yuan.",
        "A group has no name. Give it one.",
        "Two groups are called “a”. Give each its own name.",
    ]
