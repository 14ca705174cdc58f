"""What people put into an order: popular things more often, by area, season, channel and campaign."""

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from config.demo.calendar import Campaign
from config.demo.catalogue import DemoSku, price_on
from config.demo.company import CATEGORIES, DemoChannel

LINES = (0.52, 0.79, 0.92, 0.97, 1.0)  # running shares of one, two … five lines
UNITS = (0.82, 0.95, 1.0)
CAMPAIGN_PULL = 1.8  # how much more a campaign's own categories sell
FREE_SHIPPING_FROM, SHIPPING = 6_900, 600
GIFT_FROM = 19_900
SHARE_WITH_COUPON, COUPON_PERCENT = 0.12, 5
LIKES = {
    "DY": {"beauty": 1.3, "snacks": 1.2},
    "PDD": {"snacks": 1.3, "kitchen": 1.1, "beauty": 0.8},
    "SHOP": {"drinks": 0.15, "snacks": 0.6, "beauty": 1.3},
    "POS": {"snacks": 1.3, "drinks": 1.2, "baby": 0.8},
}
MORE_TRIES = 6  # a buyer who finds a thing sold out looks for another

SetAside = Callable[[int, int], bool]  # place in the catalogue, units: are they there, and now in the basket?


@dataclass(slots=True)
class Line:
    """One line of a basket; amounts in hundredths of the channel's currency."""

    place: int
    quantity: int
    price: int
    discount: int
    is_gift: bool = False


class Shelf:
    """Draws baskets; the weights of a (channel, area, month, campaign) are worked out once."""

    def __init__(self, skus: Sequence[DemoSku]) -> None:
        self._skus = skus
        self._sums: dict[tuple[str, str, int, tuple[str, ...]], list[float]] = {}
        self._prices: dict[str, list[int]] = {}
        self._gifts = [place for place, sku in enumerate(skus) if sku.kind == "gift"]
        self._totals = {
            category.code: sum(sku.popularity for sku in skus if sku.category == category.code)
            for category in CATEGORIES
        }

    def weights(self, channel: str, area: str, month: int, pulled: tuple[str, ...] = ()) -> list[float]:
        """Return each SKU's share of wishes, unscaled."""
        likes = LIKES.get(channel, {})
        of_category = {}
        for category in CATEGORIES:
            weight = category.share * category.by_month[month - 1] * category.by_area.get(area, 1.0)
            weight *= likes.get(category.code, 1.0) * (CAMPAIGN_PULL if category.code in pulled else 1.0)
            of_category[category.code] = weight / self._totals[category.code]
        return [sku.popularity * of_category[sku.category] for sku in self._skus]

    def fill(
        self, rng: Random, channel: DemoChannel, area: str, month: int, running: Sequence[Campaign], set_aside: SetAside
    ) -> list[Line]:
        """Return one to five lines of different SKUs that are there; in rare need none."""
        sums = self._running_sums(channel.code, area, month, running)
        prices = self._price_list(channel)
        lines: list[Line] = []
        chosen: set[int] = set()
        wanted = bisect(LINES, rng.random()) + 1
        for _ in range(wanted + MORE_TRIES):
            place = bisect(sums, rng.random() * sums[-1])
            quantity = bisect(UNITS, rng.random()) + 1
            if place in chosen or not set_aside(place, quantity):
                continue
            chosen.add(place)
            lines.append(Line(place, quantity, prices[place], 0))
            if len(lines) == wanted:
                break
        self._discount(rng, lines, running)
        return lines

    def gift_for(self, lines: Sequence[Line], running: Sequence[Campaign], set_aside: SetAside) -> Line | None:
        """Return the present that a large campaign adds to a large order."""
        if not running or sum(line.price * line.quantity - line.discount for line in lines) < GIFT_FROM:
            return None
        for campaign in running:
            place = self._gifts[sum(map(ord, campaign.code)) % len(self._gifts)]
            if not campaign.channels and set_aside(place, 1):
                return Line(place, 1, 0, 0, is_gift=True)
        return None

    def _discount(self, rng: Random, lines: Sequence[Line], running: Sequence[Campaign]) -> None:
        coupon = COUPON_PERCENT if rng.random() < SHARE_WITH_COUPON else 0
        for line in lines:
            category = self._skus[line.place].category
            offers = [c.percent_off for c in running if not c.categories or category in c.categories]
            line.discount = line.price * line.quantity * (max(offers, default=0) + coupon) // 100

    def _running_sums(self, channel: str, area: str, month: int, running: Sequence[Campaign]) -> list[float]:
        pulled = tuple(sorted({category for campaign in running for category in campaign.categories}))
        key = (channel, area, month, pulled)
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = list(accumulate(self.weights(*key)))
        return sums

    def _price_list(self, channel: DemoChannel) -> list[int]:
        prices = self._prices.get(channel.code)
        if prices is None:
            prices = self._prices[channel.code] = [price_on(channel, sku) for sku in self._skus]
        return prices


def shipping(goods: int) -> int:
    """Return what a buyer pays for sending, in hundredths."""
    return 0 if goods >= FREE_SHIPPING_FROM else SHIPPING
