"""The demo company's past, told day by day: who bought what, who sent it from where, and how it went.

Orders are routed by the same rule as live ones, over stock that is counted down as they come. A day is told when all
days before it are told, so a year of a million orders needs no more memory than a week.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

from config.demo import life, restock
from config.demo.baskets import Line
from config.demo.baskets import Shelf as Wishes
from config.demo.calendar import (
    HOURS,
    HOURS_AT_TILLS,
    HOURS_OF_A_PEAK,
    Campaign,
    campaigns,
    demand,
    is_peak,
)
from config.demo.catalogue import DemoSku
from config.demo.company import CHANNELS, NODES, DemoChannel
from config.demo.paper import Scribe
from config.demo.past import Past, PastParcel, Verdicts
from config.demo.people import Buyer, People
from config.demo.tape import Tape
from config.demo.warehouse import Warehouse, day_of, days_between, midnight
from orders.rules.routing.candidates import ABLE, FULL, SHORT, Reaches
from orders.rules.routing.facts import Demand, Item, NodeFacts, Situation
from orders.rules.routing.planner import Planner
from orders.rules.routing.plans import Plan
from orders.rules.routing.policy import BUILT_IN

GROWTH_A_DAY = 0.0006
NOISE = 0.05
SHOPPERS_TRIED = 5  # before an order is given up because nobody finds anything in stock
LAST_MESSAGE = 120  # seconds before ``until`` after which nothing comes in any more
CROWDED = 1.8  # times an ordinary day, from which nodes need a day more
PLANNED_AHEAD = timedelta(days=40)


@dataclass(frozen=True)
class Size:
    """How much past there is."""

    name: str
    orders: int
    days: int


SIZES = {
    size.name: size for size in (Size("small", 1_500, 95), Size("default", 40_000, 120), Size("large", 10**6, 365))
}


class History:
    """Tells the past up to ``until``; rows collect on the tape."""

    def __init__(self, size: Size, *, seed: int, until: datetime, skus: Sequence[DemoSku]) -> None:
        self.tape = Tape()
        self._rng = Random(f"{seed}/history")
        self._until = int(until.astimezone(UTC).timestamp())
        last = day_of(self._until)
        self.days = days_between(last - timedelta(days=size.days - 1), last)
        self.campaigns = campaigns(self.days[0], last + PLANNED_AHEAD)
        self._size = size
        self._skus = skus
        self._parts = [[(part + 1, units) for part, units in sku.parts] or [(sku_id, 1)]
                       for sku_id, sku in enumerate(skus, start=1)]  # fmt: skip
        self._house = Warehouse(self.tape, skus)
        self._wishes = Wishes(skus)
        self._restocker = restock.Restocker(self._house, Random(f"{seed}/restock"), self.days, self.campaigns)
        self._people = {channel.code: People(channel, seed) for channel in CHANNELS}
        self._serials: Counter[str] = Counter()
        self._nodes = [_facts(node_id) for node_id in range(1, len(NODES) + 1)]
        self._parcels: Counter[tuple[date, int]] = Counter()
        self._reaches = Reaches(self._situation(self.days[0]))
        self._needed: Counter[int] = Counter()
        self._at_tills: set[int] = set()
        self._seed = seed

    def tell(self, names: dict[str, list[tuple[str, str]]]) -> Iterator[tuple[date, int]]:
        """Tell one day after the other and yield it with its number of orders; the balances come with the last."""
        self._restocker.open(self._wishes, self._size.orders / self._size.days)
        self._at_tills = self._sold_at_tills()
        scribe = Scribe(self.tape, self._house, names, self._seed)
        for day, count in zip(self.days, self._orders_by_day(), strict=True):
            self._tell_day(day, count, scribe)
            if midnight(day) + life.DAY <= self._until:
                self._restocker.end_day(day)
                self._house.end_day(day)
            if day == self.days[-1]:
                self._house.write_levels()
            yield day, count

    def _orders_by_day(self) -> list[int]:
        """Divide the orders among the days by the calendar, growth and chance; the last day may be a part of one."""
        weights = []
        for place, day in enumerate(self.days):
            weight = sum(channel.share * demand(day, channel.code, self.campaigns) for channel in CHANNELS)
            weights.append(weight * (1 + GROWTH_A_DAY * place) * max(0.7, self._rng.gauss(1, NOISE)))
        weights[-1] *= self._part_of_last_day()
        sums = [0.0, *accumulate(weights)]
        marks = [round(self._size.orders * total / sums[-1]) for total in sums]
        return [after - before for before, after in zip(marks, marks[1:], strict=False)]

    def _part_of_last_day(self) -> float:
        hour, minutes = divmod((self._until - LAST_MESSAGE - midnight(self.days[-1])) / life.HOUR, 1)
        if hour < 0:
            return 0.0
        return (sum(HOURS[: int(hour)]) + HOURS[int(hour)] * minutes) / sum(HOURS)

    def _tell_day(self, day: date, count: int, scribe: Scribe) -> None:
        running = [c for c in self.campaigns if c.starts_at.date() <= day <= c.ends_at.date()]
        weights = [channel.share * demand(day, channel.code, self.campaigns) for channel in CHANNELS]
        ordinary = sum(channel.share for channel in CHANNELS)
        planner = Planner(self._situation(day), self._house.units, reaches=self._reaches)
        for placed, channel_place in self._placements(day, count, weights):
            past = self._order(placed, channel_place, [c for c in running if c.span[0] <= placed <= c.span[1]])
            if past is None:
                continue
            self._route(past, planner, crowded=sum(weights) > CROWDED * ordinary)
            is_new = not past.buyer.customer_id
            scribe.write(past)
            if is_new:
                self._people[past.channel.code].remember(past.buyer.customer_id)
            planned_on = day_of(past.start.allocated)
            self._parcels.update((planned_on, p.plan.node_id) for p in past.parcels if p.status != "cancelled")
        self._write_node_days(through=day)

    def _situation(self, day: date) -> Situation:
        """Return the nodes, less the parcels that came in just after midnight for orders of the evening before."""
        nodes = (
            replace(node, parcels_left=node.parcels_left - self._parcels[day, node.node_id]) for node in self._nodes
        )
        return Situation(datetime.fromtimestamp(midnight(day), UTC), tuple(nodes))

    def _write_node_days(self, *, through: date) -> None:
        for day, node_id in sorted(key for key, used in self._parcels.items() if key[0] <= through and used):
            room, used = NODES[node_id - 1].parcels_per_day, self._parcels[day, node_id]
            self.tape.add("inventory_nodeday", f"{node_id}\t{day.isoformat()}\t{room}\t{used}")
        self._parcels = Counter({key: used for key, used in self._parcels.items() if key[0] > through})

    def _placements(self, day: date, count: int, weights: Sequence[float]) -> list[tuple[int, int]]:
        """Return when orders were placed and on which channel, in the order of time."""
        sums = list(accumulate(weights))
        start = midnight(day)
        end = min(start + life.DAY, self._until - LAST_MESSAGE)
        usual = list(accumulate(HOURS_OF_A_PEAK if is_peak(day, self.campaigns) else HOURS))
        tills = list(accumulate(HOURS_AT_TILLS))
        placements = []
        for _ in range(count):
            channel_place = bisect(sums, self._rng.random() * sums[-1])
            hours = tills if CHANNELS[channel_place].code == "POS" else usual
            placements.append((self._moment(start, end, hours), channel_place))
        return sorted(placements)

    def _moment(self, start: int, end: int, hours: Sequence[float]) -> int:
        """Draw a second of the day by the curve of its hours, before ``end``."""
        for _ in range(8):
            hour = bisect(hours, self._rng.random() * hours[-1])
            moment = start + hour * life.HOUR + int(self._rng.random() * life.HOUR)
            if moment < end:
                return moment
        return start + int(self._rng.random() * (end - start))

    def _order(self, placed: int, channel_place: int, running: Sequence[Campaign]) -> Past | None:
        channel = CHANNELS[channel_place]
        day = day_of(placed)
        offers = [campaign for campaign in running if campaign.holds_on(channel.code)]
        for _ in range(SHOPPERS_TRIED):
            buyer = self._people[channel.code].somebody(self._rng)
            lines = self._basket(channel, buyer, day.month, offers)
            if lines:
                break
        else:
            return None
        self._serials[channel.code] += 1
        return Past(
            channel=channel,
            channel_id=channel_place + 1,
            external_id=channel.number_style.format(day=f"{day:%y%m%d}", serial=self._serials[channel.code]),
            buyer=buyer,
            lines=lines,
            start=life.begin(self._rng, placed, channel),
            until=self._until,
        )

    def _basket(self, channel: DemoChannel, buyer: Buyer, month: int, running: Sequence[Campaign]) -> list[Line]:
        abroad = channel.code == "SHOP"
        self._needed.clear()

        def set_aside(place: int, quantity: int) -> bool:
            """Return whether so many can be sold on top of what is in the basket already."""
            if channel.code == "POS" and place not in self._at_tills:
                return False
            parts = self._parts[place]
            for sku_id, units in parts:
                if not self._house.can_sell(sku_id, self._needed[sku_id] + units * quantity, abroad=abroad):
                    return False
            for sku_id, units in parts:
                self._needed[sku_id] += units * quantity
            return True

        lines = self._wishes.fill(self._rng, channel, buyer.place.area, month, running, set_aside)
        gift = self._wishes.gift_for(lines, running, set_aside)
        return [*lines, gift] if gift else lines

    def _sold_at_tills(self) -> set[int]:
        """Return what every store carries, with the bundles of it."""
        stores = [set(shelf.carries) for shelf in self._house.shelves if shelf.facts.kind == "store"]
        everywhere = set.intersection(*stores)
        return {
            place for place, parts in enumerate(self._parts) if all(sku_id in everywhere for sku_id, _units in parts)
        }

    def _route(self, past: Past, planner: Planner, *, crowded: bool) -> None:
        """Plan the parcels and let them travel."""
        place = past.buyer.place
        items = tuple(
            Item(number, sku_id, units * line.quantity)
            for number, line in enumerate(past.lines, start=1)
            for sku_id, units in self._parts[line.place]
        )
        plan = planner.plan(Demand(past.number, place.region, place.city, items, channel=past.channel.code), BUILT_IN)
        past.policy, past.verdicts, past.cost = plan.policy, _verdicts(plan), plan.cost
        for parcel in plan.parcels:
            if past.channel.code == "POS" and parcel.node_code.startswith("ST"):
                journey = life.hand_over(self._rng, past.start.released)
            else:
                abroad = place.country != "CN"
                journey = life.travel(
                    self._rng, past.start.released, parcel.distance_km, abroad=abroad, crowded=crowded
                )
            past.parcels.append(PastParcel(f"{past.number}-{len(past.parcels) + 1}", parcel, journey))
        past.settle()
        if past.goods_state == "delivered":
            past.way_back = life.come_back(self._rng, max(p.journey.delivered for p in past.parcels))


def _verdicts(plan: Plan) -> Verdicts:
    """Return what a decision tells of the nodes, in a few words of each."""
    judged = plan.judged
    if judged is None:
        return Verdicts()
    able, short, full = [], [], []
    for row in judged.rows:
        code, km = row.lane.node.code, round(row.lane.km)
        if row.verdict.code == ABLE:
            able.append((code, km, round(judged.cost(row), 2)))
        elif row.verdict.code == SHORT:
            short.append((code, km, sum(judged.ask.want) - sum(row.have)))
        elif row.verdict.code == FULL:
            full.append(code)
    return Verdicts(tuple(able), tuple(short), tuple(full), tuple(one.node_code for one in judged.reach.refusals))


def _facts(node_id: int) -> NodeFacts:
    node = NODES[node_id - 1]
    return NodeFacts(
        node_id=node_id,
        code=node.code,
        region=node.region,
        latitude=node.latitude,
        longitude=node.longitude,
        serves=frozenset(node.serves),
        is_active=True,
        parcels_left=node.parcels_per_day,
    )
