"""The oversell table's figures, by hand."""

from datetime import date, timedelta

import pytest
from django.db import connection

from inventory.models import Sku
from orders.models import Order, OrderLine, Oversell
from orders.queries import oversold
from orders.queries.oversold import Day
from tests import small_company as company
from tests.small_company import NOON

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 2)
LATE = NOON.replace(hour=15, minute=59)  # 23:59 in Shanghai


def hours(n):
    return timedelta(hours=n)


@pytest.fixture
def cup():
    return company.sku("CUP")


def sold(channel, number, placed_at=NOON, *, paid_after=None, shipped_after=None):
    """An order that was paid and shipped so many hours after it was placed."""
    order = Order.objects.create(
        number=f"{channel.code}-{number}", channel=channel, external_id=str(number), placed_at=placed_at,
        received_at=placed_at, paid_at=placed_at + hours(paid_after) if paid_after is not None else None,
        shipped_at=placed_at + hours(shipped_after) if shipped_after is not None else None,
    )  # fmt: skip
    OrderLine.objects.create(order=order, line_number=1, external_id="1", quantity=2, unit_price=1)
    return order


def missed(order, cause, *, line=1, found_at=None):
    Oversell.objects.create(
        order=order, line_number=line, channel=order.channel, sku=Sku.objects.get(), quantity=1, cause=cause,
        found_at=found_at or order.placed_at,
    )  # fmt: skip


def test_orders_hours_and_rates_by_channel(cup):
    jd, dy = company.channel(), company.channel("DY")
    first = sold(jd, 1, shipped_after=10, paid_after=2)  # 8 hours from payment
    second = sold(jd, 2, shipped_after=3)  # never paid before: from the order
    third = sold(jd, 3, shipped_after=24, paid_after=0)
    sold(jd, 4)
    other = sold(dy, 1, shipped_after=5, paid_after=0)
    missed(first, "push_lag")
    missed(first, "over_figure", line=2)
    missed(first, "not_found")
    missed(second, "never_told")
    missed(third, "not_found", found_at=NOON + hours(20))
    missed(other, "push_lag")

    table = oversold.table(7, today=TODAY)

    assert (table.first_date, table.last_date, table.day_count) == (date(2026, 10, 27), TODAY, 7)
    one, two = table.channels
    assert (one.channel_id, one.orders, one.shipped, one.median_hours) == (jd.pk, 4, 3, 8.0)
    assert (one.oversold, one.rate("channel"), one.rate("ours")) == ({"channel": 2, "ours": 2}, 0.5, 0.5)
    assert one.lines == {"push_lag": 1, "over_figure": 1, "not_found": 2, "never_told": 1}
    assert one.days[-1] == Day(TODAY, 4, 3)
    assert one.days[:-1] == [Day(TODAY - timedelta(days=n), 0, 0) for n in range(6, 0, -1)]
    assert (two.orders, two.median_hours, two.oversold, two.rate("ours")) == (1, 5.0, {"channel": 1}, 0.0)
    total = table.total
    assert (total.orders, total.shipped, total.median_hours) == (5, 4, 6.5)
    assert (total.oversold, total.lines["push_lag"], total.days[-1]) == ({"channel": 3, "ours": 2}, 2, Day(TODAY, 5, 4))


def test_days_are_local_and_the_span_has_sharp_ends(cup):
    jd = company.channel()
    first_night = LATE - timedelta(days=7)  # the last minute of the day before the span
    for number, at in enumerate((first_night, first_night + hours(1), LATE, LATE + hours(1)), start=1):
        missed(sold(jd, number, at), "push_lag")
    table = oversold.table(7, today=TODAY)
    [one] = table.channels
    assert (one.orders, one.oversold, one.lines) == (2, {"channel": 2}, {"push_lag": 2})
    assert (one.days[0], one.days[-1]) == (Day(date(2026, 10, 27), 1, 1), Day(TODAY, 1, 1))


def test_an_order_counts_on_the_day_it_was_placed_even_when_found_later(cup):
    jd = company.channel()
    missed(sold(jd, 1, NOON - timedelta(days=3)), "not_found", found_at=NOON)
    [one] = oversold.table(7, today=TODAY).channels
    assert [day.oversold for day in one.days] == [0, 0, 0, 1, 0, 0, 0]


def test_a_company_that_sold_nothing_has_an_empty_table():
    table = oversold.table(30, today=TODAY)
    assert (table.channels, table.total.orders, table.total.median_hours, table.total.rate("ours")) == ((), 0, None, 0)
    assert len(table.total.days) == 30


def test_three_statements_however_much_there_is(cup, django_assert_num_queries):
    for code in ("JD", "DY", "WM"):
        channel = company.channel(code)
        for number in range(3):
            missed(sold(channel, number), "push_lag")
    with django_assert_num_queries(3):
        oversold.table(90, today=TODAY)


def test_the_orders_of_a_span_are_read_from_an_index(cup):
    jd = company.channel()
    Order.objects.bulk_create(
        Order(number=f"JD-{n}", channel=jd, external_id=str(n), placed_at=NOON - timedelta(minutes=n), received_at=NOON)
        for n in range(5000)
    )
    asked = {"zone": "Asia/Shanghai", "start": NOON - timedelta(minutes=90), "end": NOON + hours(1)}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
        plans = []
        for question in (oversold._ORDERS, oversold._HOURS):
            cursor.execute(f"EXPLAIN {question}", asked)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    for plan in plans:
        assert "Seq Scan" not in plan
        assert "order_channel" in plan or "order_newest" in plan
