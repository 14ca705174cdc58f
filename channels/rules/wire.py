"""How an outgoing message lies in the outbox and travels in the house language: plain JSON, and back."""

from typing import Any, Final

import msgspec

from channels.messages import (
    Notice,
    Outgoing,
    ParcelCancel,
    ParcelRequest,
    PartnerEvent,
    PriceFigure,
    SalesDocument,
    ShipmentNotice,
    StockFigure,
    TrackingRequest,
)

KINDS: Final[dict[str, type[Outgoing]]] = {
    "shipment_notice": ShipmentNotice,
    "parcel_request": ParcelRequest,
    "parcel_cancel": ParcelCancel,
    "stock_figure": StockFigure,
    "price_figure": PriceFigure,
    "sales_document": SalesDocument,
    "tracking_request": TrackingRequest,
    "notice": Notice,
    "partner_event": PartnerEvent,
}
_WORDS: Final = {kind: word for word, kind in KINDS.items()}


def kind_of(message: Outgoing) -> str:
    """Return the word under which a message is kept."""
    return _WORDS[type(message)]


def to_json(message: Outgoing) -> dict[str, Any]:
    """Return a message as JSON values: times as ISO 8601 text, amounts as decimal text, lines as objects."""
    body: dict[str, Any] = msgspec.to_builtins(message)
    return body


def from_json(kind: str, body: dict[str, Any]) -> Outgoing:
    """Return the message that ``to_json`` wrote; raises KeyError for a kind that nobody writes."""
    return msgspec.convert(body, KINDS[kind])
