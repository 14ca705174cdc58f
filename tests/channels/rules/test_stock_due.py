"""What becomes of a listing whose figure was read again, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.rules.stock_due import Deed, Known, Message, Verdict, decide
from channels.rules.urgency import is_urgent

OLD = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NOW = OLD + timedelta(minutes=1)
SAME, TELL, BACK = Deed.LEAVE, Deed.SEND, Deed.WITHDRAW
NONE, WAITS, GOES = Message.NONE, Message.WAITING, Message.UNDER_WAY


@pytest.mark.parametrize(
    ("known", "figure", "message", "verdict"),
    [
        pytest.param(Known(None, None, None), 7, NONE, Verdict(7, NOW, TELL), id="told for the first time"),
        pytest.param(Known(9, None, 9), 7, NONE, Verdict(7, NOW, TELL), id="changed"),
        pytest.param(Known(8, OLD, 9), 7, WAITS, Verdict(7, OLD, TELL), id="changed again while one waits"),
        pytest.param(Known(8, OLD, 9), 9, WAITS, Verdict(9, None, BACK), id="back to what the channel has"),
        pytest.param(Known(8, OLD, 9), 7, GOES, Verdict(7, NOW, SAME), id="changed while one is under way"),
        pytest.param(Known(8, OLD, 9), 8, GOES, Verdict(8, OLD, SAME), id="the one under way is right"),
        pytest.param(Known(8, OLD, 9), 9, GOES, Verdict(9, NOW, SAME), id="back while one is under way"),
        pytest.param(Known(8, None, 8), None, NONE, Verdict(None, None, BACK), id="nobody knows any more"),
        pytest.param(Known(None, None, None), None, NONE, Verdict(None, None, BACK), id="nobody knew"),
    ],
)
def test_each_case_has_one_answer(known: Known, figure: int | None, message: Message, verdict: Verdict) -> None:
    assert decide(known, figure, message, changed_at=NOW) == verdict


def test_only_a_repetition_sends_what_the_channel_has() -> None:
    known = Known(7, None, 7)
    assert decide(known, 7, NONE, changed_at=NOW) == Verdict(7, None, BACK)
    assert decide(known, 7, NONE, changed_at=NOW, is_repeated=True) == Verdict(7, None, TELL)
    assert decide(known, 7, GOES, changed_at=NOW, is_repeated=True) == Verdict(7, None, SAME)


@pytest.mark.parametrize(
    ("accepted", "due", "urgent"),
    [
        pytest.param(20, 6, False, id="plenty"),
        pytest.param(20, 5, True, id="few"),
        pytest.param(20, 0, True, id="nothing left"),
        pytest.param(0, 50, True, id="there is stock again"),
        pytest.param(None, 50, False, id="first figure"),
    ],
)
def test_figures_near_zero_do_not_wait(accepted: int | None, due: int, urgent: bool) -> None:
    assert is_urgent(accepted, due) is urgent


def test_what_is_few_can_be_another_number() -> None:
    assert (is_urgent(30, 8, few=8), is_urgent(30, 9, few=8)) == (True, False)
