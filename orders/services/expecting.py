"""What short orders wait for: their missing units are promised on stock that will come, as the orders are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from audit.rules.sentences import Sentence, say
from inventory.queries import ahead as promises
from inventory.queries.ahead import Promised
from inventory.rules.ahead import Waiting, latest
from inventory.services import ahead, presales
from inventory.services.presales import Ahead
from orders.models import Order
from orders.rules import demand
from orders.rules.routing.facts import Item
from orders.statuses import EventKind, GoodsState

if TYPE_CHECKING:  # a batch calls this while it is written
    from orders.services.batch import Batch, Work


@dataclass(frozen=True)
class Portion:
    """Units of an order that one document brings on one day; without a document nobody has announced them."""

    quantity: int
    due_date: date | None
    document: str


@dataclass(frozen=True)
class Outlook:
    """What an order may expect: when each line is complete, and what brings its units."""

    line_dates: Mapping[int, date | None]
    portions: tuple[Portion, ...]

    @property
    def promised_date(self) -> date | None:
        """Return when the last missing unit is expected; None when a part of them has no date."""
        return latest(self.line_dates.values())

    def dated(self) -> list[Portion]:
        """Return what is expected on a known day, the earliest first."""
        return sorted(
            (portion for portion in self.portions if portion.due_date), key=lambda one: (one.due_date, one.document)
        )

    def sentence(self) -> Sentence | None:
        """Say what is expected when; nothing when nobody has told a date."""
        dated = self.dated()
        if not dated:
            return None
        units = sum(portion.quantity for portion in dated)
        everything = sum(portion.quantity for portion in self.portions)
        day = str(dated[-1].due_date)
        documents = ", ".join(dict.fromkeys(portion.document for portion in dated))[:160]
        if units < everything:
            return say(
                "%(units)s of %(all)s units are expected until %(date)s with %(documents)s, the rest has no date.",
                units=units, all=everything, date=day, documents=documents,
            )  # fmt: skip
        if len(dated) == 1:
            return say(
                "%(units)s units are expected on %(date)s with %(document)s.",
                units=units, date=day, document=documents,
            )  # fmt: skip
        return say(
            "%(units)s units are expected until %(date)s with %(documents)s.",
            units=units, date=day, documents=documents,
        )  # fmt: skip

    def explained(self) -> list[list[int | str]]:
        """Return the dated portions as a routing decision keeps them: units, day, document."""
        return [[portion.quantity, str(portion.due_date), portion.document] for portion in self.dated()]


def look_ahead(batch: Batch) -> None:
    """Promise the short orders of a batch what will come, and let those that are short no longer leave the queue.

    Called before the orders' states are computed again: an order that waits has been stored as backordered.
    """
    short = {work.order.number: (work, items) for work in batch.works if (items := _missing(batch, work))}
    done = [work for work in batch.works if _waited(work) and work.order.number not in short]
    if not short and not done:
        return
    gone = [work.order.number for work in done]
    wants = [
        (batch.channels[work.order.channel_id].code, _waiting(work.order, item))
        for work, items in short.values()
        for item in items
    ]
    known = [number for number, (work, _items) in short.items() if not work.is_new]
    presales.forget([*known, *gone], at=batch.at)
    sold_ahead, rest = presales.promise(wants, at=batch.at)
    promised = ahead.promise(rest, gone=[*gone, *(short.keys() - {want.reference for want in rest})], at=batch.at)
    numbers = promises.numbers({row.key for row in promised if row.key})
    found: dict[str, list[Promised]] = {number: [] for number in short}
    for row in promised:
        found[row.waiting.reference].append(row)
    decisions = {decision.order.number: decision for decision in batch.decisions}
    for number, (work, _items) in short.items():
        outlook = _outlook(found[number], numbers)
        _tell_presale(batch, work, [row for row in sold_ahead if row.reference == number])
        _tell(batch, work, outlook)
        if number in decisions and outlook.dated():
            decisions[number].explanation["expected"] = outlook.explained()
    _put(batch, [*(work for work, _items in short.values()), *done])


def moved(old: date | None, new: date | None) -> Sentence:
    """Say how an order's date moved."""
    if new is None:
        return say("The date %(old)s does not hold any more: a part of the missing units has no date.", old=str(old))
    if old is None:
        return say("The missing units are expected until %(new)s.", new=str(new))
    return say("The missing units are expected until %(new)s instead of %(old)s.", new=str(new), old=str(old))


def _missing(batch: Batch, work: Work) -> Sequence[Item]:
    if not work.is_short or work.order.cancelled_at:
        return ()
    return demand.items_wanted(work.wanted(), batch.parts, work.allocated() if work.parcels else {})


def _waited(work: Work) -> bool:
    """Return whether the order, as it was stored, waits for stock."""
    order = work.order
    return not work.is_new and (order.goods_state == GoodsState.BACKORDERED or order.promised_date is not None)


def _waiting(order: Order, item: Item) -> Waiting:
    return Waiting(order.number, item.line_number, item.sku_id, item.quantity, order.priority, order.placed_at)


def _tell(batch: Batch, work: Work, outlook: Outlook) -> None:
    """Say what is expected when an order begins to wait, later only that its date moved."""
    before, after = work.order.promised_date, outlook.promised_date
    sentence = None
    if not _waited(work):
        sentence = outlook.sentence()
    elif before != after:
        sentence = moved(before, after)
    if sentence:
        batch.tell(work, EventKind.BACKORDERED, sentence)


def _tell_presale(batch: Batch, work: Work, rows: Sequence[Ahead]) -> None:
    """Say from when what was sold ahead leaves, when the order begins to wait for it."""
    if not rows or _waited(work):
        return
    units, day = sum(row.quantity for row in rows), max(row.ships_from_date for row in rows)
    batch.tell(
        work,
        EventKind.BACKORDERED,
        say("%(units)s units are sold ahead: they leave from %(date)s.", units=units, date=str(day)),
    )


def _put(batch: Batch, works: Sequence[Work]) -> None:
    """Put the dates of everything they wait for, presales too, on the orders and their lines."""
    dates = promises.dates(work.order.number for work in works)
    for work in works:
        number = work.order.number
        told = {line.line_number: dates.get((number, line.line_number)) for line in work.lines}
        work.order.promised_date = latest(told[line] for line in told if (number, line) in dates)
        for line in work.lines:
            if line.promised_date != told[line.line_number]:
                line.promised_date = told[line.line_number]
                batch.line_changed(line)


def _outlook(rows: Sequence[Promised], numbers: Mapping[tuple[str, int], str]) -> Outlook:
    lines: dict[int, list[date | None]] = {}
    units: dict[tuple[date | None, str], int] = {}
    for row in rows:
        lines.setdefault(row.waiting.line_number, []).append(row.promised_date)
        place = (row.promised_date, numbers.get(row.key, "") if row.key else "")
        units[place] = units.get(place, 0) + row.waiting.quantity
    return Outlook(
        {number: latest(dates) for number, dates in lines.items()},
        tuple(Portion(quantity, due_date, document) for (due_date, document), quantity in units.items()),
    )
