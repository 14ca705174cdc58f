"""The laws of four eyes: what binds an approval, who may give it, when it is enough."""

import pytest

from audit.rules.governance import digest, is_decided, why_not_decide
from audit.statuses import VersionStatus


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})


@pytest.mark.parametrize(
    ("body", "publish_at"),
    [({"a": 2}, ""), ({"a": 1, "b": None}, ""), ({"a": "1"}, ""), ({"a": 1}, "2026-11-11T00:00:00+00:00")],
    ids=["value", "further key", "type", "time"],
)
def test_a_digest_changes_with_all_that_is_approved(body, publish_at):
    assert digest(body, publish_at=publish_at) != digest({"a": 1})


@pytest.mark.parametrize(
    ("approver", "decided_by", "read", "words"),
    [
        (3, set(), "x", None),
        (1, set(), "x", "You wrote on this version. Another person must approve it."),
        (2, set(), "x", "You wrote on this version. Another person must approve it."),
        (3, {3}, "x", "You have decided about this request already."),
        (3, {4}, "old", "It has changed since you read it. Read it again."),
    ],
    ids=["another person", "author", "a former writer", "twice", "read something else"],
)
def test_who_may_decide(approver, decided_by, read, words):
    why = why_not_decide(writers={1, 2}, approver=approver, decided_by=decided_by, read_digest=read, digest_now="x")
    assert (str(why) if why else None) == words


@pytest.mark.parametrize(
    ("yes", "no", "needed", "decision"),
    [(0, 0, 1, None), (1, 0, 1, True), (1, 0, 2, None), (2, 0, 2, True), (1, 1, 2, False), (0, 1, 1, False)],
)
def test_one_no_is_enough_and_a_yes_needs_all(yes, no, needed, decision):
    assert is_decided(yes=yes, no=no, needed=needed) is decision


def test_nothing_comes_into_force_past_the_approvers():
    ways_in = {start for start, ends in VersionStatus.MOVES.items() for end in ends if end in VersionStatus.IN_FORCE}
    assert ways_in == {"approved", "scheduled", "live", "paused"}
    assert {start for start, ends in VersionStatus.MOVES.items() if "approved" in ends} == {"submitted", "scheduled"}
    assert not VersionStatus.MOVES["retired"]
