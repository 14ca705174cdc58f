"""What routing is told: what orders want, what nodes can, what carriers ask and how long they need, what is disrupted.

All of it is plain data of one moment, so that a decision can be taken again later from what was kept.
Money is in yuan, weights in grams, distances in kilometres, times in hours unless a name says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from inventory.rules.lots import LevelKey, Life, Shelf

Stock = dict[int, dict[int, int]]  # SKU id → node id → units that may be promised
Shelves = Mapping[LevelKey, Shelf]  # SKU id, node id → its lots, first expired first
ANYWHERE: Final = ""  # as a region of a tariff or a lane


@dataclass(frozen=True, slots=True)
class Item:
    """Units of one SKU that one order line wants (a bundle's line wants several items)."""

    line_number: int
    sku_id: int
    quantity: int


@dataclass(frozen=True)
class Demand:
    """What one order wants, where to, and what the policy's groups may ask about it."""

    reference: str
    region: str
    city: str
    items: tuple[Item, ...]
    nodes: frozenset[int] | None = None  # only these may send it; None: all
    lives: Mapping[int, Life] = field(default_factory=dict)  # SKU id → how long it must keep; only SKUs with lots
    channel: str = ""
    method: str = "standard"  # orders.statuses.DeliveryMethod
    priority: int = 0  # higher is served first
    tier: str = ""  # the buyer's, in the channel's words
    value: float = 0.0
    deliver_by: datetime | None = None  # what the buyer was promised
    refused_by: frozenset[int] = frozenset()  # nodes that could not or would not; only a person sends it there again
    attempts: int = 0  # how often it was routed in vain: late costs more each time

    @property
    def skus(self) -> set[int]:
        """Return what is wanted of, whatever the quantity."""
        return {item.sku_id for item in self.items}


@dataclass(frozen=True, slots=True)
class Goods:
    """What routing must know of a SKU."""

    weight_g: int = 500
    needs: frozenset[str] = frozenset()  # what a node must be able to: inventory.statuses.Capability
    not_to: frozenset[str] = frozenset()  # regions it must not be sent to


@dataclass(frozen=True)
class NodeFacts:
    """What routing must know of a node."""

    node_id: int
    code: str
    region: str
    latitude: float | None  # None: nobody has entered it, the city stands in, then the province
    longitude: float | None
    serves: frozenset[str]
    is_active: bool
    parcels_left: int  # of today
    kind: str = "central_dc"
    city: str = ""
    groups: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    cut_off_minute: int | None = None  # minutes after local midnight; what is released later leaves the next day
    parcels_per_hour: int | None = None  # None: only the day's limit
    backlog: int = 0  # parcels it has and has not sent
    is_down: bool = False  # for now, with a reason; unlike inactive it comes back by itself
    pick_cost: float = 3.0  # yuan a parcel
    standing: float = 1.0  # 0..1: falls with refusals, recovers with time


@dataclass(frozen=True, slots=True)
class CarrierOption:
    """One carrier's offer on one lane: a step tariff, and how long parcels really take."""

    code: str
    first_g: int
    first_price: float
    step_g: int
    step_price: float
    hours_p50: float
    hours_p90: float
    late_share: float = 0.0  # 0..1 of its parcels on this lane that came after what it says
    method: str = "standard"


@dataclass(frozen=True)
class Disruption:
    """A storm, a closed road, a stopped carrier: what it touches, and what that means."""

    code: str
    name: str
    effect: str  # orders.statuses.DisruptionEffect: blocks | delays
    from_regions: frozenset[str] = frozenset()  # empty: wherever parcels start
    to_regions: frozenset[str] = frozenset()  # empty: wherever they go
    node_ids: frozenset[int] = frozenset()  # empty: every node
    carrier_code: str = ""  # empty: every carrier
    delay_hours: float = 0.0

    def touches(self, node: NodeFacts, to_region: str, carrier_code: str) -> bool:
        """Return whether a parcel of this node to this region with this carrier is in it."""
        return (
            (not self.from_regions or node.region in self.from_regions)
            and (not self.to_regions or to_region in self.to_regions)
            and (not self.node_ids or node.node_id in self.node_ids)
            and self.carrier_code in ("", carrier_code)
        )


@dataclass(frozen=True, slots=True)
class Position:
    """What a unit of a SKU at a node is worth where it lies."""

    shadow_price: float = 0.0  # yuan: what taking one more unit away will probably cost the node's own region
    is_markdown: bool = False  # wants to be sold first


@dataclass(frozen=True)
class Situation:
    """Everything that moves, at one moment. ``carriers`` maps (from region, to region); ``ANYWHERE`` stands for all."""

    at: datetime
    nodes: tuple[NodeFacts, ...]
    goods: Mapping[int, Goods] = field(default_factory=dict)
    carriers: Mapping[tuple[str, str], tuple[CarrierOption, ...]] = field(
        default_factory=dict
    )  # empty: no tariffs kept
    disruptions: tuple[Disruption, ...] = ()  # those in force at ``at``
    positions: Mapping[tuple[int, int], Position] = field(default_factory=dict)  # (SKU id, node id)
