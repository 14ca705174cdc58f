"""A channel that does not answer is left alone, a little longer each time, and is back with its first answer."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.rules import breaker
from channels.rules.breaker import State

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def failed(times: int, *, at: datetime = AT) -> State:
    """Return the state after failures in a row, each try made when it was due."""
    state = State()
    for _ in range(times):
        if state.breaker != "closed":
            assert state.probe_at is not None
            at = state.probe_at
            state = breaker.probing(state, at=at)
        state = breaker.after_failure(state, at=at)
    return state


@pytest.mark.parametrize(
    ("failures", "word", "seconds"),
    [
        pytest.param(4, "closed", None, id="four are not enough"),
        pytest.param(5, "open", 30, id="the fifth opens it"),
        pytest.param(6, "open", 60, id="a failed try doubles"),
        pytest.param(7, "open", 120, id="and again"),
        pytest.param(9, "open", 480, id="eight minutes"),
        pytest.param(10, "open", 600, id="never more than ten minutes"),
        pytest.param(400, "open", 600, id="however long it is away"),
    ],
)
def test_how_long_it_is_left_alone(failures: int, word: str, seconds: int | None) -> None:
    state = failed(failures)
    assert (state.breaker, state.failures) == (word, failures)
    if seconds is None:
        assert state.probe_at is None
    else:
        assert breaker.wait_after(failures) == timedelta(seconds=seconds)


def test_one_try_at_its_time_and_nobody_beside_it() -> None:
    state = failed(5)
    assert not breaker.may_probe(state, at=AT + timedelta(seconds=29))
    assert breaker.may_probe(state, at=AT + timedelta(seconds=30))
    trying = breaker.probing(state, at=AT + timedelta(seconds=30))
    assert (trying.breaker, breaker.is_callable(trying)) == ("half_open", False)
    assert not breaker.may_probe(trying, at=AT + timedelta(seconds=31))
    assert breaker.may_probe(trying, at=AT + timedelta(seconds=211))  # whoever tried has died
    assert breaker.after_success(trying) == State()


def test_calls_that_began_before_it_opened_change_nothing() -> None:
    state = failed(5)
    assert breaker.after_failure(state, at=AT + timedelta(seconds=20)) == state


def test_it_keeps_the_moment_since_when_it_is_away() -> None:
    assert failed(12).opened_at == AT


@given(st.lists(st.booleans(), max_size=60))
def test_any_mix_of_answers_and_failures_opens_only_after_five_in_a_row(answers: list[bool]) -> None:
    state, in_a_row, at = State(), 0, AT
    for is_answer in answers:
        if state.breaker != "closed":
            assert state.probe_at is not None
            at = state.probe_at
            state = breaker.probing(state, at=at)
        state = breaker.after_success(state) if is_answer else breaker.after_failure(state, at=at)
        in_a_row = 0 if is_answer else in_a_row + 1
        assert state.failures == in_a_row
        assert (state.breaker == "closed") == (in_a_row < 5)
