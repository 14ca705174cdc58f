"""Kuaidi100 (快递100): parcels of any carrier are subscribed to, their scans are pushed."""

from channels.adapters.kuaidi100.adapter import ADAPTER

__all__ = ["ADAPTER"]
