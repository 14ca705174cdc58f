"""Which nodes may send an order at all, and if not, why. Plain Python.

The rules in the order in which they are asked; the first that speaks against a node is its verdict:

1. the node is active, not down for a while, serves the destination and the channel;
2. the group's hard rules: kind, node groups, distance, cut-off;
3. a carrier goes there, and no disruption blocks the way; goods that buyers pick up need a node that hands them out;
4. of the order itself: a node that refused it before gets it again only from a person;
5. of the moment: room for one more parcel, no more backlog than the group allows;
6. of the goods: what they need the node to be able to, where they must not be sent, and units enough.

What does not depend on the order (1 to 3) is worked out once for each group and destination: its ``Reach``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from msgspec import structs

from inventory.rules.cities import CITIES
from inventory.rules.geography import REGIONS, distance_km, locate
from orders.rules.routing.costs import BY_DISTANCE, PICKUP, Lane, Rates, Way, farther
from orders.rules.routing.facts import ANYWHERE, CarrierOption, Demand, NodeFacts, Situation
from orders.rules.routing.policy import Group, Hard
from orders.rules.routing.promising import is_past_cut_off

ABLE: Final = "able"
SHORT: Final = "short"
FULL: Final = "full"
NOT_SERVING: Final = "not_serving"
INACTIVE: Final = "inactive"
DOWN: Final = "down"
PAST_CUT_OFF: Final = "past_cut_off"
NO_CARRIER: Final = "no_carrier"
DISRUPTED: Final = "disrupted"
REFUSED_BEFORE: Final = "refused_before"
LACKS_CAPABILITY: Final = "lacks_capability"
RESTRICTED: Final = "restricted"
WRONG_KIND: Final = "wrong_kind"
NOT_IN_GROUP: Final = "not_in_group"
TOO_FAR: Final = "too_far"
BACKLOG: Final = "backlog"

Detail = Mapping[str, Any]
NOTHING: Final[Detail] = {}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about a node, with the values behind it."""

    code: str
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node that may not send to a destination, whatever the order."""

    node_code: str
    verdict: Verdict
    km: float | None


@dataclass(frozen=True, slots=True)
class Reach:
    """The nodes as one group of orders to one destination sees them: who may, cheapest first, and who may not."""

    group: Group
    lanes: tuple[Lane, ...]
    refusals: tuple[Refusal, ...]
    node_ids: tuple[int, ...]  # of the lanes
    late: tuple[Lane, ...] = ()  # nodes that only their cut-off speaks against


class Reaches:
    """The reaches of one situation, each worked out once: first what holds for a whole region, then what for a city."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._nodes = sorted(situation.nodes, key=lambda node: node.code)
        self._regions: dict[tuple[object, ...], _Region] = {}
        self._known: dict[tuple[object, ...], Reach] = {}

    def __len__(self) -> int:
        """Return how many reaches were worked out."""
        return len(self._known)

    def of(self, demand: Demand, group: Group) -> Reach:
        """Return the nodes as a demand sees them. Raises ``KeyError`` for a region that geography does not know."""
        key = id(group), demand.region, demand.city, demand.method, demand.nodes
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._look(demand, group)
        return known

    def _look(self, demand: Demand, group: Group) -> Reach:
        key = id(group), demand.region, demand.method, demand.nodes
        region = self._regions.get(key)
        if region is None:  # it holds its group, so that no other can come by the same id
            region = self._regions[key] = self._region(demand, group)
        lanes, refusals = [], []
        for node, verdict, carriers, rates in region.nodes:
            way = way_of(node, demand)
            against = _of_the_distance(way, group.hard) if verdict.code == ABLE else verdict
            if against or way is None:
                refusals.append(Refusal(node.code, against or verdict, round(way.km, 1) if way else None))
            else:
                lanes.append(Lane(node, way, rates or self._rates(node, carriers, group, way.km)))
        lanes.sort(key=_by_floor)
        late = tuple(self._late(demand, group)) if group.hard.before_cut_off_only else ()
        return Reach(group, tuple(lanes), tuple(refusals), tuple(lane.node_id for lane in lanes), late)

    def _late(self, demand: Demand, group: Group) -> Iterator[Lane]:
        """Yield the nodes that might send if it were not past their cut-off."""
        anytime = structs.replace(group.hard, before_cut_off_only=False)
        for node in self._nodes:
            if is_past_cut_off(node, self._situation.at):
                verdict, carriers = judge(node, demand, self._situation, anytime)
                way = way_of(node, demand)
                if way and verdict.code == ABLE and not _of_the_distance(way, anytime):
                    yield Lane(node, way, self._rates(node, carriers, group, way.km))

    def _region(self, demand: Demand, group: Group) -> "_Region":
        region = _Region(group)
        is_shared = bool(self._situation.carriers) and not group.weights.distance
        for node in self._nodes:
            verdict, carriers = judge(node, demand, self._situation, group.hard)
            rates = self._rates(node, carriers, group, 0.0) if carriers and is_shared else None
            region.nodes.append((node, verdict, carriers, rates))
        return region

    def _rates(self, node: NodeFacts, carriers: tuple[CarrierOption, ...], group: Group, km: float) -> Rates:
        if BY_DISTANCE.code == carriers[0].code and carriers != (PICKUP,):
            carriers = tuple(farther(carrier, km) for carrier in carriers)
        return Rates(node, carriers, group.weights, group.wait_minutes / 60, km)


@dataclass(frozen=True, slots=True)
class _Region:
    """What holds for all orders of a group to one region; no rates: they depend on the distance."""

    group: Group
    nodes: list[tuple[NodeFacts, Verdict, tuple[CarrierOption, ...], Rates | None]] = field(default_factory=list)


def _by_floor(lane: Lane) -> tuple[float, str]:
    return round(lane.floor, 6), lane.node.code


def judge(
    node: NodeFacts, demand: Demand, situation: Situation, hard: Hard
) -> tuple[Verdict, tuple[CarrierOption, ...]]:
    """Return what speaks against a node whatever is ordered and however far it is, and the carriers there are.

    "able" stands for nothing.
    """
    standing = _of_the_node(node, demand) or _of_the_group(node, situation, hard)
    if standing:
        return standing, ()
    if demand.method == "pickup":
        return (
            (Verdict(ABLE), (PICKUP,))
            if "pickup" in node.capabilities
            else (Verdict(LACKS_CAPABILITY, {"needs": ["pickup"]}), ())
        )
    return _on_the_way(node, demand, situation)


def _of_the_node(node: NodeFacts, demand: Demand) -> Verdict | None:
    if not node.is_active:
        return Verdict(INACTIVE)
    if node.is_down:
        return Verdict(DOWN)
    if demand.region not in node.serves:
        return Verdict(NOT_SERVING, {"region": demand.region})
    if demand.nodes is not None and node.node_id not in demand.nodes:
        return Verdict(NOT_SERVING, {"channel": demand.channel})
    return None


def _of_the_group(node: NodeFacts, situation: Situation, hard: Hard) -> Verdict | None:
    if hard.node_kinds and node.kind not in hard.node_kinds:
        return Verdict(WRONG_KIND, {"kind": node.kind})
    if hard.node_groups and node.groups.isdisjoint(hard.node_groups):
        return Verdict(NOT_IN_GROUP, {"groups": list(hard.node_groups)})
    if not node.groups.isdisjoint(hard.not_node_groups):
        return Verdict(NOT_IN_GROUP, {"not_groups": sorted(node.groups.intersection(hard.not_node_groups))})
    if hard.before_cut_off_only and is_past_cut_off(node, situation.at):
        return Verdict(PAST_CUT_OFF, {"cut_off_minute": node.cut_off_minute})
    return None


def _of_the_distance(way: Way | None, hard: Hard) -> Verdict | None:
    if way is None:
        return Verdict(TOO_FAR, {"place": "unknown"})
    if hard.most_km is not None and way.km > hard.most_km:
        return Verdict(TOO_FAR, {"km": round(way.km, 1), "most_km": hard.most_km})
    return None


def _on_the_way(node: NodeFacts, demand: Demand, situation: Situation) -> tuple[Verdict, tuple[CarrierOption, ...]]:
    carriers = carriers_of(node, demand, situation)
    if not carriers:
        return Verdict(NO_CARRIER, {"from": node.region, "to": demand.region}), ()
    storms = [storm for storm in situation.disruptions if any(
        storm.touches(node, demand.region, carrier.code) for carrier in carriers
    )]  # fmt: skip
    if not storms:
        return Verdict(ABLE), carriers
    open_ones = tuple(
        _delayed(carrier, hours)
        for carrier in carriers
        if (hours := _delay(node, demand, carrier, situation)) is not None
    )
    if open_ones:
        return Verdict(ABLE), open_ones
    blocking = [storm for storm in storms if storm.effect == "blocks"]
    return Verdict(DISRUPTED, {"disruptions": [[storm.code, storm.name] for storm in blocking]}), ()


def _delay(node: NodeFacts, demand: Demand, carrier: CarrierOption, situation: Situation) -> float | None:
    """Return by how many hours disruptions delay a carrier, None when one blocks it; delays do not add up."""
    touching = [storm for storm in situation.disruptions if storm.touches(node, demand.region, carrier.code)]
    if any(storm.effect == "blocks" for storm in touching):
        return None
    return max((storm.delay_hours for storm in touching), default=0.0)


def _delayed(carrier: CarrierOption, hours: float) -> CarrierOption:
    if not hours:
        return carrier
    return replace(carrier, hours_p50=carrier.hours_p50 + hours, hours_p90=carrier.hours_p90 + hours)


def carriers_of(node: NodeFacts, demand: Demand, situation: Situation) -> tuple[CarrierOption, ...]:
    """Return who goes from a node to a demand's region: of each carrier and method the tariff that says most exactly.

    An express order goes only by express where there is any. Where no tariffs are kept, distance stands in
    (``costs.farther``).
    """
    if not situation.carriers:
        return (BY_DISTANCE,)
    found: dict[tuple[str, str], CarrierOption] = {}
    for lane in (
        (node.region, demand.region), (node.region, ANYWHERE), (ANYWHERE, demand.region), (ANYWHERE, ANYWHERE)
    ):  # fmt: skip
        for carrier in situation.carriers.get(lane, ()):
            found.setdefault((carrier.code, carrier.method), carrier)
    if demand.method == "express":
        express = tuple(carrier for carrier in found.values() if carrier.method == "express")
        return express or tuple(found.values())
    return tuple(found.values())


def way_of(node: NodeFacts, demand: Demand) -> Way | None:
    """Return how far a node is from where a demand goes, None when nobody knows where the node is.

    Raises ``KeyError`` for a destination region that geography does not know.
    """
    return _way(node.latitude, node.longitude, node.region, node.city, (demand.region, demand.city))


@lru_cache(maxsize=1 << 16)
def _way(latitude: float | None, longitude: float | None, region: str, city: str, there: tuple[str, str]) -> Way | None:
    target = locate(*there)
    if latitude is not None and longitude is not None:
        return Way(distance_km((latitude, longitude), target))
    if region not in REGIONS:
        return None
    is_city = (region, city.strip().removesuffix("市")) in CITIES
    return Way(distance_km(locate(region, city), target), "city" if is_city else "province")
