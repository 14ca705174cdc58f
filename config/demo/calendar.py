"""When people buy: weekdays, hours, public holidays and campaigns. Chinese time; nothing here is random."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property

CHINA = timezone(timedelta(hours=8))
DAY = timedelta(days=1)

# Monday … Sunday; tills live from the weekend, the others a little from its end.
WEEKDAYS = (0.97, 0.94, 0.95, 0.97, 1.0, 1.07, 1.10)
WEEKDAYS_AT_TILLS = (0.78, 0.75, 0.78, 0.82, 1.05, 1.45, 1.37)
HOURS = (
    3,
    1.5,
    0.8,
    0.5,
    0.4,
    0.6,
    1.2,
    2.2,
    3.4,
    4.6,
    5.6,
    5.4,
    5.2,
    5.0,
    5.0,
    5.1,
    5.0,
    4.8,
    5.0,
    6.0,
    8.0,
    8.8,
    8.2,
    5.2,
)
HOURS_AT_TILLS = (0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 6, 7, 7, 7, 7, 8, 9, 10, 11, 9, 4, 0, 0)
HOURS_OF_A_PEAK = (24, 8, 4, 2, 1, 1, 1.5, 3, 4, 5, 5, 5, 4.5, 4.5, 4.5, 4.5, 4.5, 4.5, 5, 6, 9, 9, 9, 11)

# Days off of the State Council's announcements; a year that is not announced keeps the fixed dates alone.
_HOLIDAYS = (
    ("new_year", (2025, 1, 1), 1), ("new_year", (2026, 1, 1), 3), ("new_year", (2027, 1, 1), 1),
    ("spring_festival", (2025, 1, 28), 8), ("spring_festival", (2026, 2, 15), 9), ("spring_festival", (2027, 2, 5), 8),
    ("tomb_sweeping", (2025, 4, 4), 3), ("tomb_sweeping", (2026, 4, 4), 3), ("tomb_sweeping", (2027, 4, 5), 1),
    ("labour_day", (2025, 5, 1), 5), ("labour_day", (2026, 5, 1), 5), ("labour_day", (2027, 5, 1), 5),
    ("dragon_boat", (2025, 5, 31), 3), ("dragon_boat", (2026, 6, 19), 3), ("dragon_boat", (2027, 6, 9), 1),
    ("mid_autumn", (2025, 10, 6), 1), ("mid_autumn", (2026, 9, 25), 3), ("mid_autumn", (2027, 9, 15), 1),
    ("national_day", (2025, 10, 1), 8), ("national_day", (2026, 10, 1), 7), ("national_day", (2027, 10, 1), 7),
)  # fmt: skip
HOLIDAYS: dict[date, str] = {
    date(*first) + DAY * place: name for name, first, days in _HOLIDAYS for place in range(days)
}
_HOLIDAY_EFFECT = {"spring_festival": 0.45, "national_day": 0.88, "labour_day": 0.9}  # on orders that are shipped
_HOLIDAY_AT_TILLS = {"spring_festival": 0.6, "national_day": 1.5, "labour_day": 1.45, "mid_autumn": 1.3}


@dataclass(frozen=True)
class Campaign:
    """One promotion of the calendar and what it does to demand, day by day."""

    code: str
    name: str
    name_en: str
    starts_at: datetime
    ends_at: datetime
    percent_off: int
    lift: dict[date, float] = field(default_factory=dict, hash=False)
    channels: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @cached_property
    def span(self) -> tuple[int, int]:
        """Return start and end as seconds since the epoch."""
        return int(self.starts_at.timestamp()), int(self.ends_at.timestamp())

    def holds_on(self, channel: str) -> bool:
        """Return whether the campaign runs on a channel."""
        return not self.channels or channel in self.channels


def campaigns(first: date, last: date) -> list[Campaign]:
    """Return every campaign that touches these days, in the order in which they start."""
    found = [
        campaign
        for year in range(first.year - 1, last.year + 2)
        for campaign in (*_yearly(year), *(_member_day(year, month) for month in range(1, 13)))
        if campaign.ends_at.date() >= first and campaign.starts_at.date() <= last
    ]
    return sorted(found, key=lambda campaign: (campaign.starts_at, campaign.code))


def demand(day: date, channel: str, running: Sequence[Campaign]) -> float:
    """Return how much a channel sells on a day, 1.0 being an ordinary one."""
    at_tills = channel == "POS"
    factor = (WEEKDAYS_AT_TILLS if at_tills else WEEKDAYS)[day.weekday()]
    factor *= (_HOLIDAY_AT_TILLS if at_tills else _HOLIDAY_EFFECT).get(HOLIDAYS.get(day, ""), 1.0)
    for campaign in running:
        if campaign.holds_on(channel):
            lift = campaign.lift.get(day, 1.0)
            factor *= 1.0 + (lift - 1.0) * (0.25 if at_tills and not campaign.channels else 1.0)
    return factor


def is_peak(day: date, running: Sequence[Campaign]) -> bool:
    """Return whether a campaign more than doubles this day: buyers then wait for midnight."""
    return any(campaign.lift.get(day, 1.0) > 2.0 and not campaign.channels for campaign in running)


def _at(day: date, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour), CHINA)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), CHINA)


def _days(first: date, *lifts: float) -> dict[date, float]:
    return {first + DAY * place: lift for place, lift in enumerate(lifts)}


def _yearly(year: int) -> tuple[Campaign, ...]:
    """Return the campaigns that come once a year, with the slump after the big ones."""
    black_friday = _last_thursday(year) + DAY
    return (
        Campaign(
            f"NYG-{year}", "年货节", "New Year goods fair", _at(date(year, 1, 10)), _end_of(date(year, 1, 24)), 12,
            _days(date(year, 1, 10), 1.5, 1.4, *[1.35] * 13), categories=("snacks", "drinks", "home"),
        ),
        Campaign(
            f"W38-{year}", "三八焕新周", "Women's Day week", _at(date(year, 3, 4)), _end_of(date(year, 3, 8)), 12,
            _days(date(year, 3, 4), 1.2, 1.2, 1.3, 1.5, 2.0), categories=("beauty", "apparel"),
        ),
        Campaign(
            f"SPRING-{year}", "春日露营季", "Spring camping", _at(date(year, 4, 10)), _end_of(date(year, 4, 19)), 15,
            _days(date(year, 4, 10), *[1.15] * 10), channels=("DY", "PDD", "WX"), categories=("outdoor",),
        ),
        Campaign(
            f"618-{year}", "618 年中大促", "618 sale", _at(date(year, 5, 31), 20), _end_of(date(year, 6, 18)), 15,
            _days(date(year, 5, 31), 1.6, 1.9, *[1.2] * 15, 1.5, 4.0, 0.75, 0.8),
        ),
        Campaign(
            f"S99-{year}", "99 划算节", "9.9 sale", _at(date(year, 9, 6)), _end_of(date(year, 9, 9)), 10,
            _days(date(year, 9, 6), 1.3, 1.25, 1.3, 1.8),
        ),
        Campaign(
            f"D11-{year}", "双11 全球狂欢季", "Double 11", _at(date(year, 10, 31), 20), _end_of(date(year, 11, 11)), 18,
            _days(date(year, 10, 31), 1.8, 2.1, *[1.3] * 8, 1.9, 5.0, 0.7, 0.75, 0.85),
        ),
        Campaign(
            f"BF-{year}", "黑五海外站", "Black Friday", _at(black_friday), _end_of(black_friday + DAY * 3), 20,
            _days(black_friday, 3.2, 2.2, 1.8, 2.6), channels=("SHOP",),
        ),
        Campaign(
            f"D12-{year}", "双12 年终盛典", "Double 12", _at(date(year, 12, 8), 20), _end_of(date(year, 12, 12)), 15,
            _days(date(year, 12, 8), 1.3, 1.4, 1.3, 1.4, 2.6, 0.85),
        ),
    )  # fmt: skip


def _member_day(year: int, month: int) -> Campaign:
    day = date(year, month, 28)
    return Campaign(
        f"MEMBER-{year}-{month:02d}",
        f"{month}月会员日",
        f"Member day {year}-{month:02d}",
        _at(day),
        _end_of(day),
        8,
        {day: 2.2},
        channels=("WX", "YZ", "WM", "POS"),
    )


def _last_thursday(year: int) -> date:
    """Return the fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + DAY * ((3 - first.weekday()) % 7 + 21)
