"""Douyin shop (抖店): orders and after-sales are pulled, pushes name what changed, parcels and stock are told."""

from channels.adapters.douyin.adapter import ADAPTER

__all__ = ["ADAPTER"]
