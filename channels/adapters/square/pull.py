"""Searching orders by the time of their last change, location by location in tens.

Sorted by that time, oldest first: what changes meanwhile leaves the window for the next one. A till that was offline
uploads up to three days late, but as a change of now. Not verified against the live platform: that a cursor stands for
a place behind an order and not for a count of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from channels.adapters import calls
from channels.adapters.protocol import Connection
from channels.adapters.square import client, translate
from channels.messages import ListedItem, RawMessage

PAGE_SIZE: Final = 500
MOST_LOCATIONS: Final = 10
MOST_FETCHED: Final = 100
STATES: Final = ["OPEN", "COMPLETED", "CANCELED"]  # a draft is no order yet


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders and returns updated in the window; raises ``RetryLater`` or ``Rejected``."""
    locations = client.locations(connection)
    window = {"updated_at": {"start_at": _write(since), "end_at": _write(until)}}
    query = {
        "filter": {"state_filter": {"states": STATES}, "date_time_filter": window},
        "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
    }
    for place in range(0, len(locations), MOST_LOCATIONS):
        body = {"location_ids": locations[place : place + MOST_LOCATIONS], "limit": PAGE_SIZE, "query": query}
        for orders in _pages("orders", partial(_found, connection, body)):
            yield [raw for order in orders for raw in _messages(order)]


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return these orders; one that is not handed out becomes a message that says so, another shop's is left out."""
    locations = set(client.locations(connection))
    messages: list[RawMessage] = []
    for place in range(0, len(external_ids), MOST_FETCHED):
        wanted = external_ids[place : place + MOST_FETCHED]
        orders = _rows(
            client.call(connection, "POST", "/v2/orders/batch-retrieve", {"order_ids": list(wanted)}), "orders"
        )
        ours = [
            order for order in orders if str(order.get("location_id")) in locations and order.get("state") != "DRAFT"
        ]
        messages += [raw for order in ours for raw in _messages(order)]
        missing = set(wanted) - {str(order.get("id")) for order in orders}
        messages += [RawMessage("order", number, 0, translate.NOT_FETCHED) for number in sorted(missing)]
    return messages


def listings(connection: Connection) -> Iterator[list[ListedItem]]:
    """Yield the catalogue's variations. An order names a variation by its number: that is its code here."""
    for items in _pages("objects", partial(_catalogue, connection)):
        yield [each for item in items for each in _listed(item)]


def _found(connection: Connection, body: dict[str, Any], cursor: dict[str, str]) -> dict[str, Any]:
    return client.call(connection, "POST", "/v2/orders/search", {**body, **cursor})


def _catalogue(connection: Connection, cursor: dict[str, str]) -> dict[str, Any]:
    return client.call(connection, "GET", "/v2/catalog/list?" + urlencode({"types": "ITEM", **cursor}))


def _pages(name: str, ask: Callable[[dict[str, str]], dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each page; a page's cursor asks for the one behind it."""
    cursor: dict[str, str] = {}
    while True:
        answer = ask(cursor)
        yield _rows(answer, name)
        if not answer.get("cursor"):
            return
        cursor = {"cursor": answer["cursor"]}


def _rows(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise calls.not_understood(client.PLATFORM, calls.written(answer))
    return rows


def _messages(order: Mapping[str, Any]) -> list[RawMessage]:
    """Return an order's messages: what it sold, and what came back; an exchange does both."""
    payload, number = calls.written(order), str(order.get("id") or "")
    revision, returns = translate.revision_of(order), order.get("returns")
    messages = []
    if order.get("line_items") or not returns:
        messages.append(RawMessage("order", number, revision, payload))
    if returns:
        messages.append(RawMessage("refund", translate.sold_in(order) or number, revision, payload))
    return messages


def _listed(item: Mapping[str, Any]) -> list[ListedItem]:
    data = item.get("item_data") or {}
    return [_variation(item, data, variation) for variation in data.get("variations") or []]


def _variation(item: Mapping[str, Any], data: Mapping[str, Any], variation: Mapping[str, Any]) -> ListedItem:
    told = variation.get("item_variation_data") or {}
    names = (data.get("name"), told.get("name"), told.get("sku"))
    price = told.get("price_money") or {}
    amount, decimals = price.get("amount"), translate.decimals_of(str(price.get("currency")))
    return ListedItem(
        external_item_id=str(item.get("id")),
        external_sku_id=str(variation.get("id")),
        external_code=str(variation.get("id")),
        title=" ".join(str(name) for name in names if name),
        barcode=str(told.get("upc") or ""),
        price=Decimal(amount).scaleb(-decimals) if type(amount) is int else None,
        is_on_sale=not item.get("is_deleted"),
    )


def _write(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
