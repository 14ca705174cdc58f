"""Asking carriers to tell us of parcels that have left.

The channel that follows a carrier's parcels names our code of it in its option ``carriers``. Drafts are written with
the parcels; nothing costs anything where no such channel exists.
"""

from collections.abc import Sequence
from typing import Final

from channels.adapters import registry
from channels.messages import TrackingRequest
from channels.models import Channel
from channels.services import outbox
from channels.statuses import Lane
from orders.models import Fulfillment
from orders.services.batch import Batch, Work

TAIL: Final = 4


def follow(batch: Batch, shipped: Sequence[tuple[Work, Fulfillment]]) -> None:
    """Ask to follow each of these parcels, which have just left and have a number that a channel can follow."""
    followers = _followers(batch)
    if not followers:
        return
    for work, parcel in shipped:
        follower = followers.get(parcel.carrier_code)
        is_test = batch.channels[work.order.channel_id].is_sandbox
        if follower is None or not parcel.tracking_number or (is_test and not follower.is_sandbox):
            continue
        batch.drafts.append(
            outbox.Draft(
                channel_id=follower.pk,
                lane=Lane.TRACKING,
                subject=parcel.number,
                key=f"tracking-request:{parcel.number}",
                message=TrackingRequest(
                    parcel_number=parcel.number,
                    carrier_code=parcel.carrier_code,
                    tracking_number=parcel.tracking_number,
                    phone_tail=_tail(work.order.recipient_phone),
                ),
            )
        )


def _followers(batch: Batch) -> dict[str, Channel]:
    """Return who follows each carrier's parcels by our code of it; the first channel by code where several do."""
    found: dict[str, Channel] = {}
    for channel in sorted(batch.channels.values(), key=lambda channel: channel.code):
        adapter = registry.BY_NAME.get(channel.adapter)
        if channel.is_active and adapter is not None and adapter.capabilities.tracking:
            for carrier_code in channel.options.get("carriers") or ():
                found.setdefault(str(carrier_code), channel)
    return found


def _tail(phone: str) -> str:
    """Return a phone's last four digits, which masks leave open; empty when they are not digits."""
    tail = phone.strip()[-TAIL:]
    return tail if len(tail) == TAIL and tail.isascii() and tail.isdigit() else ""
