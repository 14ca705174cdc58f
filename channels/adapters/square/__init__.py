"""Square, at the till and online: orders are pulled and named by webhooks, parcels and counts are told."""

from channels.adapters.square.adapter import ADAPTER

__all__ = ["ADAPTER"]
