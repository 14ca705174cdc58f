"""The shop that most tests of order verbs start from."""

from collections.abc import Iterator

import pytest

from tests import small_company as company
from tests.orders.services import scenes
from tests.orders.services.scenes import Shop


@pytest.fixture
def hub(db: None) -> Iterator[Shop]:
    """A channel, cups and lids at SH (10 each) and cups at WH (10); afterwards the books must add up."""
    cup, lid = company.sku("CUP"), company.sku("LID")
    near, far = company.node("SH"), company.node("WH", "42")
    for sku, node in ((cup, near), (lid, near), (cup, far)):
        company.stock(sku, node, 10)
    yield Shop(company.channel(), cup, lid, near, far)
    scenes.assert_books_add_up()
