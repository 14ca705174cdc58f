"""Partners' webhooks, by Standard Webhooks 1.0: an endpoint is a channel, its address is where events are posted."""

from channels.adapters.webhook.adapter import ADAPTER

__all__ = ["ADAPTER"]
