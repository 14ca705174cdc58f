"""Calls an account has left: they grow with time, never beyond a second's worth, and are never spent twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.rules import bucket
from channels.rules.bucket import Bucket

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("kept", "rate", "wanted", "taken"),
    [
        pytest.param(Bucket(), 5.0, 9, 5, id="a new bucket is full"),
        pytest.param(Bucket(), 0.5, 9, 1, id="and holds at least one call"),
        pytest.param(Bucket(0.0, later(-0.4)), 5.0, 9, 2, id="grown for 0.4 s"),
        pytest.param(Bucket(0.0, later(-60)), 5.0, 9, 5, id="never more than a second's worth"),
        pytest.param(Bucket(3.0, AT), 5.0, 2, 2, id="no more than wanted"),
        pytest.param(Bucket(0.9, AT), 5.0, 2, 0, id="no part of a call"),
        pytest.param(Bucket(5.0, later(1)), 5.0, 2, 0, id="silence that was asked for"),
        pytest.param(Bucket(5.0, AT), 5.0, -1, 0, id="nothing wanted"),
    ],
)
def test_take(kept: Bucket, rate: float, wanted: int, taken: int) -> None:
    got, after = bucket.take(kept, wanted, rate=rate, at=AT)
    assert got == taken
    if not taken:
        assert after == kept


def test_a_silence_that_was_asked_for_also_holds_without_a_known_limit() -> None:
    silent = bucket.pause(Bucket(), until=later(7))
    assert [bucket.calls_now(silent, rate=None, at=later(second)) for second in (6.9, 7)] == [0.0, float("inf")]
    assert bucket.next_call_at(silent, rate=None, at=AT) == later(7)
    assert bucket.pause(silent, until=later(3)) == silent


def test_the_next_call_is_when_one_has_grown() -> None:
    assert bucket.next_call_at(Bucket(0.5, AT), rate=2.0, at=AT) == later(0.25)
    assert bucket.next_call_at(Bucket(2.0, AT), rate=2.0, at=AT) == AT
    assert bucket.next_call_at(bucket.pause(Bucket(2.0, AT), until=later(4)), rate=2.0, at=AT) == later(4.5)


@given(
    rate=st.floats(0.1, 50),
    asks=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 30)), min_size=1, max_size=40),
)
def test_whatever_is_asked_when_never_more_than_the_rate_and_one_burst(
    rate: float, asks: list[tuple[float, int]]
) -> None:
    kept, at, total = Bucket(), AT, 0
    for pause, wanted in asks:
        at += timedelta(seconds=pause)
        taken, kept = bucket.take(kept, wanted, rate=rate, at=at)
        assert 0 <= taken <= wanted
        assert kept.calls_left >= 0
        total += taken
    assert total <= bucket.size(rate) + rate * (at - AT).total_seconds() + 1e-3
