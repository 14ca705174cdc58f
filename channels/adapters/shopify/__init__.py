"""Shopify through its Admin API: orders are pulled and named by webhooks, parcels and stock figures are told.

Orders are listed over REST, holds are asked for over GraphQL, and everything we tell goes over GraphQL.
"""

from channels.adapters.shopify.adapter import ADAPTER

__all__ = ["ADAPTER"]
