"""Drive the simulated shop with ShopifyAPI: argv is the shop's address and the token; prints what was seen as JSON."""

import json
import sys

import shopify

address, token = sys.argv[1:]
shopify.ShopifyResource.set_site(f"{address}/admin/api/2024-10")
shopify.ShopifyResource.set_headers({"X-Shopify-Access-Token": token})

page = shopify.Order.find(limit=2, status="any")
orders = [order.id for order in page]
while page.has_next_page():
    page = page.next_page()
    orders += [order.id for order in page]
used = shopify.Limits.credit_used()
one = shopify.Order.find(orders[0])
lines = [[line.sku, line.quantity, line.price] for line in one.line_items]
queried = json.loads(
    shopify.GraphQL().execute(
        "query Q($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { id displayFulfillmentStatus } } }",
        {"ids": [f"gid://shopify/Order/{orders[0]}"]},
    )
)
shopify.Session.setup(secret="hush")
given = {"code": "0907a61c0c8d55e99db179b68161bc00", "shop": "some-shop.myshopify.com", "state": "0.6784241404160823"}
digest = shopify.Session.calculate_hmac({**given, "timestamp": "1337178173"})
try:
    shopify.ShopifyResource.set_headers({"X-Shopify-Access-Token": "wrong"})
    shopify.Shop.current()
    refused = ""
except Exception as error:
    refused = type(error).__name__
seen = {"orders": orders, "lines": lines, "nodes": queried["data"]["nodes"], "hmac": digest, "refused": refused}
print(json.dumps({**seen, "used": used}))  # noqa: T201
