"""A SKU's figures at all nodes, now or at a past moment: a matrix whose cells open, and whose total is its sum.

One query per figure, however many nodes there are. What is behind a cell is asked of ``inventory.queries.derivation``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Sum

from inventory.models import Node, SafetyChange, StockLevel
from inventory.queries import derivation, incoming
from inventory.queries.derivation import Figure
from inventory.queries.incoming import Coming

UnitsByNode = Mapping[int, int]


@dataclass(frozen=True)
class NodeFigures:
    """One node's figures of a SKU."""

    node: Node
    figures: tuple[Figure, ...]

    def __getitem__(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)


@dataclass(frozen=True)
class Network:
    """All nodes that have, had or will get a SKU, by code, and what they come to together."""

    sku_id: int
    at: datetime | None
    nodes: tuple[NodeFigures, ...]
    totals: tuple[Figure, ...]

    def __getitem__(self, name: str) -> Figure:
        return next(figure for figure in self.totals if figure.name == name)


def derive(sku_id: int, *, at: datetime | None = None) -> Network:
    """Return every figure of a SKU at every node and in total. Each part of a total is a node's (its code, units)."""
    levels = {level.node_id: level for level in StockLevel.objects.filter(sku=sku_id)}
    units: dict[str, UnitsByNode] = stock(levels.values(), sku_id, at=at) | {
        "in_transit": _coming(incoming.in_transit(sku_id, at=at)),
        "expected": _coming(incoming.expected(sku_id, at=at)),
    }
    seen = {*levels, *(node_id for figure in units.values() for node_id in figure)}
    nodes = tuple(
        NodeFigures(node, _figures(node.pk, units, levels.get(node.pk) if at is None else None))
        for node in Node.objects.filter(pk__in=seen).order_by("code")
    )
    return Network(sku_id, at, nodes, tuple(_total(name, nodes) for name in derivation.NAMES))


def stock(levels: Iterable[StockLevel], sku_id: int, *, at: datetime | None) -> dict[str, UnitsByNode]:
    """Return what is on hand, reserved, held and kept back of a SKU by node, in four queries (five for now)."""
    return {
        "on_hand": _sums(derivation.movements_until(sku_id, at), "node"),
        "reserved": _sums(derivation.reservations_at(sku_id, at), "place"),
        "quality_hold": _sums(derivation.holds_at(sku_id, at), "node"),
        "safety_stock": _kept_back(levels, sku_id, at),
    }


def _sums(rows: QuerySet[Any], place: str) -> UnitsByNode:
    return dict(rows.order_by(place).values_list(place).annotate(units=Sum("quantity")))


def _kept_back(levels: Iterable[StockLevel], sku_id: int, at: datetime | None) -> UnitsByNode:
    """Return safety stock by node: of now, what the newest change says, where there is any."""
    units = derivation.safety_at(levels, sku_id, at)
    if at is not None:
        return units
    newest = SafetyChange.objects.filter(sku=sku_id, node__in=units).order_by("node_id", "-changed_at", "-pk")
    return units | dict(newest.distinct("node_id").values_list("node_id", "after"))


def _coming(found: Iterable[Coming]) -> UnitsByNode:
    units: dict[int, int] = {}
    for coming in found:
        units[coming.node_id] = units.get(coming.node_id, 0) + coming.quantity
    return units


def _figures(node_id: int, units: Mapping[str, UnitsByNode], stored: StockLevel | None) -> tuple[Figure, ...]:
    value = {name: found.get(node_id, 0) for name, found in units.items()}
    available = derivation.available_of(
        value["on_hand"], value["reserved"], value["quality_hold"], value["safety_stock"], stored
    )
    return tuple(
        available
        if name == "available"
        else Figure(name, value[name], stored=getattr(stored, name, None) if stored else None)
        for name in derivation.NAMES
    )


def _total(name: str, nodes: Iterable[NodeFigures]) -> Figure:
    """Add the nodes up; what is stored in total is known only where every node has stored something."""
    found = [(entry.node.code, entry[name]) for entry in nodes]
    stored = [figure.stored for _code, figure in found]
    known = [units for units in stored if units is not None]
    parts = tuple((code, figure.value, 1) for code, figure in found if figure.value)
    return Figure(
        name,
        sum(figure.value for _code, figure in found),
        parts,
        count=len(parts),
        stored=sum(known) if known and len(known) == len(stored) else None,
    )
