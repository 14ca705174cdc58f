"""Why units were missing, by table."""

from datetime import UTC, datetime

import pytest

from orders.rules.oversell import Facts, Told, Verdict, judge, side_of
from orders.statuses import OversellCause


def minute(n):
    return datetime(2026, 11, 2, 12, n, tzinfo=UTC)


FIVE, NONE = Told(5, minute(1)), Told(0, minute(1))


def facts(**known):
    return Facts(received_at=minute(30), **known)


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        pytest.param(facts(), Verdict("never_told"), id="no figure at all"),
        pytest.param(facts(sold=9), Verdict("never_told"), id="no figure, many sold"),
        pytest.param(facts(told=FIVE, sold=6), Verdict("over_figure", FIVE), id="one more than told"),
        pytest.param(
            facts(told=Told(0, minute(1)), sold=1), Verdict("over_figure", Told(0, minute(1))), id="told zero"
        ),
        pytest.param(facts(told=FIVE, sold=6, fell_at=minute(2)), Verdict("over_figure", FIVE), id="over comes first"),
        pytest.param(
            facts(told=FIVE, sold=5, fell_at=minute(2)), Verdict("push_lag", FIVE, minute(2)), id="stock fell since"
        ),
        pytest.param(
            facts(told=FIVE, sold=1, fell_at=minute(30)), Verdict("push_lag", FIVE, minute(30)), id="fell as it came in"
        ),
        pytest.param(facts(told=FIVE, sold=5), Verdict("push_lag", FIVE), id="nothing shows when it fell"),
        pytest.param(facts(told=FIVE, sold=5, fell_at=minute(31)), None, id="fell while the order waited on us"),
    ],
)
def test_the_cause_of_missing_units(known, verdict):
    assert judge(known) == verdict


def test_only_reserved_units_that_were_not_there_are_our_own_side():
    assert {cause: side_of(cause) for cause in OversellCause.values} == {
        "push_lag": "channel", "over_figure": "channel", "never_told": "channel", "not_found": "ours",
    }  # fmt: skip
