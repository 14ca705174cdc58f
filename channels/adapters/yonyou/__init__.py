"""Yonyou YonBIP (用友 YonBIP): sales, deliveries and returns for the books, saved, submitted and audited."""

from channels.adapters.yonyou.adapter import ADAPTER

__all__ = ["ADAPTER"]
