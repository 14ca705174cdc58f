"""Which nodes had a parcel of an order and did not send it."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from orders.models import RoutingAttempt

SHOWN = 50  # of one order or one node


@dataclass(frozen=True)
class Tried:
    """What an order has behind it: nodes it must not go back to by itself, in the order of their failures."""

    node_ids: tuple[int, ...] = ()
    node_codes: tuple[str, ...] = ()
    count: int = 0  # failures that nobody has forgiven

    @property
    def nodes(self) -> frozenset[int]:
        """Return the nodes as a set."""
        return frozenset(self.node_ids)


def of_orders(order_ids: Collection[int]) -> dict[int, Tried]:
    """Return what each of these orders has tried in vain and nobody has forgiven: one query. Most orders: nothing."""
    tried: dict[int, Tried] = {}
    failed = RoutingAttempt.objects.filter(order__in=order_ids, forgiven_at__isnull=True).order_by("happened_at", "pk")
    for order_id, node_id, code in failed.values_list("order_id", "node_id", "node__code"):
        before = tried.get(order_id, Tried())
        is_new = node_id not in before.node_ids
        tried[order_id] = Tried(
            before.node_ids + ((node_id,) if is_new else ()),
            before.node_codes + ((code,) if is_new else ()),
            before.count + 1,
        )
    return tried


def of_order(order_id: int) -> QuerySet[RoutingAttempt]:
    """Return an order's attempts, newest first."""
    return RoutingAttempt.objects.filter(order=order_id).select_related("node").order_by("-happened_at", "-pk")[:SHOWN]


def of_node(node_id: int) -> QuerySet[RoutingAttempt]:
    """Return a node's attempts, newest first."""
    return RoutingAttempt.objects.filter(node=node_id).select_related("order").order_by("-happened_at", "-pk")[:SHOWN]
