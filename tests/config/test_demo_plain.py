"""What the demo company is made of, before any row is written: pure, and the same on every machine."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest

from config.demo import catalogue, ground, places
from config.demo.calendar import HOLIDAYS, campaigns, demand
from config.demo.history import SIZES, History
from config.demo.tape import money, stamp
from inventory.rules.cities import CITIES
from inventory.rules.geography import MAINLAND

UNTIL = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SEED = 7
SMALL = SIZES["small"]


def told(*, seed: int = SEED, until: datetime = UNTIL) -> str:
    """Return the fingerprint of a whole past, without writing it."""
    skus = catalogue.make()
    history = History(SMALL, seed=seed, until=until, skus=skus)
    digest = hashlib.sha256()
    for _day, _orders in history.tell(ground.names(skus)):
        for _table, text in history.tape.take():
            digest.update(text.encode())
    return digest.hexdigest()


def test_the_same_seed_and_end_tell_the_same_past():
    assert told() == told()


def test_another_seed_or_end_tells_another_past():
    assert len({told(), told(seed=8), told(until=UNTIL - timedelta(hours=1))}) == 3


def test_calendar_facts():
    year = campaigns(date(2026, 1, 1), date(2026, 12, 31))

    assert demand(date(2026, 11, 11), "TM", year) == pytest.approx(0.95 * 5)
    assert demand(date(2026, 6, 18), "JD", year) == pytest.approx(0.97 * 4)
    assert demand(date(2026, 11, 11), "POS", year) == pytest.approx(0.78 * 2)  # tills feel a quarter of it
    assert demand(date(2026, 10, 17), "POS", year) / demand(date(2026, 10, 14), "POS", year) == pytest.approx(
        1.45 / 0.78
    )
    assert demand(date(2026, 9, 28), "WX", year) == pytest.approx(0.97 * 2.2)
    assert demand(date(2026, 9, 28), "TM", year) == pytest.approx(0.97)  # member day is not on Tmall
    assert HOLIDAYS[date(2026, 2, 17)] == "spring_festival"
    assert demand(date(2026, 2, 17), "TM", year) == pytest.approx(0.94 * 0.45)


def test_areas_like_different_things():
    skus = catalogue.make()
    shelf = History(SMALL, seed=SEED, until=UNTIL, skus=skus)._wishes

    def share(area: str, category: str, month: int) -> float:
        weights = shelf.weights("JD", area, month)
        return sum(w for w, sku in zip(weights, skus, strict=True) if sku.category == category) / sum(weights)

    assert share("northeast", "apparel", 1) > 1.35 * share("south", "apparel", 1)
    assert share("south", "drinks", 7) > 1.8 * share("northeast", "drinks", 7)
    assert share("south", "drinks", 7) > 1.6 * share("south", "drinks", 1)


def test_popularity_falls_like_zipf():
    weights = sorted((sku.popularity for sku in catalogue.make() if sku.kind == "single"), reverse=True)

    assert weights[0] / weights[99] == pytest.approx((105 / 6) ** 0.85)
    assert 0.5 <= sum(weights[:110]) / sum(weights) <= 0.62


def test_barcodes_are_valid_and_belong_to_nobody():
    codes = [sku.barcode for sku in catalogue.make()]

    assert catalogue.barcode(12345) == "2100000123452"
    assert all(code.startswith("2") and len(code) == 13 for code in codes)
    assert all((sum(map(int, code[::2])) + 3 * sum(map(int, code[1::2]))) % 10 == 0 for code in codes)
    assert len(set(codes)) == 600


def test_every_province_has_buyers_and_its_capital_is_known():
    assert set(places.PROVINCES) == MAINLAND
    assert {province for province, _city in CITIES} == MAINLAND
    assert sum(places.shares_by_area().values()) == pytest.approx(1)
    assert len(CITIES) == 108


def test_stamps_and_money_as_copy_reads_them():
    assert stamp(0) == "\\N"
    assert stamp(int(UNTIL.timestamp())) == "2026-11-23 06:00:00+00"
    assert money(1205) == "12.05"
