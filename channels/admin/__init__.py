"""Pages about outside systems."""

from channels.admin import channel, inbox, outbox

__all__ = ["channel", "inbox", "outbox"]
