"""What the simulated shop holds: orders, fulfillment orders, products and stock, and the rules by which they change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from channels.simulators.shopify_gate import number_of

LOCATION = 655441491
RECEIVER = {
    "name": "Lei Han",
    "phone": "+8613800000000",
    "province": "Zhejiang",
    "city": "Hangzhou",
    "line": "1 Demo Rd",
}
SoldLine = tuple[str, str, int, Decimal]  # the seller's code, title, quantity, unit price


@dataclass
class Shop:
    """The rows of one shop. Not locked: the platform does that."""

    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    fulfillment_orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    holds: dict[int, str] = field(default_factory=dict)  # order → ON_HOLD or SCHEDULED
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    stock: dict[tuple[int, int], int] = field(default_factory=dict)  # inventory item, location

    def put(self, order: Mapping[str, Any], locations: Mapping[int, int] | None = None) -> int:
        """Take an order (the same id again replaces it); its lines are assigned to ``locations`` by their id."""
        for name in ("id", "updated_at", "line_items", "financial_status"):
            if name not in order:
                raise ValueError(f"an order needs {name}")
        datetime.fromisoformat(order["updated_at"])
        number = int(order["id"])
        self.orders[number] = deepcopy(dict(order)) | {"id": number}
        by_location: dict[int, list[dict[str, Any]]] = {}
        for line in order["line_items"]:
            by_location.setdefault((locations or {}).get(line["id"], LOCATION), []).append(line)
        for place, (location, lines) in enumerate(by_location.items()):
            self._assign(number * 10 + place, number, location, lines)
        return number

    def _assign(self, number: int, order: int, location: int, lines: Sequence[Mapping[str, Any]]) -> None:
        self.fulfillment_orders[number] = {
            "id": number,
            "order_id": order,
            "assigned_location_id": location,
            "status": "open",
            "line_items": [
                {
                    "id": line["id"] * 10 + 1,
                    "fulfillment_order_id": number,
                    "line_item_id": line["id"],
                    "quantity": line["quantity"],
                    "fulfillable_quantity": line["quantity"],
                    "variant_id": line.get("variant_id"),
                }
                for line in lines
            ],
        }

    def display_status(self, number: int) -> str:
        """Return the word that GraphQL has for how far an order's goods are."""
        words = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}
        return self.holds.get(number) or words[self.orders[number].get("fulfillment_status")]

    def fulfill(self, asked: Any, *, at: str) -> tuple[int | None, list[dict[str, Any]]]:
        """Make a fulfillment and return its number, or why not in the words of ``userErrors``."""
        parts = [
            (self.fulfillment_orders.get(number_of(part["fulfillmentOrderId"], "FulfillmentOrder")), part)
            for part in asked["lineItemsByFulfillmentOrder"]
        ]
        rows = [row for row, _ in parts if row]
        if len(rows) != len(parts) or not rows:
            return None, _refusal("Fulfillment order does not exist.")
        if len({(row["order_id"], row["assigned_location_id"]) for row in rows}) > 1:
            return None, _refusal("All fulfillment orders must be assigned to the same location.")
        if any(row["status"] != "open" or row["order_id"] in self.holds for row in rows):
            return None, _refusal("Fulfillment order has an unfulfillable status.")
        taken = [(line, quantity) for row, part in parts if row for line, quantity in _items(row, part)]
        if not taken or any(not 0 < quantity <= line["fulfillable_quantity"] for line, quantity in taken):
            return None, _refusal("Invalid fulfillment order line item quantity requested.")
        return self._fulfill(rows, taken, asked.get("trackingInfo") or {}, at=at), []

    def _fulfill(
        self,
        rows: list[dict[str, Any]],
        taken: list[tuple[dict[str, Any], int]],
        tracking: Mapping[str, Any],
        *,
        at: str,
    ) -> int:
        order = self.orders[rows[0]["order_id"]]
        number = order["id"] * 10 + len(order.setdefault("fulfillments", []))
        for line, quantity in taken:
            line["fulfillable_quantity"] -= quantity
        for row in rows:
            row["status"] = "open" if any(line["fulfillable_quantity"] for line in row["line_items"]) else "closed"
        order["fulfillments"].append({
            "id": number,
            "order_id": order["id"],
            "status": "success",
            "created_at": at,
            "tracking_company": tracking.get("company"),
            "tracking_number": tracking.get("number"),
            "tracking_numbers": [tracking.get("number")],
            "line_items": [{"id": line["line_item_id"], "quantity": quantity} for line, quantity in taken],
        })  # fmt: skip
        own = [row for row in self.fulfillment_orders.values() if row["order_id"] == order["id"]]
        left = any(line["fulfillable_quantity"] for row in own for line in row["line_items"])
        order.update(fulfillment_status="partial" if left else "fulfilled", updated_at=at)
        return number

    def set_stock(self, quantities: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Set figures, all or none, and return the ``userErrors``."""
        figures = {}
        for place, row in enumerate(quantities):
            item = number_of(row["inventoryItemId"], "InventoryItem")
            where = item, number_of(row["locationId"], "Location")
            if self.stock and where not in self.stock:
                return _refusal("The specified inventory item is not stocked at the location.", place)
            if row["changeFromQuantity"] not in (None, self.stock.get(where, 0)):
                return _refusal("The changeFromQuantity value does not match persisted value.", place)
            if type(row["quantity"]) is not int or row["quantity"] < 0:
                return _refusal("The quantity can't be negative.", place)
            figures[where] = row["quantity"]
        self.stock |= figures
        return []

    def state(self) -> dict[str, Any]:
        """Return counts, parcels and stock figures as plain values."""
        orders = list(self.orders.values())
        return {
            "orders": len(orders),
            "by_status": dict(Counter(order["financial_status"] for order in orders)),
            "parcels": [deepcopy(row) for order in orders for row in order.get("fulfillments") or []],
            "stock": [
                {"inventory_item_id": item, "location_id": location, "available": quantity}
                for (item, location), quantity in sorted(self.stock.items())
            ],
        }


def _refusal(message: str, place: int = 0) -> list[dict[str, Any]]:
    return [{"field": [str(place)], "message": message}]


def _items(row: dict[str, Any], part: Mapping[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """Return what of a fulfillment order goes; all of it when no lines are named."""
    lines = {line["id"]: line for line in row["line_items"]}
    asked = part.get("fulfillmentOrderLineItems")
    if asked is None:
        return [(line, line["fulfillable_quantity"]) for line in lines.values() if line["fulfillable_quantity"]]
    chosen = [(lines.get(number_of(each["id"], "FulfillmentOrderLineItem")), each["quantity"]) for each in asked]
    return [(line or {"fulfillable_quantity": 0}, quantity) for line, quantity in chosen]


def make_order(  # noqa: PLR0913 - one signature for every platform
    number: int,
    lines: Sequence[SoldLine],
    *,
    placed_at: datetime,
    paid_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    status: str | None = None,
    receiver: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Make an order as the Admin API shows it; ``status`` is its financial status."""
    rows = [_line(number * 100 + place, *line) for place, line in enumerate(lines, start=1)]
    total = sum((Decimal(row["price"]) * row["quantity"] for row in rows), Decimal(0))
    to = {**RECEIVER, **(receiver or {})}
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "order_number": number,
        "created_at": placed_at.isoformat(),
        "processed_at": (paid_at or placed_at).isoformat(),
        "updated_at": max(filter(None, (placed_at, paid_at, cancelled_at))).isoformat(),
        "cancelled_at": cancelled_at.isoformat() if cancelled_at else None,
        "cancel_reason": "customer" if cancelled_at else None,
        "currency": "CNY",
        "financial_status": status or ("paid" if paid_at else "pending"),
        "fulfillment_status": None,
        "total_price": f"{total:.2f}",
        "subtotal_price": f"{total:.2f}",
        "total_tax": "0.00",
        "taxes_included": True,
        "total_discounts": "0.00",
        "note": None,
        "test": False,
        "customer": {"id": 7_000_000 + number, "first_name": "Lei", "last_name": "Han"},
        "line_items": rows,
        "shipping_lines": [{"code": "STD", "title": "Standard", "price": "0.00"}],
        "shipping_address": {
            "name": to["name"],
            "address1": to["line"],
            "address2": "",
            "city": to["city"],
            "province": to["province"],
            "province_code": "ZJ",
            "country_code": "CN",
            "phone": to["phone"],
        },
        "fulfillments": [],
        "refunds": [],
    }


def _line(number: int, sku: str, title: str, quantity: int, price: Decimal) -> dict[str, Any]:
    return {
        "id": number,
        "product_id": number + 1_000_000,
        "variant_id": number + 2_000_000,
        "sku": sku,
        "title": title,
        "variant_title": None,
        "quantity": quantity,
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "price": f"{price:.2f}",
        "total_discount": "0.00",
        "discount_allocations": [],
        "requires_shipping": True,
    }
