"""SMS: messages to people through any provider that takes JSON over HTTP."""

from channels.adapters.sms.adapter import ADAPTER

__all__ = ["ADAPTER"]
