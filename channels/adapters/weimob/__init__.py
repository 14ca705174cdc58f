"""Weimob (微盟, new cloud): orders and after-sales are pulled, pushes name what changed, parcels and stock are told."""

from channels.adapters.weimob.adapter import ADAPTER

__all__ = ["ADAPTER"]
