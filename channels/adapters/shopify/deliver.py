"""Telling Shopify about parcels and stock, so that telling it twice does no harm.

A parcel is a fulfillment of line items of the order's fulfillment orders, one call for each location they are assigned
to. What a fulfillment with the same tracking number holds already is not told again: an earlier answer may have been
lost, or the second of two locations may have failed. A stock figure is absolute and carries an idempotency key.

Not verified against the live platform (documented guesses): the REST fields of fulfillments and fulfillment orders, and
the names in ``CARRIERS``, which only decide how a buyer sees the link to the carrier.
"""

from collections import defaultdict
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from audit.rules.sentences import say
from channels.adapters import telling
from channels.adapters.protocol import Connection, Rejected
from channels.adapters.shopify import client
from channels.messages import Outgoing, ShipmentNotice, StockFigure

CARRIERS: Final = {
    "SF": "SF Express",
    "ZTO": "ZTO Express",
    "YTO": "YTO Express",
    "YUNDA": "Yunda Express",
    "STO": "STO Express",
    "EMS": "China Post",
    "JD": "JD Logistics",
}
OPEN: Final = frozenset({"open", "in_progress"})
REASON: Final = "correction"
FULFILL: Final = (
    "mutation Fulfill($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) "
    "{ fulfillment { id } userErrors { field message } } }"
)
SET_STOCK: Final = (
    "mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) { inventorySetQuantities(input: $input) "
    "@idempotent(key: $key) { userErrors { field message } } }"
)
Items = list[dict[str, Any]]


def deliver(message: Outgoing, connection: Connection, *, key: str) -> str:
    """Tell the platform and return its answer; raises ``RetryLater`` or ``Rejected``."""
    if isinstance(message, ShipmentNotice):
        return _ship(message, connection)
    if isinstance(message, StockFigure):
        return _set_stock(message, connection, key=key)
    raise telling.not_offered(client.PLATFORM)


def _set_stock(figure: StockFigure, connection: Connection, *, key: str) -> str:
    location = str(connection.options.get("location_id") or "")
    if not location.isdigit():
        raise Rejected(say("Channel %(code)s has no location_id to set stock at.", code=connection.code))
    item = telling.number(client.PLATFORM, "inventory_item_id", figure.external_sku_id)
    quantity = {
        "inventoryItemId": f"gid://shopify/InventoryItem/{item}",
        "locationId": f"gid://shopify/Location/{location}",
        "quantity": telling.quantity(client.PLATFORM, figure),
        "changeFromQuantity": None,  # whatever it was: the hub is the source of the figure
    }
    asked = {"name": "available", "reason": REASON, "quantities": [quantity]}
    variables = {"input": asked, "key": str(uuid5(NAMESPACE_URL, key))}
    return client.mutate(connection, "inventorySetQuantities", SET_STOCK, variables)


def _ship(notice: ShipmentNotice, connection: Connection) -> str:
    names = {notice.carrier_code: notice.carrier_code, **CARRIERS}
    company = telling.carrier(client.PLATFORM, notice, names, connection.options)
    number = telling.number(client.PLATFORM, "id", notice.order_external_id)
    order = client.rest(connection, f"orders/{number}.json", {"fields": "id,fulfillments"}).body.get("order") or {}
    left = _not_yet_told(notice, order.get("fulfillments") or [])
    if not left:
        return "known"
    rows = client.rest(connection, f"orders/{number}/fulfillment_orders.json").body.get("fulfillment_orders") or []
    tracking = {"number": notice.tracking_number, "company": company}
    answers = []
    for parts in _by_location(rows, left, notice):
        fulfillment = {"lineItemsByFulfillmentOrder": parts, "trackingInfo": tracking, "notifyCustomer": True}
        answers.append(client.mutate(connection, "fulfillmentCreate", FULFILL, {"fulfillment": fulfillment}))
    return "\n".join(answers)


def _not_yet_told(notice: ShipmentNotice, fulfillments: Items) -> dict[str, int]:
    """Return how many units of each line no fulfillment with this tracking number holds yet."""
    left = telling.units(notice)
    for fulfillment in fulfillments:
        numbers = fulfillment.get("tracking_numbers") or [fulfillment.get("tracking_number")]
        if fulfillment.get("status") == "cancelled" or notice.tracking_number not in numbers:
            continue
        for row in fulfillment.get("line_items") or []:
            if str(row.get("id")) in left:
                left[str(row["id"])] -= row.get("quantity") or 0
    return {line: quantity for line, quantity in left.items() if quantity > 0}


def _by_location(rows: Items, left: dict[str, int], notice: ShipmentNotice) -> list[Items]:
    """Return, for each location, the fulfillment orders' line items to fulfill; raises ``Rejected`` when too few."""
    by_location: dict[Any, Items] = defaultdict(list)
    for row in rows:
        if row.get("status") not in OPEN:
            continue
        items = [item for item in (_take(line, left) for line in row.get("line_items") or []) if item]
        if items:
            fulfillment_order = f"gid://shopify/FulfillmentOrder/{row['id']}"
            part = {"fulfillmentOrderId": fulfillment_order, "fulfillmentOrderLineItems": items}
            by_location[row.get("assigned_location_id")].append(part)
    if any(left.values()):
        raise Rejected(say("Shopify has fewer units to ship than parcel %(parcel)s.", parcel=notice.parcel_number))
    return list(by_location.values())


def _take(line: dict[str, Any], left: dict[str, int]) -> dict[str, Any] | None:
    number = str(line.get("line_item_id"))
    quantity = min(left.get(number, 0), line.get("fulfillable_quantity") or 0)
    if quantity <= 0:
        return None
    left[number] -= quantity
    return {"id": f"gid://shopify/FulfillmentOrderLineItem/{line['id']}", "quantity": quantity}
