"""How an outgoing message lies in the outbox and travels in the house language: plain JSON, and back."""

from datetime import datetime
from typing import Any

from channels.messages import Outgoing, ParcelRequest, ShipmentNotice, ShippedLine, StockFigure

SHIPMENT_NOTICE = "shipment_notice"
PARCEL_REQUEST = "parcel_request"
STOCK_FIGURE = "stock_figure"


def kind_of(message: Outgoing) -> str:
    """Return the word under which a message is kept."""
    if isinstance(message, ShipmentNotice):
        return SHIPMENT_NOTICE
    if isinstance(message, ParcelRequest):
        return PARCEL_REQUEST
    return STOCK_FIGURE


def to_json(message: Outgoing) -> dict[str, Any]:
    """Return a message as JSON values: times as ISO 8601 text, lines as objects."""
    if isinstance(message, ShipmentNotice):
        return {
            "order_external_id": message.order_external_id,
            "parcel_number": message.parcel_number,
            "carrier_code": message.carrier_code,
            "tracking_number": message.tracking_number,
            "shipped_at": message.shipped_at.isoformat(),
            "lines": [{"external_line_id": line.external_line_id, "quantity": line.quantity} for line in message.lines],
            "is_partial": message.is_partial,
        }
    if isinstance(message, ParcelRequest):
        return {
            "parcel_number": message.parcel_number,
            "order_number": message.order_number,
            "node_code": message.node_code,
            "lines": [{"sku_code": sku_code, "quantity": quantity} for sku_code, quantity in message.lines],
            "ship_by": message.ship_by.isoformat() if message.ship_by else None,
        }
    return {
        "external_item_id": message.external_item_id,
        "external_sku_id": message.external_sku_id,
        "quantity": message.quantity,
    }


def from_json(kind: str, body: dict[str, Any]) -> Outgoing:
    """Return the message that ``to_json`` wrote; raises KeyError for a kind that nobody writes."""
    return {SHIPMENT_NOTICE: _shipment_notice, PARCEL_REQUEST: _parcel_request, STOCK_FIGURE: _stock_figure}[kind](body)


def _shipment_notice(body: dict[str, Any]) -> Outgoing:
    lines = tuple(ShippedLine(line["external_line_id"], line["quantity"]) for line in body["lines"])
    return ShipmentNotice(**{**body, "shipped_at": datetime.fromisoformat(body["shipped_at"]), "lines": lines})


def _parcel_request(body: dict[str, Any]) -> Outgoing:
    lines = tuple((line["sku_code"], line["quantity"]) for line in body["lines"])
    ship_by = datetime.fromisoformat(body["ship_by"]) if body["ship_by"] else None
    return ParcelRequest(**{**body, "lines": lines, "ship_by": ship_by})


def _stock_figure(body: dict[str, Any]) -> Outgoing:
    return StockFigure(**body)
