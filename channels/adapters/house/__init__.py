"""The house language over HTTP: our own JSON for shops, tills and nodes that have no dialect of their own.

``docs/house-language.md`` is the contract for the other side.
"""

from channels.adapters.house.adapter import ADAPTER

__all__ = ["ADAPTER"]
