"""Drive the simulated merchant with squareup: argv is the API's address and the token; prints what was seen as JSON."""

import json
import sys
from datetime import UTC, datetime, timedelta

from square import Square
from square.core.api_error import ApiError
from square.utils.webhooks_helper import verify_signature

address, token = sys.argv[1:]
client = Square(base_url=address, token=token)

query = {
    "filter": {
        "date_time_filter": {"updated_at": {"start_at": "2026-11-20T00:00:00Z", "end_at": "2026-11-21T00:00:00Z"}}
    },
    "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
}
orders, cursor = [], None
while True:
    asked = {"cursor": cursor} if cursor else {}
    page = client.orders.search(location_ids=["L1"], limit=2, query=query, **asked)
    orders += page.orders
    cursor = page.cursor
    if not cursor:
        break
first = client.orders.get(order_id=orders[0].id).order
change = {"uid": first.fulfillments[0].uid, "state": "COMPLETED", "shipment_details": {"tracking_number": "SF1"}}
told = {"location_id": "L1", "version": first.version, "fulfillments": [change]}
updated = client.orders.update(order_id=first.id, order=told, idempotency_key="k1").order
count = {"catalog_object_id": "VAR-1", "state": "IN_STOCK", "location_id": "L1", "quantity": "7"}
count["occurred_at"] = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
client.inventory.batch_create_changes(
    idempotency_key="k2", changes=[{"type": "PHYSICAL_COUNT", "physical_count": count}]
)
counts = list(client.inventory.batch_get_counts(catalog_object_ids=["VAR-1"]))
try:
    Square(base_url=address, token="wrong").locations.get(location_id="L1")
    refused = ""
except ApiError as error:
    refused = f"{error.status_code} {error.errors[0].code}"
body = '{"merchant_id":"M1","type":"order.updated","event_id":"e1"}'
is_ours = verify_signature(
    request_body=body,
    signature_header="eZClWJzdlnXd5bjefJr9wdAvIUKNXyQx5d8p0A6mf70=",
    signature_key="sq-signature-key",
    notification_url="https://oms.example.com/hooks/square",
)
seen = {
    "orders": [order.id for order in orders],
    "line": [first.line_items[0].quantity, first.line_items[0].base_price_money.amount],
    "shipped": [updated.state, updated.version, updated.fulfillments[0].shipment_details.tracking_number],
    "counts": [[each.catalog_object_id, each.quantity] for each in counts],
    "location": client.locations.get(location_id="L1").location.name,
    "refused": refused,
    "signature": is_ours,
}
print(json.dumps(seen))  # noqa: T201
