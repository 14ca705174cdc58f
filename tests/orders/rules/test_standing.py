"""A node's standing: what takes from it, what gives back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules import standing
from orders.rules.standing import FALLS, Standing
from orders.statuses import AttemptOutcome

NOON = datetime(2026, 11, 10, 4, tzinfo=UTC)


def hours(n):
    return NOON + timedelta(hours=n)


@pytest.mark.parametrize(
    ("score", "after", "expected"),
    [
        pytest.param(0.6, 0, 0.6, id="nothing yet"),
        pytest.param(0.6, 72, 0.8, id="half of what lacked after three days"),
        pytest.param(0.6, 144, 0.9, id="half of the rest after three more"),
        pytest.param(1.0, 500, 1.0, id="never above full"),
        pytest.param(0.0, 72, 0.5, id="from nothing too"),
        pytest.param(0.6, -5, 0.6, id="a clock that runs backwards gives nothing"),
    ],
)
def test_a_standing_comes_back_with_time(score, after, expected):
    assert standing.recovered(score, NOON, hours(after)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param([], 1.0, id="nothing failed"),
        pytest.param(["rejected"], 0.85, id="refused"),
        pytest.param(["timed_out"], 0.8, id="let lie"),
        pytest.param(["short_pick"], 0.8, id="not found"),
        pytest.param(["stock_gone"], 0.9, id="stock gone"),
        pytest.param(["node_down"], 0.95, id="down"),
        pytest.param(["carrier_stopped"], 1.0, id="not the node's doing"),
        pytest.param(["rejected", "short_pick"], 0.68, id="each takes of what is left"),
    ],
)
def test_failures_take_from_a_full_standing(outcomes, expected):
    after = standing.after_failures(Standing(1.0, NOON), outcomes, hours(2))
    assert (round(after.score, 6), after.changed_at) == (expected, hours(2))


@pytest.mark.parametrize(
    ("score", "parcels", "after", "expected"),
    [
        pytest.param(0.5, 0, 0, 0.5, id="nothing sent"),
        pytest.param(0.5, 1, 0, 0.525, id="one parcel gives a twentieth of what lacks"),
        pytest.param(0.5, 14, 0, 0.75616, id="fourteen give about half"),
        pytest.param(0.5, 1, 72, 0.7625, id="time first, then the parcel"),
    ],
)
def test_sent_parcels_give_back(score, parcels, after, expected):
    assert standing.after_sending(Standing(score, NOON), parcels, hours(after)).score == pytest.approx(
        expected, abs=1e-5
    )


def test_every_way_to_fail_has_its_weight():
    assert set(FALLS) == set(AttemptOutcome.values)


STEPS = st.lists(st.tuples(st.sampled_from([*FALLS, "sent"]), st.integers(0, 200)), max_size=40)


@given(steps=STEPS)
def test_a_standing_is_a_share_whatever_happens(steps):
    now, at = Standing(1.0, NOON), NOON
    for what, later in steps:
        at += timedelta(hours=later)
        before = standing.recovered(now.score, now.changed_at, at)
        now = standing.after_sending(now, 1, at) if what == "sent" else standing.after_failures(now, [what], at)
        assert 0 < now.score <= 1
        assert now.score >= before - 1e-12 if what == "sent" else now.score <= before + 1e-12
