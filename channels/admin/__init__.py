"""Pages about outside systems."""

from channels.admin import channel, inbox, outbox, setup, share

__all__ = ["channel", "inbox", "outbox", "setup", "share"]
