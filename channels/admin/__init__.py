"""Pages about outside systems."""

from channels.admin import channel, inbox, outbox, share

__all__ = ["channel", "inbox", "outbox", "share"]
