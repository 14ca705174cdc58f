"""Mail: messages to people through an SMTP server."""

from channels.adapters.mail.adapter import ADAPTER

__all__ = ["ADAPTER"]
