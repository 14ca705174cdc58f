"""AfterShip: parcels of carriers abroad are followed, their checkpoints are pushed and can be asked for."""

from channels.adapters.aftership.adapter import ADAPTER

__all__ = ["ADAPTER"]
