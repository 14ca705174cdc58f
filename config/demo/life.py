"""How long things take: message, payment, parcel, delivery, return. Seconds since the epoch; 0 stands for never."""

from dataclasses import dataclass
from random import Random

from config.demo.company import DemoChannel

MINUTE, HOUR, DAY = 60, 3600, 86_400
CHINA_OFFSET = 8 * HOUR
SHARE_UNPAID, SHARE_CANCELLED, SHARE_RETURNED = 0.02, 0.04, 0.055  # the last of what is delivered
LAST_PICKUP = 16  # o'clock; what is released later leaves the next day
KM_PER_HOUR = 55
COURIERS = (("ZTO", "78"), ("YTO", "YT"), ("YUNDA", "46"), ("STO", "77"), ("SF", "SF"), ("JD", "JDV"), ("EMS", "11"))


@dataclass(slots=True)
class Beginning:
    """An order until its nodes have it. ``ending`` is when it was closed or cancelled."""

    placed: int
    received: int
    paid: int
    released: int
    ending: int = 0

    @property
    def allocated(self) -> int:
        """Return when stock was reserved: with the message, in one step."""
        return self.received


@dataclass(slots=True)
class Journey:
    """A parcel's way."""

    picking: int
    packed: int
    shipped: int
    delivered: int
    carrier: str = ""
    tracking: str = ""


@dataclass(slots=True)
class WayBack:
    """A return's way."""

    requested: int
    received: int
    refunded: int


def begin(rng: Random, placed: int, channel: DemoChannel) -> Beginning:
    """Return when an order was received, paid and released, or closed because nobody paid, or cancelled."""
    received = placed + 3 + int(rng.random() * 40)
    if channel.code == "POS":
        return Beginning(placed, received, placed, received)
    if rng.random() < SHARE_UNPAID:
        term = channel.unpaid_minutes * MINUTE
        return Beginning(placed, received, 0, 0, placed + term + int(rng.random() * MINUTE))
    paid = placed + 20 + int(rng.expovariate(1 / 150.0)) % (channel.unpaid_minutes * MINUTE - 60)
    released = max(paid, received) + 2
    cancelled = released + int(rng.uniform(5, 120)) * MINUTE if rng.random() < SHARE_CANCELLED else 0
    return Beginning(placed, received, paid, released, cancelled)


def travel(rng: Random, released: int, km: float, *, abroad: bool, crowded: bool) -> Journey:
    """Return a parcel's way from its release: picked in working hours, fetched in the evening, slower in a peak."""
    day, second = divmod(released + CHINA_OFFSET, DAY)
    if second >= LAST_PICKUP * HOUR:
        day += 1
    if crowded and rng.random() < 0.4:
        day += 1
    begins = max(released + 10 * MINUTE, day * DAY - CHINA_OFFSET + 9 * HOUR) + int(rng.random() * 4 * HOUR)
    packed = begins + int(rng.uniform(8, 40)) * MINUTE
    evening = day * DAY - CHINA_OFFSET + 18 * HOUR
    shipped = max(packed + 20 * MINUTE, evening) + int(rng.random() * 2 * HOUR)
    hours = 9 + km / KM_PER_HOUR + rng.random() * 16 + (rng.uniform(70, 200) if abroad else 0)
    delivered = _by_day(shipped + int(hours * HOUR))
    code, prefix = COURIERS[4 if abroad else int(rng.random() * len(COURIERS))]
    return Journey(begins, packed, shipped, delivered, code, f"{prefix}{int(rng.random() * 10**11):011d}")


def hand_over(rng: Random, released: int) -> Journey:
    """Return the way of goods that the buyer takes along from the till."""
    taken = released + 30 + int(rng.random() * 120)
    return Journey(released, released + 10, taken, taken)


def come_back(rng: Random, delivered: int) -> WayBack | None:
    """Return the way back of part of a delivered order, for some of them."""
    if rng.random() >= SHARE_RETURNED:
        return None
    requested = delivered + int(rng.uniform(0.3, 7) * DAY)
    received = _by_day(requested + int(rng.uniform(1.5, 4.5) * DAY))
    return WayBack(requested, received, received + int(rng.uniform(1, 30) * HOUR))


def _by_day(moment: int) -> int:
    """Move a moment of the night to the next morning."""
    day, second = divmod(moment + CHINA_OFFSET, DAY)
    if 9 * HOUR <= second < 20 * HOUR:
        return moment
    return (day + (second >= 20 * HOUR)) * DAY - CHINA_OFFSET + 9 * HOUR + second % (3 * HOUR)
