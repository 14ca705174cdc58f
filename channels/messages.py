"""The house language: what every outside system's facts are translated into before anything acts on them.

Plain values only. Money is ``Decimal`` in major units with an ISO 4217 code, times are aware UTC, text is as sent but
without NUL. A channel's own word for a thing never passes this file.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from audit.rules.sentences import Sentence


@dataclass(frozen=True)
class Address:
    """Where and to whom. ``token`` stands for a receiver that the channel keeps masked (OAID and the like)."""

    province: str  # as the channel writes it, or an ISO 3166-2 / GB/T 2260 code
    city: str = ""
    district: str = ""
    line: str = ""
    country: str = "CN"
    name: str = ""
    phone: str = ""
    token: str = ""


@dataclass(frozen=True)
class IncomingLine:
    """One line of an order as the channel sold it."""

    external_id: str
    sku_code: str  # the seller's code on the listing
    title: str
    quantity: int
    unit_price: Decimal
    discount: Decimal = Decimal(0)  # for the whole line, the channel's share of the order's discount included
    is_cancelled: bool = False


@dataclass(frozen=True)
class IncomingOrder:
    """A whole order as the channel sees it now. The same order comes again with a higher ``revision``."""

    external_id: str
    revision: int  # grows with each change on the channel's side (its modification time in epoch milliseconds)
    placed_at: datetime
    currency: str
    lines: tuple[IncomingLine, ...]
    address: Address
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    shipping_amount: Decimal = Decimal(0)
    paid_amount: Decimal | None = None
    buyer_key: str = ""  # the channel's stable, opaque id of the buyer
    buyer_name: str = ""
    buyer_note: str = ""
    seller_note: str = ""
    ship_by: datetime | None = None
    must_not_ship: Sentence | None = None  # the channel's own reason to wait (group buy forming, deposit only …)
    shipped_at: datetime | None = None  # when the channel says that goods left, whoever sent them
    remarks: tuple[Sentence, ...] = field(default=())  # what translation had to mend


@dataclass(frozen=True)
class IncomingChange:
    """One fact about an order the channel told before or will tell soon: paid, cancelled, other address or note."""

    external_id: str
    revision: int
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    address: Address | None = None
    buyer_note: str | None = None
    remarks: tuple[Sentence, ...] = field(default=())


Incoming = IncomingOrder | IncomingChange


@dataclass(frozen=True)
class RawMessage:
    """What came in, before anybody parsed it."""

    kind: str  # order | change
    external_id: str
    revision: int
    payload: bytes


@dataclass(frozen=True)
class ShippedLine:
    """How many of a channel's line are in a parcel."""

    external_line_id: str
    quantity: int


@dataclass(frozen=True)
class ShipmentNotice:
    """Tells the channel that a parcel of an order is on its way."""

    order_external_id: str
    parcel_number: str
    carrier_code: str
    tracking_number: str
    shipped_at: datetime
    lines: tuple[ShippedLine, ...]
    is_partial: bool = False


@dataclass(frozen=True)
class ParcelRequest:
    """Asks a node's own system (WMS, store) to pick, pack and ship a parcel."""

    parcel_number: str
    order_number: str
    node_code: str
    lines: tuple[tuple[str, int], ...]  # SKU code, quantity
    ship_by: datetime | None = None


@dataclass(frozen=True)
class StockFigure:
    """How many units of a listing may be sold from now on (absolute, not a change)."""

    external_item_id: str
    external_sku_id: str
    quantity: int


Outgoing = ShipmentNotice | ParcelRequest | StockFigure


class Untranslatable(Exception):
    """A message that cannot be understood; carries a sentence for the clerk and a code for filters."""

    def __init__(self, code: str, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.code = code
        self.reason = reason
