"""Taobao and Tmall through the open platform (TOP): orders are pulled, shipments and stock figures are pushed."""

from channels.adapters.taobao.adapter import ADAPTER

__all__ = ["ADAPTER"]
