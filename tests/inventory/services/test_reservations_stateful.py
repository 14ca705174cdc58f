"""Any sequence of stock verbs: after every step the balances are what the ledger and the promises say."""

import pytest

from tests.inventory.machines import SHARDS, try_sequences
from tests.inventory.machines.stock import Stock

pytestmark = [pytest.mark.django_db, pytest.mark.stateful]


@pytest.mark.parametrize("shard", range(SHARDS // 2))  # the desk's machine has these verbs too
def test_any_sequence_of_stock_verbs_keeps_the_books(shard):
    try_sequences(Stock, shard)
