"""A routing policy in words, and what a new version changes."""

from decimal import Decimal

import pytest

from audit.rules.sentences import Name
from orders.rules.routing import wording
from orders.rules.routing.policy import PRESETS, Group, Hard, Policy, Weights, When, from_json, to_json

EAST = Group(
    name="east",
    when=When(channels=("TM",), regions=("31", "33"), least_value=Decimal("300.00"), promised_within_hours=24),
    hard=Hard(node_kinds=("store",), most_km=200.0, most_parcels=1),
    wait_minutes=10,
)
REST = Group(name="rest")


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (REST, "“rest”: all orders from every node"),
        (
            EAST,
            "“east”: orders of 天猫, to Shanghai, Zhejiang, of ¥300 or more, promised within 24 hours "
            "from nodes that are stores, within 200 km, in one parcel",
        ),
        (
            Group(name="vip", when=When(tiers=("gold", "black"), methods=("express",), least_priority=3)),
            "“vip”: orders with express delivery, of members gold, black, of priority 3 or more from every node",
        ),
        (
            Group(name="dc", hard=Hard(node_groups=("big",), not_node_groups=("cold", "far"), before_cut_off_only=True,
                                       most_backlog_hours=2.5)),
            "“dc”: all orders from nodes of big, not of cold, far, before their cut-off, "
            "with at most 2.5 hours of work waiting",
        ),
    ],
)  # fmt: skip
def test_a_group_is_one_sentence(group, said):
    assert str(wording.of_group(group, wording.Names({"TM": Name("天猫")}))) == said


def test_the_first_version_says_all_of_it():
    assert [str(one) for one in wording.changes(None, Policy(groups=(REST,)))] == [
        "New: “rest”: all orders from every node"
    ]


def test_every_kind_of_change_is_told_and_nothing_else():
    old = Policy(groups=(EAST, REST))
    new = Policy(
        groups=(
            Group(name="rest", weights=Weights(late=1.25, split=6.0), wait_minutes=5),
            Group(name="east", when=When(channels=("TM",)), hard=EAST.hard, wait_minutes=10),
            Group(name="west"),
        ),
        least_saving=3.5,
    )
    assert [str(one) for one in wording.changes(old, new)] == [
        "New group “west”: all orders from every node",
        "“rest” waits 5 minutes for a better plan (was: 0)",
        "“rest”, lateness (yuan an hour after what was promised): 1.25 (was: 0.5)",
        "“east” takes orders of TM (was: orders of TM, to Shanghai, Zhejiang, of ¥300 or more, "
        "promised within 24 hours)",
        "The groups are tried in this order: rest, east, west",
        "A planned parcel is moved for a saving of 3.5 yuan (was: 2)",
    ]
    assert [str(one) for one in wording.changes(old, Policy(groups=(EAST,)))] == ["Group “rest” is gone."]
    assert [str(one) for one in wording.changes(old, old)] == ["It says the same."]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_being_kept_and_ends_with_a_group_for_everything(name):
    policy = PRESETS[name]
    assert from_json(to_json(policy)) == policy
    assert policy.groups[-1].when == When()


def test_every_weight_has_words():
    assert [term for term, _words, _weight in wording.weighty(Weights())] == list(wording.TERMS)
    assert set(wording.TERMS) == set(Weights.__struct_fields__)
