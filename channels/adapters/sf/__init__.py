"""SF Express (顺丰丰桥): parcels are registered, their routes are pushed and can be asked for."""

from channels.adapters.sf.adapter import ADAPTER

__all__ = ["ADAPTER"]
