"""Noting what was oversold: accepted lines whose stock was not there when the hub first looked, and why.

Nothing is asked while nothing is missing. A line is noted once per cause.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels import queries as channel_queries
from inventory.models import Node
from orders.models import Fulfillment, OrderLine, Oversell
from orders.queries import shortfalls
from orders.queries.shortfalls import Need, Push, Sale
from orders.rules import demand, oversell, reasons
from orders.rules.oversell import Facts, Told
from orders.services.batch import Batch, Work
from orders.statuses import OversellCause


@dataclass(frozen=True)
class _Short:
    """A line that lacks units, and the stocked SKU it lacks most of."""

    work: Work
    line: OrderLine
    part_id: int
    missing: int  # of the part
    needed: int  # of the part, by the whole line

    @property
    def sale(self) -> Sale:
        order, line = self.work.order, self.line
        return Sale(order.channel_id, line.external_sku, line.sku_id or 0, order.placed_at)


def first_timers(works: Iterable[Work]) -> list[Work]:
    """Return the orders for which nobody has looked for stock before: only those can turn out oversold."""
    return [work for work in works if not work.parcels and not work.is_short]


def note(batch: Batch, works: Sequence[Work]) -> None:
    """Note each line of these orders that allocation left short of stock, with its cause."""
    shorts = [short for work in works if work.is_short for short in _shorts(batch, work)]
    shorts = _without_presales(batch, _without_unreachable(batch, shorts)) if shorts else []
    if not shorts:
        return
    sales = [short.sale for short in shorts]
    told = shortfalls.told(sales)
    sold = _sold(batch, sales, told)
    lagging = [place for place, push in told.items() if sold[place] <= push.quantity]
    needs = [Need(shorts[place].part_id, shorts[place].needed, told[place].changed_at) for place in lagging]
    fell = shortfalls.fell_at(needs) if needs else {}
    fell_at = {place: fell[number] for number, place in enumerate(lagging) if number in fell}
    for place, short in enumerate(shorts):
        push = told.get(place)
        facts = Facts(
            received_at=short.work.order.received_at,
            sold=sold.get(place, 0),
            told=Told(push.quantity, push.accepted_at) if push else None,
            fell_at=fell_at.get(place),
        )
        verdict = oversell.judge(facts)
        if verdict:
            quantity = short.line.quantity - short.line.quantity_allocated
            batch.oversells.append(_row(batch, short.work, short.line, quantity, verdict))


def note_unfound(batch: Batch, parcels: Iterable[tuple[Work, Fulfillment]], sku_ids: Collection[int]) -> None:
    """Note the units of these SKUs that were reserved for parcels and that their nodes did not find: our own side."""
    verdict = oversell.Verdict(OversellCause.NOT_FOUND)
    for work, parcel in parcels:
        lines = {line.line_number: line for line in work.lines}
        whole: dict[int, int] = {}  # line number → whole units of the line that lack a part
        for (number, sku_id), quantity in work.units_in([parcel]).items():
            if sku_id in sku_ids:
                units = -(-quantity // _per_line(batch, lines[number].sku_id)[sku_id])
                whole[number] = max(units, whole.get(number, 0))
        for number, units in sorted(whole.items()):
            batch.oversells.append(_row(batch, work, lines[number], units, verdict))


def _per_line(batch: Batch, sku_id: int | None) -> dict[int, int]:
    """Return what one unit of a line takes: stocked SKU → units."""
    return {} if sku_id is None else dict(batch.parts.get(sku_id) or [(sku_id, 1)])


def _shorts(batch: Batch, work: Work) -> Iterable[_Short]:
    """Yield the lines of an order that lack units, each once."""
    wanted = {line.line_number: line for line in work.wanted()}
    lines = {line.line_number: line for line in work.live_lines()}
    most: dict[int, demand.Item] = {}
    for item in demand.items_wanted(wanted.values(), batch.parts, work.allocated()):
        if item.line_number not in most or item.quantity > most[item.line_number].quantity:
            most[item.line_number] = item
    for number, item in most.items():
        per_line = _per_line(batch, wanted[number].sku_id)[item.sku_id]
        yield _Short(work, lines[number], item.sku_id, item.quantity, wanted[number].quantity * per_line)


def _without_unreachable(batch: Batch, shorts: Sequence[_Short]) -> list[_Short]:
    """Leave out lines whose units are there, at nodes that are full today or do not serve the destination.

    Nodes that do not serve the channel do not count: it was never told of what they have.
    """
    shut: dict[int, set[str]] = {}
    for decision in batch.decisions:
        said = reasons.verdicts(decision.explanation)
        shut[id(decision.order)] = {code for code, verdict in said.items() if verdict in reasons.SHUT}
    codes = {code for short in shorts for code in shut.get(id(short.work.order), ())}
    if not codes:
        return list(shorts)
    free = shortfalls.free_at({short.part_id for short in shorts}, codes)
    serving = channel_queries.nodes_by_channel(short.work.order.channel_id for short in shorts)
    names = dict(Node.objects.filter(code__in=codes).values_list("code", "pk")) if serving else {}

    def unreachable(short: _Short) -> int:
        order = short.work.order
        own = serving.get(order.channel_id)
        nodes = [code for code in shut.get(id(order), ()) if own is None or names[code] in own]
        return sum(free.get(short.part_id, {}).get(code, 0) for code in nodes)

    return [short for short in shorts if unreachable(short) < short.missing]


def _without_presales(batch: Batch, shorts: Sequence[_Short]) -> list[_Short]:
    """Leave out what a channel sells ahead of its arrival: nobody said that it was there."""
    if not shorts:
        return []
    sku_ids = {sku_id for short in shorts for sku_id in (short.part_id, short.line.sku_id or 0)}
    presold = shortfalls.presold(sku_ids)
    codes = {channel.pk: channel.code for channel in batch.channels.values()}
    return [
        short
        for short in shorts
        if not presold & {(codes[short.work.order.channel_id], sku_id) for sku_id in (short.part_id, short.line.sku_id)}
    ]


def _sold(batch: Batch, sales: Sequence[Sale], told: dict[int, Push]) -> dict[int, int]:
    """Return what each channel sold of a listing since it was told: stored orders, and those new in this batch."""
    places = list(told)
    if not places:
        return {}
    stored = shortfalls.sold_since([sales[place] for place in places], [told[place].accepted_at for place in places])
    fresh: dict[tuple[int, str], list[tuple[datetime, int]]] = {}
    for work in batch.works:
        for line in work.live_lines() if work.is_new else ():
            key = (work.order.channel_id, line.external_sku)
            fresh.setdefault(key, []).append((work.order.placed_at, line.quantity))
    units = {}
    for number, place in enumerate(places):
        sale, since = sales[place], told[place].accepted_at
        units[place] = stored.get(number, 0) + sum(
            quantity
            for placed_at, quantity in fresh.get((sale.channel_id, sale.code), ())
            if since < placed_at <= sale.placed_at
        )
    return units


def _row(batch: Batch, work: Work, line: OrderLine, quantity: int, verdict: oversell.Verdict) -> Oversell:
    told = verdict.told
    return Oversell(
        order=work.order,
        line_number=line.line_number,
        channel_id=work.order.channel_id,
        sku_id=line.sku_id or 0,
        quantity=quantity,
        cause=verdict.cause,
        told_quantity=told.quantity if told else None,
        told_at=told.at if told else None,
        stock_fell_at=verdict.fell_at,
        found_at=batch.at,
    )
