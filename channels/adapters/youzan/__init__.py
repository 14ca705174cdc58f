"""Youzan (有赞): orders and refunds are pulled, pushes name what changed, parcels and stock are told."""

from channels.adapters.youzan.adapter import ADAPTER

__all__ = ["ADAPTER"]
