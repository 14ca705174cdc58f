"""Where the buyers live: provinces by population and wealth, cities in the order in which geography knows them."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from config.demo.company import ABROAD, NODES
from inventory.rules.cities import CITIES
from inventory.rules.geography import REGIONS

# Share of the mainland's orders: people times how much they buy, in per mille.
PROVINCES = {
    "44": 118, "32": 97, "33": 86, "37": 74, "31": 52, "41": 60, "51": 60, "11": 46, "42": 46, "43": 43,
    "13": 45, "34": 40, "35": 40, "21": 31, "61": 30, "50": 28, "36": 28, "45": 28, "53": 25, "14": 22,
    "23": 20, "52": 19, "12": 17, "22": 15, "15": 15, "65": 14, "62": 12, "46": 9, "64": 5, "63": 4, "54": 2,
}  # fmt: skip
COUNTRIES = {
    "81": 24, "SG": 16, "US": 18, "JP": 11, "AU": 9, "MY": 7, "71": 6, "CA": 4, "GB": 3, "82": 2, "KR": 2, "TH": 2
}  # fmt: skip
CITY_FALL = 0.75  # each further city of a province buys that much of the one before
SUFFIXES = {
    "15": "内蒙古自治区", "45": "广西壮族自治区", "54": "西藏自治区", "64": "宁夏回族自治区", "65": "新疆维吾尔自治区",
    "11": "北京市", "12": "天津市", "31": "上海市", "50": "重庆市",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A town that buyers live in."""

    region: str
    city: str
    country: str
    area: str

    @property
    def province(self) -> str:
        """Return the province as platforms write it."""
        return province_name(self.region)


@dataclass(frozen=True)
class Places:
    """Towns with the running sums of their weights, to draw from by bisection."""

    towns: tuple[Place, ...]
    sums: tuple[float, ...]


def province_name(region: str) -> str:
    """Return a province of the mainland as platforms write it, with its suffix; raises ``KeyError``."""
    return SUFFIXES.get(region) or f"{REGIONS[region].name}省"


@cache
def of_channel(channel: str) -> Places:
    """Return the towns that a channel's buyers live in."""
    if channel == "SHOP":
        return _weighted({place: float(COUNTRIES[place.region]) for place in map(_abroad, ABROAD)})
    if channel == "POS":
        return _weighted(_towns_with_stores())
    return _weighted(_mainland())


def shares_by_area() -> dict[str, float]:
    """Return each area's share of the mainland's orders."""
    shares: dict[str, float] = {}
    for region, weight in PROVINCES.items():
        area = REGIONS[region].area
        shares[area] = shares.get(area, 0.0) + weight / sum(PROVINCES.values())
    return shares


def _weighted(weights: dict[Place, float]) -> Places:
    return Places(tuple(weights), tuple(accumulate(weights.values())))


def _towns_with_stores() -> dict[Place, float]:
    """A town with two stores buys twice as much at tills."""
    towns = Counter(_town(node.region, node.city) for node in NODES if node.kind == "store")
    return {place: float(stores) for place, stores in towns.items()}


def _mainland() -> dict[Place, float]:
    towns: dict[Place, float] = {}
    for region, weight in PROVINCES.items():
        cities = [city for code, city in CITIES if code == region]
        steps = [CITY_FALL**place for place in range(len(cities))]
        towns.update(
            {_town(region, city): weight * step / sum(steps) for city, step in zip(cities, steps, strict=True)}
        )
    return towns


def _town(region: str, city: str) -> Place:
    return Place(region, city, "CN", REGIONS[region].area)


def _abroad(code: str) -> Place:
    region = REGIONS[code]
    country = {"81": "HK", "82": "MO", "71": "TW"}.get(code, code)
    return Place(code, region.name_en, country, "abroad")
