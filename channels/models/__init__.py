"""Facts about outside systems."""

from channels.models.channel import Channel, Listing, ListingStock, PullCursor, StockPush
from channels.models.inbox import InboundMessage
from channels.models.outbox import OutboundMessage

__all__ = ["Channel", "InboundMessage", "Listing", "ListingStock", "OutboundMessage", "PullCursor", "StockPush"]
