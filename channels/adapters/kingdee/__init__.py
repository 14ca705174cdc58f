"""Kingdee K3Cloud (金蝶云星空): sales, deliveries and returns for the books, saved, submitted and audited."""

from channels.adapters.kingdee.adapter import ADAPTER

__all__ = ["ADAPTER"]
