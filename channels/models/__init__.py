"""Facts about outside systems."""

from channels.models.channel import (
    Channel,
    ChannelHealth,
    Listing,
    ListingStock,
    PullCursor,
    StockPush,
    WantedOrder,
)
from channels.models.inbox import InboundMessage
from channels.models.outbox import DeliveryAttempt, OutboundMessage
from channels.models.setup import ChannelSetup, FoundListing

__all__ = [
    "Channel",
    "ChannelHealth",
    "ChannelSetup",
    "DeliveryAttempt",
    "FoundListing",
    "InboundMessage",
    "Listing",
    "ListingStock",
    "OutboundMessage",
    "PullCursor",
    "StockPush",
    "WantedOrder",
]
