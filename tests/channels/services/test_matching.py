"""Finding SKUs for listings in the database."""

import pytest

from channels.rules.matching import NOTHING, Asked, Guess
from channels.services import matching
from inventory.models import Sku
from tests import small_company as company

pytestmark = pytest.mark.django_db


def sku(code: str, name: str = "", barcode: str = "", **columns) -> Sku:
    row = company.sku(code)
    Sku.objects.filter(pk=row.pk).update(name=name or code, barcode=barcode, **columns)
    return row


def test_each_listing_gets_its_guess_in_few_queries(django_assert_num_queries):
    mug, lid = sku("MUG", "蓝色马克杯 350ml"), sku("LID", "硅胶杯盖", "690017")
    kettle = sku("KETTLE", "电热水壶 1.5L", name_en="Electric kettle 1.5 l")
    asked = [
        Asked("MUG"), Asked("lid "), Asked("", "690017"), Asked("T-1", "", "【旗舰店】电热水壶 1.5L 家用"),
        Asked("T-2", "", "electric kettle, 1.5 l, steel"), Asked("T-3", "", "汽车轮胎"), Asked(),
    ]  # fmt: skip

    with django_assert_num_queries(6):  # marks; savepoint, names and their index, comparison, drop, release
        found = matching.guesses(asked)

    assert found[:3] == [Guess(mug.pk, "code", 100), Guess(lid.pk, "code", 95), Guess(lid.pk, "barcode", 98)]
    assert [(guess.sku_id, guess.by) for guess in found[3:5]] == [(kettle.pk, "name"), (kettle.pk, "name")]
    assert all(50 < guess.confidence <= 85 for guess in found[3:5])
    assert found[5:] == [NOTHING, NOTHING]


def test_a_sku_that_is_not_sold_is_never_proposed():
    sku("OLD", "电热水壶", "690", is_active=False)
    assert matching.guesses([Asked("OLD", "690", "电热水壶")]) == [NOTHING]


def test_a_bundle_is_proposed_like_any_sku():
    part = sku("PART", "part")
    bundle = company.sku("SET", parts={part: 2})
    assert matching.guesses([Asked("SET")]) == [Guess(bundle.pk, "code", 100)]


def test_titles_are_compared_twice_in_one_transaction():
    kettle = sku("KETTLE", "电热水壶 1.5L")
    asked = [Asked("T", "", "电热水壶 1.5L")]
    assert matching.guesses(asked) == matching.guesses(asked) == [Guess(kettle.pk, "name", 85)]


def test_two_skus_with_one_name_are_a_mere_hint():
    first, _second = sku("A", "电热水壶"), sku("B", "电热水壶")
    assert matching.guesses([Asked("T", "", "电热水壶")]) == [Guess(first.pk, "name", 50)]


def test_nothing_asked_is_nothing_found():
    assert matching.guesses([]) == []
