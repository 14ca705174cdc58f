"""JD (京东 POP) through its open platform: orders are pulled, parcels and stock are told."""

from channels.adapters.jd.adapter import ADAPTER

__all__ = ["ADAPTER"]
