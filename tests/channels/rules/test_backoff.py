"""How long to wait before the same call again."""

import pytest

from channels.rules import backoff
from channels.rules.backoff import seconds_until_retry


@pytest.mark.parametrize(
    ("attempts", "asked", "spread", "seconds"),
    [
        pytest.param(1, 0, 0.5, 30, id="first failure"),
        pytest.param(2, 0, 0.5, 60, id="doubled"),
        pytest.param(5, 0, 0.5, 480, id="doubled four times"),
        pytest.param(8, 0, 0.5, 3600, id="never more than an hour"),
        pytest.param(60, 0, 1.0, 3600, id="nor with spread"),
        pytest.param(1, 0, 0.0, 27, id="a tenth less"),
        pytest.param(1, 0, 1.0, 33, id="a tenth more"),
        pytest.param(1, 120, 0.0, 120, id="never less than asked"),
        pytest.param(1, 7, 0.5, 30, id="asked for less"),
        pytest.param(1, 90_000, 0.5, 3600, id="asked for a day"),
    ],
)
def test_wait(attempts: int, asked: int, spread: float, seconds: int) -> None:
    assert seconds_until_retry(attempts, asked=asked, spread=spread) == seconds


def test_a_webhook_is_tried_ten_times_within_seventy_six_hours() -> None:
    waits = [seconds_until_retry(number, waits=backoff.WEBHOOKS, spread=0.5) for number in range(1, 10)]
    assert waits == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert (backoff.most_attempts(backoff.WEBHOOKS), sum(waits) / 3600) == (10, pytest.approx(75.58, abs=0.01))


def test_a_webhook_waits_as_long_as_it_is_asked_to() -> None:
    assert seconds_until_retry(1, waits=backoff.WEBHOOKS, asked=7200, spread=0.0) == 7200
    assert backoff.most_attempts() == 10
