"""Pinduoduo (拼多多) through its open platform: orders are pulled, parcels and stock are told."""

from channels.adapters.pinduoduo.adapter import ADAPTER

__all__ = ["ADAPTER"]
