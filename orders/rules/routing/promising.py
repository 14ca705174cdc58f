"""When a parcel leaves its node, and on which days it comes. Plain Python.

In the order in which an operator reads it:

1. what waits at a node is done first: parcels waiting ÷ parcels an hour;
2. a node with a cut-off hands its parcels over then: what is ready later leaves the next day. A group's waiting time
   never makes a parcel miss its cut-off;
3. then the way: half of the parcels need no longer than the median hours of the lane, nine of ten no longer than its
   p90. The first gives the day from which, the second the day until which the buyer is promised, in the days of the
   region that it goes to.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from orders.rules.routing.facts import NodeFacts

HOME: Final = "Asia/Shanghai"  # one time for all of China
_ZONES: Final = {
    "71": "Asia/Taipei", "81": "Asia/Hong_Kong", "82": "Asia/Macau", "SG": "Asia/Singapore", "JP": "Asia/Tokyo",
    "KR": "Asia/Seoul", "US": "America/Chicago", "CA": "America/Toronto", "GB": "Europe/London", "DE": "Europe/Berlin",
    "FR": "Europe/Paris", "AU": "Australia/Sydney", "MY": "Asia/Kuala_Lumpur", "TH": "Asia/Bangkok",
    "NL": "Europe/Amsterdam", "ES": "Europe/Madrid", "IT": "Europe/Rome", "BR": "America/Sao_Paulo",
    "IE": "Europe/Dublin", "BE": "Europe/Brussels", "CH": "Europe/Zurich", "PT": "Europe/Lisbon",
    "SE": "Europe/Stockholm", "NO": "Europe/Oslo", "DK": "Europe/Copenhagen", "FI": "Europe/Helsinki",
    "AT": "Europe/Vienna", "PL": "Europe/Warsaw",
}  # fmt: skip
DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """When a parcel leaves, and the days between which nine of ten such parcels come."""

    leaves_at: datetime
    arrives_from: date
    arrives_until: date


@cache
def zone(region: str) -> ZoneInfo:
    """Return the time zone of a region; of wide countries that of most of its people, of unknown ones China's."""
    return ZoneInfo(_ZONES.get(region, HOME))


def minute_of_day(at: datetime, region: str) -> float:
    """Return how many minutes of the region's day have passed."""
    local = at.astimezone(zone(region))
    return local.hour * 60 + local.minute + local.second / 60


def is_past_cut_off(node: NodeFacts, at: datetime) -> bool:
    """Return whether what is given to the node now leaves only the next day."""
    return node.cut_off_minute is not None and minute_of_day(at, node.region) > node.cut_off_minute


def backlog_hours(node: NodeFacts, backlog: int) -> float:
    """Return how long the node needs for what waits there; 0 where nobody has said how fast it works."""
    return backlog / node.parcels_per_hour if node.parcels_per_hour else 0.0


def leaves_after(node: NodeFacts, at: datetime, backlog: int) -> float:
    """Return the hours until a parcel that the node gets now leaves it, behind ``backlog`` others."""
    ready = backlog_hours(node, backlog)
    if node.cut_off_minute is None:
        return ready
    minute = minute_of_day(at + timedelta(hours=ready), node.region)
    wait = node.cut_off_minute - minute
    return ready + (wait if wait >= 0 else wait + DAY_MINUTES) / 60


def window(at: datetime, leaves_after: float, hours: tuple[float, float], region: str) -> Window:
    """Return when a parcel leaves and comes, of hours until it leaves and of its way (median, p90)."""
    leaves_at = at + timedelta(hours=leaves_after)
    there = zone(region)
    first, last = (leaves_at + timedelta(hours=way) for way in hours)
    return Window(leaves_at, first.astimezone(there).date(), last.astimezone(there).date())
