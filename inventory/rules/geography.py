"""Provinces, cities and distances: enough geography to decide who ships.

Province codes are the first two digits of GB/T 2260; abroad the ISO 3166-1 alpha-2 code stands in for them.
Coordinates are those of the capital, WGS-84, to two decimals: routing compares hundreds of kilometres.
"""

from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt

from inventory.rules.cities import CITIES

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class Region:
    """A province of China, or a country abroad."""

    code: str
    name: str  # as people write it, without suffix
    name_en: str
    area: str  # east | south | central | north | northwest | southwest | northeast | abroad
    latitude: float
    longitude: float


_ROWS = (
    ("11", "北京", "Beijing", "north", 39.90, 116.41),
    ("12", "天津", "Tianjin", "north", 39.08, 117.20),
    ("13", "河北", "Hebei", "north", 38.04, 114.51),
    ("14", "山西", "Shanxi", "north", 37.87, 112.55),
    ("15", "内蒙古", "Inner Mongolia", "north", 40.84, 111.75),
    ("21", "辽宁", "Liaoning", "northeast", 41.81, 123.43),
    ("22", "吉林", "Jilin", "northeast", 43.82, 125.32),
    ("23", "黑龙江", "Heilongjiang", "northeast", 45.80, 126.53),
    ("31", "上海", "Shanghai", "east", 31.23, 121.47),
    ("32", "江苏", "Jiangsu", "east", 32.06, 118.80),
    ("33", "浙江", "Zhejiang", "east", 30.27, 120.16),
    ("34", "安徽", "Anhui", "east", 31.82, 117.23),
    ("35", "福建", "Fujian", "east", 26.07, 119.30),
    ("36", "江西", "Jiangxi", "east", 28.68, 115.86),
    ("37", "山东", "Shandong", "east", 36.65, 117.12),
    ("41", "河南", "Henan", "central", 34.75, 113.63),
    ("42", "湖北", "Hubei", "central", 30.59, 114.31),
    ("43", "湖南", "Hunan", "central", 28.23, 112.94),
    ("44", "广东", "Guangdong", "south", 23.13, 113.26),
    ("45", "广西", "Guangxi", "south", 22.82, 108.37),
    ("46", "海南", "Hainan", "south", 20.04, 110.32),
    ("50", "重庆", "Chongqing", "southwest", 29.56, 106.55),
    ("51", "四川", "Sichuan", "southwest", 30.57, 104.07),
    ("52", "贵州", "Guizhou", "southwest", 26.65, 106.63),
    ("53", "云南", "Yunnan", "southwest", 25.04, 102.71),
    ("54", "西藏", "Tibet", "southwest", 29.65, 91.14),
    ("61", "陕西", "Shaanxi", "northwest", 34.34, 108.94),
    ("62", "甘肃", "Gansu", "northwest", 36.06, 103.83),
    ("63", "青海", "Qinghai", "northwest", 36.62, 101.78),
    ("64", "宁夏", "Ningxia", "northwest", 38.49, 106.23),
    ("65", "新疆", "Xinjiang", "northwest", 43.83, 87.62),
    ("71", "台湾", "Taiwan", "abroad", 25.03, 121.57),
    ("81", "香港", "Hong Kong", "abroad", 22.32, 114.17),
    ("82", "澳门", "Macao", "abroad", 22.20, 113.54),
    ("SG", "新加坡", "Singapore", "abroad", 1.35, 103.82),
    ("JP", "日本", "Japan", "abroad", 35.68, 139.69),
    ("KR", "韩国", "South Korea", "abroad", 37.57, 126.98),
    ("US", "美国", "United States", "abroad", 39.83, -98.58),
    ("CA", "加拿大", "Canada", "abroad", 45.42, -75.70),
    ("GB", "英国", "United Kingdom", "abroad", 51.51, -0.13),
    ("DE", "德国", "Germany", "abroad", 52.52, 13.41),
    ("FR", "法国", "France", "abroad", 48.86, 2.35),
    ("AU", "澳大利亚", "Australia", "abroad", -33.87, 151.21),
    ("MY", "马来西亚", "Malaysia", "abroad", 3.14, 101.69),
    ("TH", "泰国", "Thailand", "abroad", 13.76, 100.50),
    ("NL", "荷兰", "Netherlands", "abroad", 52.37, 4.90),
    ("ES", "西班牙", "Spain", "abroad", 40.42, -3.70),
    ("IT", "意大利", "Italy", "abroad", 41.90, 12.50),
    ("BR", "巴西", "Brazil", "abroad", -23.55, -46.63),
    ("IE", "爱尔兰", "Ireland", "abroad", 53.35, -6.26),
    ("BE", "比利时", "Belgium", "abroad", 50.85, 4.35),
    ("CH", "瑞士", "Switzerland", "abroad", 46.95, 7.45),
    ("PT", "葡萄牙", "Portugal", "abroad", 38.72, -9.14),
    ("SE", "瑞典", "Sweden", "abroad", 59.33, 18.07),
    ("NO", "挪威", "Norway", "abroad", 59.91, 10.75),
    ("DK", "丹麦", "Denmark", "abroad", 55.68, 12.57),
    ("FI", "芬兰", "Finland", "abroad", 60.17, 24.94),
    ("AT", "奥地利", "Austria", "abroad", 48.21, 16.37),
    ("PL", "波兰", "Poland", "abroad", 52.23, 21.01),
)
REGIONS: dict[str, Region] = {row[0]: Region(*row) for row in _ROWS}
MAINLAND = frozenset(code for code, region in REGIONS.items() if region.area != "abroad")
_SUFFIXES = (
    "维吾尔自治区", "壮族自治区", "回族自治区", "特别行政区", "自治区", "省", "市",
    " province", " municipality", " autonomous region",
)  # fmt: skip
_BY_NAME = {region.name: code for code, region in REGIONS.items()} | {
    region.name_en.lower(): code for code, region in REGIONS.items()
}


@cache
def find_region(text: str, country: str = "CN") -> str | None:
    """Return the code of a province as a channel writes it (name with or without suffix, Chinese, English or code).

    Outside China the country decides. ``None`` means nobody knows the place.
    """
    country = country.strip().upper()
    if country not in ("", "CN", "CHN"):
        return country if country in REGIONS else {"HK": "81", "MO": "82", "TW": "71"}.get(country)
    word = text.strip().lower().removeprefix("cn-")
    if word[:2] in REGIONS and word.isdigit():
        return word[:2]
    for suffix in _SUFFIXES:
        word = word.removesuffix(suffix)
    return _BY_NAME.get(word)


@cache
def locate(region: str, city: str = "") -> tuple[float, float]:
    """Return latitude and longitude of a city, or of its province's capital when the city is not known.

    Raises ``KeyError`` for an unknown region code.
    """
    name = city.strip().removesuffix("市")
    if (region, name) in CITIES:
        return CITIES[region, name]
    known = REGIONS[region]
    return known.latitude, known.longitude


def distance_km(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Return the great-circle distance between two (latitude, longitude) points in kilometres (haversine)."""
    lat1, lon1, lat2, lon2 = map(radians, (*here, *there))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half)))
