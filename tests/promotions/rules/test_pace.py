"""When a budget is used up at this speed, and when it runs ahead of its time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from promotions.rules import pace
from promotions.rules.pace import Scarce

START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
END = START + timedelta(hours=100)
AT = START + timedelta(hours=25)  # a quarter of its time is gone


def scarce(taken, per_hour, *, most="1000", ends_at=END, starts_at=START):
    return Scarce(D(most), D(taken), D(per_hour), starts_at, ends_at)


@pytest.mark.parametrize(
    ("taken", "per_hour", "used_up_in", "ahead", "is_short", "is_ahead"),
    [
        pytest.param("250", "10", 75, "0.00", False, False, id="even, used up with its last hour"),
        pytest.param("250", "10.5", 71.428571, "0.00", True, False, id="a little faster is short"),
        pytest.param("200", "5", 160, "-0.05", False, False, id="slower than even"),
        pytest.param("450", "0", None, "0.20", False, False, id="just the threshold is nothing unusual"),
        pytest.param("451", "0", None, "0.201", False, True, id="ahead although nobody takes any more"),
        pytest.param("460", "20", 27, "0.21", True, True, id="ahead and short"),
        pytest.param("1000", "0", 0, "0.75", True, True, id="gone before its end"),
        pytest.param("0", "0", None, "-0.25", False, False, id="nobody has taken any"),
        pytest.param("250", "0.001", None, "0.00", False, False, id="lasts longer than ten years"),
    ],
)  # fmt: skip
def test_pace_of_a_running_promotion(taken, per_hour, used_up_in, ahead, is_short, is_ahead):
    told = pace.of(scarce(taken, per_hour), at=AT)
    wanted = None if used_up_in is None else AT + timedelta(hours=used_up_in)
    assert told.used_up_at == (None if wanted is None else pytest.approx(wanted, abs=timedelta(seconds=1)))
    assert (told.even_share, told.ahead) == (D("0.25"), D(ahead))
    assert (told.is_short, told.is_ahead, told.is_trouble) == (is_short, is_ahead, is_short or is_ahead)


@pytest.mark.parametrize("at", [START - timedelta(seconds=1), END, END + timedelta(days=1)])
def test_what_has_not_begun_or_is_over_is_no_trouble(at):
    told = pace.of(scarce("1000", "50"), at=at)
    assert (told.is_short, told.is_ahead) == (False, False)


def test_without_an_end_there_is_no_even_pace_and_nothing_comes_too_early():
    told = pace.of(scarce("900", "100", ends_at=None), at=AT)
    assert told == pace.Pace(AT + timedelta(hours=1), None, None, is_short=False, is_ahead=False)


def test_a_limit_of_nothing_is_used_up():
    told = scarce("0", "0", most="0")
    assert (told.share, told.left, pace.of(told, at=AT).used_up_at) == (D(1), D(0), AT)


def test_the_threshold_can_be_chosen():
    assert pace.of(scarce("301", "0"), at=AT, threshold=D("0.05")).is_ahead
    assert not pace.of(scarce("300", "0"), at=AT, threshold=D("0.05")).is_ahead


def test_speed_is_taken_by_hours():
    assert pace.per_hour(D(30), since=AT - timedelta(minutes=90), at=AT) == D(20)
    assert pace.per_hour(D(30), since=AT, at=AT) == D(0)
