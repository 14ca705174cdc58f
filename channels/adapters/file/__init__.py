"""Orders from files: CSV and XLSX, one row per order line. ``docs/file-import.md`` is the contract for the clerk."""

from channels.adapters.file.adapter import ADAPTER

__all__ = ["ADAPTER"]
