"""Orders out of a file: into the inbox batch by batch, through the pipeline, and back with what was refused."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from audit.models.sentences import render
from channels.adapters.file import read
from channels.models import Channel, InboundMessage
from channels.services import inbox
from channels.statuses import InboundSource, InboundStatus
from orders.models import Order
from orders.services import pipeline

SECONDS_TO_SETTLE: Final = 60.0  # how long another worker may need that took some of our messages
_PAUSE: Final = 0.1


@dataclass(frozen=True)
class Refused:
    """One row that did not become part of an order, and why, in the active language."""

    row_number: int
    values: Mapping[str, str]
    code: str
    reason: str


@dataclass
class Totals:
    """What an import has done so far."""

    rows: int = 0
    orders: int = 0
    refunds: int = 0
    new: int = 0
    already_known: int = 0
    rejected_rows: int = 0
    held: int = 0


@dataclass
class _Batch:
    orders: list[read.OrderRows] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    rows: int = 0

    def add(self, part: read.OrderRows | read.RejectedRow) -> None:
        if isinstance(part, read.RejectedRow):
            self.rows += 1
            self.refused.append(Refused(part.row_number, part.values, part.code, render(part.reason.stored())))
        else:
            self.rows += len(part.rows)
            self.orders.append(part)

    def keys(self) -> set[tuple[str, str, int]]:
        return {(part.kind, part.external_id, part.revision) for part in self.orders}


def take_in(
    channel: Channel, path: Path, *, seen: read.Scan, batch_size: int, at: Callable[[], datetime]
) -> Iterator[tuple[Totals, list[Refused]]]:
    """Import a file batch by batch; yield after each the totals so far and the rows that this batch refused.

    What is wrong with one order never keeps the others out; the same file again adds nothing. Raises
    ``UnreadableFile``.
    """
    totals, batch = Totals(), _Batch()
    for part in read.read(path, seen):
        batch.add(part)
        if len(batch.orders) >= batch_size or len(batch.refused) >= batch_size:
            yield totals, _work_off(channel, batch, totals, at=at)
            batch = _Batch()
    yield totals, _work_off(channel, batch, totals, at=at)


def _work_off(channel: Channel, batch: _Batch, totals: Totals, *, at: Callable[[], datetime]) -> list[Refused]:
    new = inbox.store(channel, batch.orders, at=at(), source=InboundSource.FILE)
    _drain(channel, batch, at=at)
    refused = sorted(batch.refused + _refused_by_pipeline(channel, batch), key=lambda row: row.row_number)
    totals.rows += batch.rows
    refunds = sum(part.kind == "refund" for part in batch.orders)
    totals.orders += len(batch.orders) - refunds
    totals.refunds += refunds
    totals.new += new
    totals.already_known += len(batch.orders) - new
    totals.rejected_rows += len(refused)
    totals.held += _count_held(channel, batch)
    return refused


def _drain(channel: Channel, batch: _Batch, *, at: Callable[[], datetime]) -> None:
    """Take the batch's messages through the pipeline, and wait for those that another worker has just taken."""
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while ids := [pk for pk, status in _kept(channel, batch) if status == InboundStatus.RECEIVED]:
        done = pipeline.drain(message_ids=ids, at=at)
        if time.monotonic() > deadline:
            return
        if not done.messages:
            time.sleep(_PAUSE)


def _kept(channel: Channel, batch: _Batch) -> list[tuple[int, str]]:
    """Return number and status of the inbox rows of this batch."""
    keys = batch.keys()
    rows = InboundMessage.objects.filter(
        channel=channel, kind__in=("order", "refund"), external_id__in={number for _kind, number, _revision in keys}
    ).values_list("pk", "status", "kind", "external_id", "revision")
    return [(pk, status) for pk, status, *key in rows if tuple(key) in keys]


def _refused_by_pipeline(channel: Channel, batch: _Batch) -> list[Refused]:
    stuck = {InboundStatus.REJECTED, InboundStatus.PARKED}
    ids = [pk for pk, status in _kept(channel, batch) if status in stuck]
    rows_of = {(part.kind, part.external_id, part.revision): part.rows for part in batch.orders}
    return [
        refused
        for message in InboundMessage.objects.filter(pk__in=ids)
        for refused in _rows_refused(message, rows_of[message.kind, message.external_id, message.revision])
    ]


def _rows_refused(message: InboundMessage, rows: Sequence[read.Row]) -> list[Refused]:
    reason = render(message.reason)
    return [
        Refused(
            int(row["row"]), {name: text for name, text in row.items() if name != "row"}, message.reason_code, reason
        )
        for row in rows
    ]


def _count_held(channel: Channel, batch: _Batch) -> int:
    orders = Order.objects.filter(channel=channel, external_id__in=[part.external_id for part in batch.orders])
    return orders.filter(holds__isnull=False, holds__lifted_at__isnull=True).distinct().count()
