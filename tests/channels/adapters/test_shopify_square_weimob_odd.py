"""Whatever a platform writes into a field, a message is understood or refused with its reason: nothing else."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from channels import adapters
from channels.adapters import shopify, square, weimob
from channels.adapters.protocol import Adapter, Connection
from channels.messages import RawMessage, Untranslatable

ROOT = Path(adapters.__file__).parent
ODD = (None, [], {}, "x", -1, 1.5, True, 10**30, "\x00", "9" * 100, [1], {"a": 1}, "\ud800", [[]], "1e5")
CONNECTION = Connection("C", options={"locations": {"L1": {"province": "浙江省"}}})
SOLD = "CAISENgvlJ6jLWAzERDzjyHVybY"


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (*before, name)
        yield from places(each, (*before, name))


def changed(document: Any, place: tuple[Any, ...], value: Any) -> bytes:
    copy = deepcopy(document)
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return json.dumps(copy).encode()


@pytest.mark.parametrize(
    ("adapter", "sample", "kind", "number"),
    [
        (shopify.ADAPTER, "shopify/samples/order.json", "order", "5501234567890"),
        (shopify.ADAPTER, "shopify/samples/refund.json", "refund", "5501234567890"),
        (square.ADAPTER, "square/samples/sale.json", "order", SOLD),
        (square.ADAPTER, "square/samples/return.json", "refund", SOLD),
        (weimob.ADAPTER, "weimob/samples/order.json", "order", "1001234567890123456"),
        (weimob.ADAPTER, "weimob/samples/rights.json", "refund", "1001234567890123456"),
    ],
)
def test_odd_values_are_understood_or_refused(adapter: Adapter, sample: str, kind: str, number: str) -> None:
    document = json.loads((ROOT / sample).read_bytes())
    adapter.translate(RawMessage(kind, number, 0, json.dumps(document).encode()), CONNECTION)
    codes: set[str] = set()
    understood = 0
    for place in places(document):
        for value in ODD:
            try:
                adapter.translate(RawMessage(kind, number, 0, changed(document, place, value)), CONNECTION)
            except Untranslatable as refused:
                codes.add(refused.code)
                json.dumps(refused.reason.stored())
            else:
                understood += 1

    assert understood > 100
    assert codes >= {"bad_value", "bad_quantity", "missing_field", "unknown_status"}
