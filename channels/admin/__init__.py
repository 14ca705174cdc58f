"""Pages about outside systems."""

from channels.admin import channel, inbox, listing_stock, outbox, setup, share, wanted

__all__ = ["channel", "inbox", "listing_stock", "outbox", "setup", "share", "wanted"]
