"""How long changes of stock took to reach a channel."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.models import Channel, StockPush
from channels.services import convergence
from channels.services.convergence import DAY, HOUR, HourOfPushes, Span
from tests import small_company as company
from tests.channels.services.stock_shop import list_on

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def push(channel: Channel, seconds: float, *, ago: timedelta = timedelta(), urgent: bool = False) -> None:
    listing = channel.listings.first() or list_on(channel, company.sku(f"SKU-{channel.code}"))
    StockPush.objects.create(
        listing=listing, channel=channel, quantity=1, is_urgent=urgent,
        changed_at=AT - ago - timedelta(seconds=seconds), accepted_at=AT - ago,
    )  # fmt: skip


def test_percentiles_are_of_the_span_and_of_each_channel(django_assert_num_queries) -> None:
    jd, tm, quiet = (company.channel(code) for code in ("JD", "TM", "QUIET"))
    for seconds in (1, 2, 3, 4, 5):
        push(jd, seconds, urgent=seconds < 3)
    push(jd, 100, ago=timedelta(hours=2))
    push(tm, 7)
    with django_assert_num_queries(1):
        hour = convergence.spans([jd.pk, tm.pk, quiet.pk], HOUR, at=AT)
    assert hour == {jd.pk: Span(5, 3.0, pytest.approx(4.8), 2, pytest.approx(1.95)), tm.pk: Span(1, 7.0, 7.0, 0, 0.0)}
    assert convergence.spans([jd.pk], DAY, at=AT)[jd.pk].count == 6


def test_the_last_hours_are_told_one_by_one() -> None:
    jd = company.channel("JD")
    push(jd, 2)
    push(jd, 4)
    push(jd, 9, ago=timedelta(hours=3, minutes=30))
    push(jd, 9, ago=timedelta(hours=24))
    quiet = company.channel("QUIET")
    both = convergence.by_hour([jd.pk, quiet.pk], at=AT)
    assert {hour.count for hour in both[quiet.pk]} == {0}
    hours = both[jd.pk]
    assert len(hours) == 24
    assert hours[-1] == HourOfPushes(0, 2, pytest.approx(3.9))
    assert hours[-4] == HourOfPushes(3, 1, 9.0)
    assert sum(hour.count for hour in hours) == 3
