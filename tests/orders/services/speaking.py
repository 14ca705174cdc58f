"""A channel that tells refunds, parcels and scans in a language only tests speak; orders stay in the house's own."""

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from channels.adapters.house.adapter import HouseAdapter
from channels.adapters.protocol import Connection
from channels.messages import (
    Incoming,
    IncomingParcel,
    IncomingRefund,
    IncomingTracking,
    ParcelState,
    RawMessage,
    RefundedLine,
    RefundState,
    TrackEvent,
    TrackState,
)
from channels.models import Channel
from channels.services import inbox
from tests.small_company import NOON


class Speaker(HouseAdapter):
    """Reads back what ``tell`` wrote."""

    def translate(self, raw: RawMessage, connection: Connection) -> Incoming:
        if raw.kind == "refund":
            return read_refund(json.loads(raw.payload))
        if raw.kind == "parcel":
            return read_parcel(json.loads(raw.payload))
        if raw.kind == "tracking":
            return read_tracking(json.loads(raw.payload))
        return super().translate(raw, connection)


def read_refund(told: dict[str, Any]) -> IncomingRefund:
    lines = tuple(RefundedLine(**line) for line in told.pop("lines"))
    state, amount = RefundState(told.pop("state")), Decimal(told.pop("amount"))
    asked_at, _ = told.pop("asked_at"), told.pop("remarks")
    return IncomingRefund(
        **told, lines=lines, state=state, amount=amount, asked_at=asked_at and datetime.fromisoformat(asked_at)
    )


def read_parcel(told: dict[str, Any]) -> IncomingParcel:
    state, at = ParcelState(told.pop("state")), datetime.fromisoformat(told.pop("at"))
    told.pop("lines"), told.pop("remarks")
    return IncomingParcel(**told, state=state, at=at)


def read_tracking(told: dict[str, Any]) -> IncomingTracking:
    events = tuple(
        TrackEvent(datetime.fromisoformat(e["at"]), TrackState(e["state"]), e["text"], e["place"])
        for e in told.pop("events")
    )
    told.pop("remarks"), told.pop("due_at")
    return IncomingTracking(**told, events=events)


def refund(
    state: str, revision: int, *, number: str = "R1", order: str = "1", amount: str = "20.00", **facts: Any
) -> IncomingRefund:
    """Return a refund of an order; ``lines`` is line → units."""
    lines = tuple(RefundedLine(line, units) for line, units in facts.pop("lines", {}).items())
    return IncomingRefund(order, number, revision, RefundState(state), Decimal(amount), "CNY", lines, **facts)


def parcel(state: str, number: str, revision: int = 1, **facts: Any) -> IncomingParcel:
    """Return what a node's system says of a parcel."""
    return IncomingParcel(number, revision, ParcelState(state), NOON, **facts)


def tracking(number: str, *events: TrackEvent, carrier: str = "SF", revision: int = 1) -> IncomingTracking:
    """Return what a carrier knows of a parcel."""
    return IncomingTracking(f"{carrier}/{number}", revision, carrier, number, events)


def tell(channel: Channel, *says: Incoming, at: datetime = NOON) -> None:
    """Put facts into the inbox of a channel."""
    kinds = {IncomingRefund: "refund", IncomingParcel: "parcel", IncomingTracking: "tracking"}
    raws = [
        RawMessage(kinds[type(said)], said.external_id, said.revision, json.dumps(asdict(said), default=str).encode())
        for said in says
    ]
    inbox.store(channel, raws, at=at)
