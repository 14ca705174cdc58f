"""Qimen (奇门), the standard between shops and warehouses: parcels are asked for and stopped, their fate is pushed."""

from channels.adapters.qimen.adapter import ADAPTER

__all__ = ["ADAPTER"]
