"""The house language: what every outside system's facts are translated into before anything acts on them.

Plain values only. Money is ``Decimal`` in major units with an ISO 4217 code, times are aware UTC, text is as sent but
without NUL. A channel's own word for a thing never passes this file.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

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


class DeliveryMethod(StrEnum):
    """How the buyer wants the goods."""

    STANDARD = "standard"
    EXPRESS = "express"
    PICKUP = "pickup"  # the buyer comes for them


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
    coupon_codes: tuple[str, ...] = ()  # of our promotions, as the buyer gave them
    store: str = ""  # where it was bought, for a channel of several stores
    member_tier: str = ""  # the buyer's, in the channel's words
    delivery_method: DeliveryMethod = DeliveryMethod.STANDARD
    deliver_by: datetime | None = None  # when it will have come, as the channel promised the buyer
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


class RefundState(StrEnum):
    """How far a refund is on the channel's side."""

    ASKED = "asked"  # the buyer wants money back: nothing may ship until somebody has decided
    AGREED = "agreed"  # the seller or the platform said yes; the money is not back yet
    REFUNDED = "refunded"
    CLOSED = "closed"  # withdrawn or refused: as if it had never been asked


@dataclass(frozen=True)
class RefundedLine:
    """How many units of a channel's line a refund is about; None where the channel names the line only."""

    external_line_id: str
    quantity: int | None = None


@dataclass(frozen=True)
class IncomingRefund:
    """A refund as the channel sees it now. No ``lines`` means the whole order."""

    external_id: str  # the order's
    refund_id: str
    revision: int
    state: RefundState
    amount: Decimal
    currency: str
    lines: tuple[RefundedLine, ...] = ()
    reason: str = ""
    goods_come_back: bool = False
    asked_at: datetime | None = None
    remarks: tuple[Sentence, ...] = field(default=())


class ParcelState(StrEnum):
    """What a node's own system says of a parcel."""

    ACCEPTED = "accepted"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class ParcelLine:
    """How many units of one of our SKUs are in a parcel, and what the buyer pays for one where that is told."""

    sku_code: str
    quantity: int
    unit_price: Decimal | None = None


@dataclass(frozen=True)
class IncomingParcel:
    """What a node's own system (WMS, store) did with a parcel we asked it for."""

    external_id: str  # our parcel number
    revision: int
    state: ParcelState
    at: datetime
    carrier_code: str = ""
    tracking_number: str = ""
    lines: tuple[ParcelLine, ...] = ()
    reason: str = ""
    remarks: tuple[Sentence, ...] = field(default=())


class TrackState(StrEnum):
    """Where a parcel is on its way, in the words every carrier's own are mapped to."""

    ANNOUNCED = "announced"
    COLLECTED = "collected"
    UNDERWAY = "underway"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    DELIVERED = "delivered"
    TROUBLE = "trouble"
    GOING_BACK = "going_back"
    CAME_BACK = "came_back"


@dataclass(frozen=True)
class TrackEvent:
    """One scan of a parcel. ``text`` is the carrier's own sentence."""

    at: datetime
    state: TrackState
    text: str
    place: str = ""


@dataclass(frozen=True)
class IncomingTracking:
    """All that a carrier knows of a parcel now, oldest scan first."""

    external_id: str  # CARRIER/tracking number
    revision: int
    carrier_code: str
    tracking_number: str
    events: tuple[TrackEvent, ...]
    due_at: datetime | None = None  # the carrier's own estimate of the delivery
    remarks: tuple[Sentence, ...] = field(default=())


Incoming = IncomingOrder | IncomingChange | IncomingRefund | IncomingParcel | IncomingTracking


@dataclass(frozen=True)
class RawMessage:
    """What came in, before anybody parsed it."""

    kind: str  # order | change | refund | parcel | tracking
    external_id: str
    revision: int
    payload: bytes


@dataclass(frozen=True)
class ListedItem:
    """One thing as a shop lists it now."""

    external_item_id: str
    external_sku_id: str
    external_code: str  # the seller's own code on the listing, often our SKU
    title: str
    barcode: str = ""
    quantity: int | None = None
    price: Decimal | None = None
    is_on_sale: bool = True


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
    lines: tuple[ParcelLine, ...]
    ship_by: datetime | None = None
    receiver: Address | None = None  # only for systems that print the label themselves
    order_external_id: str = ""  # the channel's number: who prints labels for masked receivers needs it
    placed_at: datetime | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True)
class ParcelCancel:
    """Asks a node's own system to stop a parcel that it was asked for."""

    parcel_number: str
    node_code: str
    reason: str = ""


@dataclass(frozen=True)
class StockFigure:
    """How many units of a listing may be sold from now on.

    ``quantity`` is absolute; ``change`` is the difference to the last figure the channel accepted, for platforms that
    take differences only (None when nothing was accepted yet).
    """

    external_item_id: str
    external_sku_id: str
    quantity: int
    change: int | None = None
    external_code: str = ""


@dataclass(frozen=True)
class PriceFigure:
    """What a listing costs from now on."""

    external_item_id: str
    external_sku_id: str
    price: Decimal
    currency: str = "CNY"


@dataclass(frozen=True)
class DocumentLine:
    """One line of a document for the books: amounts in major units, tax included."""

    line_number: int
    sku_code: str
    quantity: int
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True)
class SalesDocument:
    """A sale, a delivery or a return for the books of an ERP, under our own number."""

    kind: str  # sale | delivery | return
    number: str
    order_number: str
    booked_at: datetime
    customer_code: str
    node_code: str
    currency: str
    lines: tuple[DocumentLine, ...]


@dataclass(frozen=True)
class TrackingRequest:
    """Asks a carrier to tell us about a parcel from now on."""

    parcel_number: str
    carrier_code: str
    tracking_number: str
    phone_tail: str = ""  # the last four digits, which some carriers ask for


@dataclass(frozen=True)
class Notice:
    """A message to a person: by mail, SMS or a work chat, as the channel's adapter does."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True)
class PartnerEvent:
    """Something that happened, for a partner's webhook. ``data`` is what our API would show of ``subject`` now."""

    type: str  # order.created, parcel.shipped …
    subject: str
    at: datetime
    data: dict[str, Any]


Outgoing = (
    ShipmentNotice
    | ParcelRequest
    | ParcelCancel
    | StockFigure
    | PriceFigure
    | SalesDocument
    | TrackingRequest
    | Notice
    | PartnerEvent
)


class Untranslatable(Exception):
    """A message that cannot be understood; carries a sentence for the clerk and a code for filters."""

    def __init__(self, code: str, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.code = code
        self.reason = reason
