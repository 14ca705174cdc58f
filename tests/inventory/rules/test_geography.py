"""Provinces as channels write them, and distances that a map confirms."""

import pytest

from inventory.rules import geography
from inventory.rules.cities import CITIES
from inventory.rules.geography import MAINLAND, REGIONS, distance_km, find_region, locate


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        pytest.param("上海市", "CN", "31", id="municipality with suffix"),
        pytest.param("上海", "CN", "31", id="without suffix"),
        pytest.param("湖北省", "CN", "42", id="province"),
        pytest.param("新疆维吾尔自治区", "CN", "65", id="autonomous region"),
        pytest.param("内蒙古自治区", "CN", "15", id="short autonomous region"),
        pytest.param("广西壮族自治区", "CN", "45", id="Guangxi"),
        pytest.param("香港特别行政区", "CN", "81", id="special region"),
        pytest.param("Guangdong Province", "CN", "44", id="English"),
        pytest.param("  zhejiang ", "cn", "33", id="spaces and case"),
        pytest.param("CN-44", "CN", "44", id="ISO 3166-2 by number"),
        pytest.param("310115", "CN", "31", id="district code"),
        pytest.param("31", "", "31", id="no country means China"),
        pytest.param("", "US", "US", id="abroad the country decides"),
        pytest.param("California", " us ", "US", id="abroad the province is not read"),
        pytest.param("", "HK", "81", id="Hong Kong as a country"),
        pytest.param("", "TW", "71", id="Taiwan as a country"),
        pytest.param("", "MO", "82", id="Macao as a country"),
        pytest.param("Atlantis", "CN", None, id="unknown province"),
        pytest.param("", "CN", None, id="no province"),
        pytest.param("99", "CN", None, id="unknown code"),
        pytest.param("市", "CN", None, id="only a suffix"),
        pytest.param("", "XX", None, id="unknown country"),
    ],
)
def test_a_region_is_found_as_it_is_written(text, country, code):
    assert find_region(text, country) == code


def test_every_region_is_found_by_each_of_its_names():
    for code, region in REGIONS.items():
        assert find_region(region.name) == code
        assert find_region(region.name_en.upper()) == code


def test_mainland_is_the_31_provinces():
    assert len(MAINLAND) == 31
    assert {"71", "81", "82", "US"}.isdisjoint(MAINLAND)


@pytest.mark.parametrize(
    ("region", "city", "place"),
    [
        ("32", "苏州市", (31.30, 120.58)),
        ("32", "苏州", (31.30, 120.58)),
        ("32", "Nowhere", (32.06, 118.80)),
        ("32", "", (32.06, 118.80)),
    ],
)
def test_a_city_is_located_or_else_its_capital(region, city, place):
    assert locate(region, city) == place


def test_an_unknown_region_has_no_place():
    with pytest.raises(KeyError):
        locate("99", "")


@pytest.mark.parametrize(
    ("here", "there", "km"),
    [
        pytest.param(("31", ""), ("11", ""), 1068, id="Shanghai to Beijing"),
        pytest.param(("31", ""), ("42", ""), 687, id="Shanghai to Wuhan"),
        pytest.param(("44", ""), ("23", ""), 2780, id="Guangzhou to Harbin"),
        pytest.param(("31", ""), ("31", ""), 0, id="nowhere to go"),
    ],
)
def test_distances_are_those_of_the_map(here, there, km):
    assert distance_km(locate(*here), locate(*there)) == pytest.approx(km, rel=0.01)


def test_a_distance_is_the_same_both_ways_and_half_the_globe_at_most():
    assert distance_km((0, 0), (0, 180)) == pytest.approx(20015, abs=1)
    assert distance_km((31.23, 121.47), (-33.87, 151.21)) == distance_km((-33.87, 151.21), (31.23, 121.47))


def test_every_city_lies_near_its_province_capital():
    """Catches a swapped or mistyped coordinate: no city is farther from its capital than Kashgar from Ürümqi."""
    for (region, city), place in CITIES.items():
        assert region in geography.REGIONS
        assert distance_km(place, locate(region)) < 1200, city
