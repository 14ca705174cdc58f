"""One order of the past with everything that happened to it, and what of it had happened by ``until``."""

from dataclasses import dataclass, field

from config.demo.baskets import Line
from config.demo.company import DemoChannel
from config.demo.life import Beginning, Journey, WayBack
from config.demo.people import Buyer
from orders.rules import progress
from orders.rules.routing.plans import Parcel

_STAGES = (("delivered", "delivered"), ("shipped", "shipped"), ("packed", "packed"), ("picking", "picking"))


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a decision of the past tells of the nodes; costs in yuan, distances in kilometres.

    ``able`` could send all alone: (code, km, cost). ``short`` lacks units: (code, km, units missing).
    """

    able: tuple[tuple[str, int, float], ...] = ()
    short: tuple[tuple[str, int, int], ...] = ()
    full: tuple[str, ...] = ()
    not_serving: tuple[str, ...] = ()


@dataclass(slots=True)
class PastParcel:
    """A parcel with its way."""

    number: str
    plan: Parcel
    journey: Journey
    status: str = "planned"

    def has(self, stage: str) -> bool:
        """Return whether the parcel has got so far by today."""
        return _REACHED[stage] <= _REACHED[self.status] and self.status != "cancelled"


_REACHED = {"cancelled": -1, "planned": 0, "released": 1, "picking": 2, "packed": 3, "shipped": 4, "delivered": 5}


@dataclass(slots=True)
class Past:
    """An order as it stands at ``until``."""

    channel: DemoChannel
    channel_id: int
    external_id: str
    buyer: Buyer
    lines: list[Line]
    start: Beginning
    until: int
    parcels: list[PastParcel] = field(default_factory=list)
    policy: str = ""
    verdicts: Verdicts = field(default_factory=Verdicts)
    cost: float = 0.0
    way_back: WayBack | None = None
    goods_state: str = "received"

    @property
    def number(self) -> str:
        """Return the order's number as intake gives it."""
        return f"{self.channel.code}-{self.external_id}"

    @property
    def is_paid(self) -> bool:
        """Return whether it has been paid by today."""
        return 0 < self.start.paid <= self.until

    @property
    def is_over(self) -> bool:
        """Return whether it was closed or cancelled."""
        return 0 < self.start.ending <= self.until

    def happened(self, moment: int) -> int:
        """Return a moment, or 0 when it is still to come."""
        return moment if moment <= self.until else 0

    def settle(self) -> None:
        """Work out how far each parcel is, and the order with them."""
        for parcel in self.parcels:
            if self.is_over:
                parcel.status = "cancelled"
            elif self.is_paid and self.start.released <= self.until:
                parcel.status = self._stage(parcel.journey)
        self.goods_state = self._goods_state()

    def _stage(self, journey: Journey) -> str:
        for name, stage in _STAGES:
            if getattr(journey, stage) <= self.until:
                return name
        return "released"

    def _goods_state(self) -> str:
        """Return how far the goods are, by the law of live orders."""
        return progress.goods_state(
            progress.Parts(
                is_cancelled=self.is_over,
                is_priced=True,
                is_fully_allocated=not self.is_over,
                is_short=False,
                parcels=[parcel.status for parcel in self.parcels],
            )
        )

    def money_state(self) -> str:
        """Return whether it was paid, and whether that was given back."""
        if not self.is_paid:
            return "unpaid"
        return "refunded" if self.is_over else "paid"

    def shipped_units(self, line_number: int) -> int:
        """Return how much of a line has left: of a bundle, nothing until all its parts have."""
        for parcel in self.parcels:
            if not parcel.has("shipped") and any(item.line_number == line_number for item in parcel.plan.items):
                return 0
        return self.lines[line_number - 1].quantity
