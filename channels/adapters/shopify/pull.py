"""Listing orders, page by page, with their holds and refunds.

A page's cursor stands for a place behind a row, not for a count of rows: what is updated meanwhile leaves the window
and comes with the next one, and nothing is pushed past us. A REST order does not say whether it is on hold: the orders
of a page that may still ship are asked for it with one GraphQL call.

Not verified against the live platform: that a hold moves the order's ``updated_at``, that one query may name
``PAGE_SIZE`` orders, and the fields of a product's variants (``PRODUCT_FIELDS``).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from channels.adapters import calls, fetching
from channels.adapters.protocol import Connection
from channels.adapters.shopify import client, translate
from channels.messages import ListedItem, RawMessage

PAGE_SIZE: Final = 250
HOLDS: Final = "query Holds($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id displayFulfillmentStatus } } }"
GID: Final = "gid://shopify/Order/"
PRODUCT_FIELDS: Final = "id,title,status,variants"


def pull(connection: Connection, *, since: datetime, until: datetime) -> Iterator[list[RawMessage]]:
    """Yield the orders updated in the window, closed and cancelled ones too; raises ``RetryLater`` or ``Rejected``."""
    window = {"status": "any", "updated_at_min": _write(since), "updated_at_max": _write(until)}
    for orders in _pages(connection, "orders", window):
        yield _messages(connection, orders)


def fetch(connection: Connection, external_ids: Sequence[str]) -> list[RawMessage]:
    """Return these orders as they are now; one that is not handed out becomes a message that says so."""
    messages: list[RawMessage] = []
    for place in range(0, len(external_ids), PAGE_SIZE):
        wanted = external_ids[place : place + PAGE_SIZE]
        orders = list(chain(*_pages(connection, "orders", {"status": "any", "ids": ",".join(wanted)})))
        messages += _messages(connection, orders)
        missing = set(wanted) - {translate.ident(order.get("id")) for order in orders}
        messages += [RawMessage("order", number, 0, translate.NOT_FETCHED) for number in sorted(missing)]
    return messages


def listings(connection: Connection) -> Iterator[list[ListedItem]]:
    """Yield the variants of every product. Stock belongs to a variant's inventory item: that is the SKU id here."""
    for products in _pages(connection, "products", {"fields": PRODUCT_FIELDS}):
        yield [_listed(product, variant) for product in products for variant in product.get("variants") or []]


def _pages(connection: Connection, name: str, asked: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
    limit = {"limit": str(PAGE_SIZE)}
    answer = client.rest(connection, f"{name}.json", {**asked, **limit})
    while True:
        rows = answer.body.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise calls.not_understood(client.PLATFORM, calls.written(answer.body))
        yield rows
        if not answer.page_info:
            return
        kept = {"fields": asked["fields"]} if "fields" in asked else {}  # a cursor goes with these two alone
        answer = client.rest(connection, f"{name}.json", {"page_info": answer.page_info, **limit, **kept})


def _messages(connection: Connection, orders: Sequence[Mapping[str, Any]]) -> list[RawMessage]:
    holds = _holds(connection, [translate.ident(order.get("id")) for order in orders if translate.may_ship(order)])
    messages: list[RawMessage] = []
    for order in orders:
        number = translate.ident(order.get("id"))
        display_status = holds.get(GID + number)
        payload = calls.written({"order": order, "display_fulfillment_status": display_status})
        messages.append(RawMessage("order", number, translate.revision_of(order, display_status), payload))
        messages += [
            RawMessage("refund", number, translate.refund_revision(refund), calls.written({"refund": refund}))
            for refund in translate.refunds_of_goods(order)
        ]
    return messages


def _holds(connection: Connection, numbers: Sequence[str]) -> dict[str, str]:
    """Return each order's fulfillment status by its GraphQL id."""
    if not numbers:
        return {}
    nodes = client.graphql(connection, HOLDS, {"ids": [GID + number for number in numbers]}).get("nodes") or []
    return {node["id"]: node.get("displayFulfillmentStatus") for node in nodes if node}


def _listed(product: Mapping[str, Any], variant: Mapping[str, Any]) -> ListedItem:
    title = f"{product.get('title') or ''} {variant.get('title') or ''}".strip()
    return ListedItem(
        external_item_id=translate.ident(product.get("id")),
        external_sku_id=translate.ident(variant.get("inventory_item_id")),
        external_code=str(variant.get("sku") or translate.ident(variant.get("id"))),
        title=title,
        barcode=str(variant.get("barcode") or ""),
        quantity=fetching.units(variant.get("inventory_quantity")),
        price=fetching.price(variant.get("price")),
        is_on_sale=product.get("status", "active") == "active",
    )


def _write(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
