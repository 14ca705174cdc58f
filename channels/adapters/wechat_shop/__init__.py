"""WeChat Shop (微信小店): orders and after-sales are pulled, pushes name what changed, parcels and stock are told."""

from channels.adapters.wechat_shop.adapter import ADAPTER

__all__ = ["ADAPTER"]
