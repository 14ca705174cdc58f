"""What a parcel costs, in yuan, term by term. Plain Python.

What does not depend on the order is worked out once for each lane (a node, a destination, a group of orders); of each
order only its weight, what it was promised, and what its goods are worth where they lie. The terms:

- freight: the carrier's price for the first weight and each begun step after it. Where no tariffs are kept at all:
  ``BASE_FREIGHT`` + ``FREIGHT_PER_KM`` × km, and ``FREIGHT_PER_KG`` for each begun kilogram after the first;
- pick: the node's cost of a parcel; distance: yuan a kilometre;
- late: each hour that nine of ten such parcels come after the promise, dearer with each attempt in vain;
- slow: each hour until half of such parcels have come;
- load: the square of how busy the node is (``load``), and, as its room of the day runs out, what orders that come later
  today will probably pay to go elsewhere (``last_room``, which counts with the weight of balance);
- balance: what the units taken are worth to others, markdown: what it is worth to be rid of them (negative);
- carrier: the share of the carrier's parcels that come late on this lane;
- standing: what the node's standing lacks to 1.

A parcel goes with the carrier whose freight, late, slow and carrier terms are least together.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Final, NamedTuple

from orders.rules.routing.facts import CarrierOption, NodeFacts
from orders.rules.routing.policy import Weights

BASE_FREIGHT: Final = 4.0
FREIGHT_PER_KM: Final = 0.004
FREIGHT_PER_KG: Final = 1.0
KM_PER_HOUR_P50: Final = 40.0  # of the way, where no tariffs are kept; sorting and handing over come on top
KM_PER_HOUR_P90: Final = 25.0
HOURS_P50: Final = 12.0
HOURS_P90: Final = 24.0
WORKING_HOURS: Final = 8.0  # of a node's day, to compare its backlog with
TERMS: Final = (
    "freight", "pick", "distance", "late", "slow", "load", "balance", "markdown", "carrier", "standing",
)  # fmt: skip


class Price(NamedTuple):
    """What a parcel of some weight costs on a lane, but for its node's load and its goods. ``cost`` includes all."""

    cost: float
    carrier: CarrierOption
    freight: float
    late: float
    slow: float


class Way(NamedTuple):
    """How far it is, and from where that is measured: a node's "own" coordinates, its "city" or its "province"."""

    km: float
    place: str = "own"


BY_DISTANCE: Final = CarrierOption("", 1000, BASE_FREIGHT, 1000, FREIGHT_PER_KG, HOURS_P50, HOURS_P90)


def farther(carrier: CarrierOption, km: float) -> CarrierOption:
    """Return what stands in for a carrier over so many kilometres, of what stands in for it next door."""
    return replace(
        carrier,
        first_price=carrier.first_price + FREIGHT_PER_KM * km,
        hours_p50=carrier.hours_p50 + km / KM_PER_HOUR_P50,
        hours_p90=carrier.hours_p90 + km / KM_PER_HOUR_P90,
    )


PICKUP: Final = CarrierOption("", 1000, 0.0, 1000, 0.0, hours_p50=0.0, hours_p90=0.0, method="pickup")


def load(node: NodeFacts, backlog: int, parcels_left: int) -> float:
    """Return how busy a node is, from 0 to 1: what waits there ÷ what it does in a day."""
    capacity = node.parcels_per_hour * WORKING_HOURS if node.parcels_per_hour else backlog + parcels_left
    return min(1.0, backlog / capacity) if capacity > 0 else 1.0


def last_room(backlog: int, parcels_left: int, day_left: float) -> float:
    """Return the share of a further parcel's cost that taking room from a node will probably cost later orders.

    Without a look ahead, whoever comes first fills the nodes near to most buyers with parcels that others could send as
    well, and later orders travel far or are split. So room gets dearer as it runs out: its worth grows with the fourth
    power of the share that is taken (half taken: a sixteenth), up to a whole further parcel for the last, and falls
    with the share of the day that is still to come.
    """
    room = backlog + parcels_left
    return day_left * (backlog / room) ** 4 if room > 0 else 0.0


class Rates:
    """What parcels of one group of orders cost from one node, by the carriers that go there; worked out as asked."""

    __slots__ = ("_carriers", "_fixed", "_known", "_slowest", "floor", "wait", "weights")

    def __init__(
        self, node: NodeFacts, carriers: Sequence[CarrierOption], weights: Weights, wait: float = 0.0, km: float = 0.0
    ) -> None:
        """There must be a carrier; parcels wait ``wait`` hours unreleased, unless that made them miss the cut-off."""
        self.weights = weights
        self.wait = wait = wait if node.cut_off_minute is None else 0.0
        self._carriers = [
            (carrier, weights.carrier * carrier.late_share, wait + carrier.hours_p50, wait + carrier.hours_p90)
            for carrier in sorted(carriers, key=lambda carrier: (carrier.code, carrier.method))
        ]
        self._slowest = max(carrier.hours_p90 for carrier in carriers) + self.wait
        self._fixed = (
            weights.pick * node.pick_cost + weights.distance * km + weights.standing * max(0.0, 1.0 - node.standing)
        )
        self._known: dict[int, tuple[float, Price]] = {}
        self.floor = self.price(0, 0.0).cost  # what a parcel costs at the very least

    def price(self, weight_g: int, leaves_after: float, due: float = inf, urgency: float = 1.0) -> Price:
        """Return what a parcel costs that leaves in so many hours and is due in ``due`` hours of now.

        Late hours count ``urgency`` times.
        """
        if leaves_after + self._slowest > due:
            return self._cheapest(weight_g, leaves_after, due, urgency)
        known = self._known.get(weight_g)
        if known is None or known[0] != leaves_after:
            known = self._known[weight_g] = leaves_after, self._cheapest(weight_g, leaves_after, inf, 1.0)
        return known[1]

    def _cheapest(self, weight_g: int, leaves_after: float, due: float, urgency: float) -> Price:
        """Return the price with the carrier that is cheapest all in all; equal ones go to the lower code."""
        weights, best = self.weights, (inf, self._carriers[0][0], inf, 0.0, 0.0)
        hurry = weights.late * urgency
        for carrier, beside, hours_p50, hours_p90 in self._carriers:
            price, over = carrier.first_price, weight_g - carrier.first_g
            if over > 0:
                price -= over // -carrier.step_g * carrier.step_price  # a begun step counts
            price *= weights.freight
            late, slow = leaves_after + hours_p90 - due, (leaves_after + hours_p50) * weights.slow
            late = late * hurry if late > 0 else 0.0
            cost = self._fixed + beside + price + late + slow
            if cost < best[0]:
                best = cost, carrier, price, late, slow
        return Price(*best)


class Lane:
    """The way from a node to a destination: how far, measured from where, and what parcels cost on it."""

    __slots__ = ("floor", "km", "node", "node_id", "place", "price", "wait", "weights")

    def __init__(self, node: NodeFacts, way: Way, rates: Rates) -> None:
        """``rates`` may be shared by all lanes of the node into a region, if distance costs nothing."""
        self.node, self.node_id = node, node.node_id
        self.km, self.place = way
        self.price, self.floor, self.wait, self.weights = rates.price, rates.floor, rates.wait, rates.weights


def terms(lane: Lane, price: Price, load_cost: float, balance: float = 0.0, markdown: float = 0.0) -> dict[str, float]:
    """Return every term of one parcel's cost in yuan, weighted and rounded to cents; their sum is the cost.

    ``balance`` and ``markdown`` are those of the units in it; what is gained is negative.
    """
    node, weights = lane.node, lane.weights
    told = {
        "freight": price.freight,
        "pick": weights.pick * node.pick_cost,
        "distance": weights.distance * lane.km,
        "late": price.late,
        "slow": price.slow,
        "load": load_cost,
        "balance": balance,
        "markdown": markdown,
        "carrier": weights.carrier * price.carrier.late_share,
        "standing": weights.standing * max(0.0, 1.0 - node.standing),
    }
    return {name: round(value, 2) for name, value in told.items()}
