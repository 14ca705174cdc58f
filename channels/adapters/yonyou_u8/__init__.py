"""Yonyou U8 (用友 U8+) behind the OpenAPI proxy: sales, deliveries and returns for the books."""

from channels.adapters.yonyou_u8.adapter import ADAPTER

__all__ = ["ADAPTER"]
