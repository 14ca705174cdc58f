"""Walking numbered pages: what is asked, in which order, and when it gives up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from channels.adapters import walking
from channels.adapters.protocol import RetryLater
from channels.adapters.walking import Page, Pages, Row

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def rows(*keys: str, changed: str = "1") -> list[Row]:
    return [Row(key, changed) for key in keys]


def pages(ask: Callable[[datetime, datetime, int], Page], *, size: int = 2, deepest: int = 100) -> Pages:
    return Pages("Shop", ask, size, HOUR, deepest)


def test_windows_are_whole_seconds_and_share_their_ends() -> None:
    start = NOON + timedelta(microseconds=5)

    assert list(walking.windows(start, start + 1.5 * HOUR, HOUR)) == [
        (NOON, NOON + HOUR),
        (NOON + HOUR, NOON + 1.5 * HOUR),
    ]
    assert list(walking.windows(NOON, NOON - HOUR, HOUR)) == []
    assert list(walking.windows(NOON, NOON, HOUR)) == [(NOON, NOON)]


def test_the_front_is_asked_for_the_size_and_read_last() -> None:
    asked: list[int] = []

    def ask(start: datetime, end: datetime, number: int) -> Page:
        asked.append(number)
        return Page(rows(f"{number}a", f"{number}b"), 5)

    met = [[row.key for row in page] for page in pages(ask).walk(NOON, NOON)]

    assert (asked, met) == ([1, 3, 2, 1], [["3a", "3b"], ["2a", "2b"], ["1a", "1b"]])


def test_a_row_of_two_windows_comes_once_and_again_when_it_changed() -> None:
    def ask(start: datetime, end: datetime, number: int) -> Page:
        changed = "2" if start > NOON else "1"
        return Page([Row("same", "1"), Row("other", changed)], 2)

    met = list(pages(ask).walk(NOON, NOON + 2 * HOUR))

    assert met == [[Row("same", "1"), Row("other", "1")], [Row("other", "2")]]


def test_a_list_that_does_not_tell_when_is_not_read_again() -> None:
    answers = iter(
        [Page(rows("a", "b", changed=""), 3), Page(rows("c", changed=""), 3), Page(rows("d", changed=""), 3)]
    )

    met = [row.key for page in pages(lambda *asked: next(answers)).walk(NOON, NOON) for row in page]

    assert met == ["c", "d"]


def test_a_list_that_gives_up_its_front_again_and_again_is_tried_later() -> None:
    numbers = iter(range(1_000))

    with pytest.raises(RetryLater, match="Shop's list changes faster than it can be read"):
        list(pages(lambda *asked: Page(rows(str(next(numbers))), 5)).walk(NOON, NOON))


def test_a_window_with_too_many_rows_is_halved_until_it_fits() -> None:
    asked: list[timedelta] = []

    def ask(start: datetime, end: datetime, number: int) -> Page:
        asked.append(end - start)
        return Page(rows(start.isoformat()), 101 if end - start > timedelta(minutes=30) else 1)

    assert len(list(pages(ask).walk(NOON, NOON + HOUR))) == 2
    assert asked == [HOUR, HOUR / 2, HOUR / 2]


def test_a_count_that_cannot_be_true_is_not_believed() -> None:
    asked: list[timedelta] = []

    def ask(start: datetime, end: datetime, number: int) -> Page:
        asked.append(end - start)
        return Page([], 10**12)

    with pytest.raises(RetryLater, match="Shop lists more of one second than can be read"):
        list(pages(ask).walk(NOON, NOON + HOUR))
    assert (len(asked), asked[-1]) == (12, timedelta(seconds=1))
