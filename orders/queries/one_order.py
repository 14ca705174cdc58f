"""Questions about one order that its page asks: everything that belongs to it, and everything that happened to it.

One query per kind of row, however many rows there are; a test holds the number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.models import Case
from audit.statuses import CaseStatus
from channels.models import InboundMessage, OutboundMessage
from inventory.models import Reservation, StockMovement
from orders.models import (
    Fulfillment,
    FulfillmentLine,
    Hold,
    Order,
    OrderEvent,
    OrderLine,
    ParcelScan,
    Refund,
    Return,
    RoutingDecision,
)  # fmt: skip
from orders.statuses import EventKind

MOST_SCANS = 50  # a parcel has about ten
MOST_REFUNDS = 50


@dataclass(frozen=True)
class Parcel:
    """One parcel with what is in it."""

    row: Fulfillment
    contents: list[FulfillmentLine]


@dataclass(frozen=True)
class Parts:
    """All rows that belong to one order."""

    lines: Sequence[OrderLine]
    parcels: Sequence[Parcel]
    holds: Sequence[Hold]
    events: Sequence[OrderEvent]
    reservations: Sequence[Reservation]
    movements: Sequence[StockMovement]
    decisions: Sequence[RoutingDecision]
    outgoing: Sequence[OutboundMessage]
    incoming: Sequence[InboundMessage]
    returns: Sequence[Return]
    refunds: Sequence[Refund]
    scans: Sequence[ParcelScan]
    cases: Sequence[Case]

    @property
    def open_holds(self) -> list[Hold]:
        """Return the holds that still keep the order."""
        return [hold for hold in self.holds if hold.lifted_at is None]


@dataclass(frozen=True)
class Moment:
    """One thing that happened, of whatever kind: its words, who did it, and the row that proves it."""

    at: datetime
    source: str  # incoming | event | movement | outgoing, also the order of things of one instant
    kind: str
    title: Any
    detail: Any  # a stored sentence or plain words
    actor: str
    row: Any


_RANK = ("incoming", "event", "movement", "outgoing")


def parts(order: Order) -> Parts:
    """Return everything that belongs to an order. A parcel has at least one line, so parcels come with their lines."""
    parcels = _parcels(order)
    numbers = [parcel.row.number for parcel in parcels]
    return Parts(
        lines=list(order.lines.select_related("sku").order_by("line_number", "pk")),
        parcels=parcels,
        holds=list(order.holds.order_by("opened_at", "pk")),
        events=list(order.events.order_by("happened_at", "pk")),
        reservations=list(
            Reservation.objects.filter(reference__in=numbers).select_related("sku", "node").order_by("reference", "pk")
        ),
        movements=list(
            StockMovement.objects.filter(reference__in=numbers)
            .exclude(reference="")
            .select_related("sku", "node")
            .order_by("moved_at", "pk")
        ),
        decisions=list(order.routing.order_by("-decided_at", "-pk")),
        outgoing=list(
            OutboundMessage.objects.filter(subject__in=[order.number, *numbers])
            .select_related("channel")
            .order_by("created_at", "pk")
        ),
        incoming=list(
            InboundMessage.objects.filter(channel=order.channel_id, external_id=order.external_id)
            .defer("payload")
            .order_by("received_at", "pk")
        ),
        returns=list(order.returns.select_related("order_line__sku", "node").order_by("requested_at", "pk")),
        refunds=list(order.refunds.order_by("-received_at", "-pk")[:MOST_REFUNDS]),
        scans=list(
            ParcelScan.objects.filter(fulfillment__in=[parcel.row.pk for parcel in parcels])
            .select_related("fulfillment")
            .order_by("-scanned_at", "-pk")[:MOST_SCANS]
        ),
        cases=list(Case.objects.filter(subject=order.number, status=CaseStatus.OPEN).order_by("opened_at", "pk")),
    )


def timeline(parts_: Parts) -> list[Moment]:
    """Return everything that happened to an order in the order in which it happened."""
    moments = [*_incoming(parts_), *_events(parts_), *_movements(parts_), *_outgoing(parts_)]
    return sorted(moments, key=lambda moment: (moment.at, _RANK.index(moment.source), moment.row.pk))


def _parcels(order: Order) -> list[Parcel]:
    rows = FulfillmentLine.objects.filter(fulfillment__order=order).select_related("fulfillment__node", "sku")
    parcels: dict[int, Parcel] = {}
    for line in rows.order_by("fulfillment_id", "pk"):
        parcels.setdefault(line.fulfillment_id, Parcel(line.fulfillment, [])).contents.append(line)
    return list(parcels.values())


def _events(parts_: Parts) -> Iterator[Moment]:
    opened = {(hold.opened_at, hold.opened_by): hold for hold in parts_.holds}
    lifted = {(hold.lifted_at, hold.lifted_by): hold for hold in parts_.holds if hold.lifted_at}
    for event in parts_.events:
        hold = None
        if event.kind in (EventKind.HELD, EventKind.HOLD_LIFTED):
            hold = (opened if event.kind == EventKind.HELD else lifted).get((event.happened_at, event.actor))
        detail = event.detail or (hold.get_kind_display() if hold else "")
        yield Moment(event.happened_at, "event", event.kind, event.get_kind_display(), detail, event.actor, event)


def _movements(parts_: Parts) -> Iterator[Moment]:
    for row in parts_.movements:
        words = f"{row.quantity:+d} × {row.sku.code} @ {row.node.code}"
        yield Moment(row.moved_at, "movement", row.kind, row.get_kind_display(), words, row.actor, row)


def _outgoing(parts_: Parts) -> Iterator[Moment]:
    for row in parts_.outgoing:
        detail = row.reason or ""
        who = f"channel:{row.channel.code}"
        yield Moment(row.sent_at or row.created_at, "outgoing", row.status, row.get_lane_display(), detail, who, row)


def _incoming(parts_: Parts) -> Iterator[Moment]:
    for row in parts_.incoming:
        yield Moment(row.received_at, "incoming", row.status, row.get_status_display(), row.reason or "", "", row)
