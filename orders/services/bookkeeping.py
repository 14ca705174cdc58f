"""What the books must know: a parcel that left is a delivery, for every ERP that is connected.

Drafts are written with the parcels. Nothing is looked up, and nothing costs anything, where no ERP is connected. A test
order (of a sandbox channel) is no matter for real books.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from channels.adapters import registry
from channels.messages import DocumentLine, SalesDocument
from channels.models import Channel
from channels.services import outbox
from channels.statuses import Lane
from inventory.models import Node, Sku
from orders.models import Fulfillment, OrderLine
from orders.rules import books
from orders.services.batch import Batch, Work

DELIVERY: Final = "delivery"
UNIT_PRICE: Final = Decimal("0.0001")
Shipped = Sequence[tuple[Work, Fulfillment]]


@dataclass(frozen=True)
class _Names:
    """What SKUs and nodes are called, and what SKUs cost by the list."""

    skus: dict[int, tuple[str, Decimal]]
    nodes: dict[int, str]


def book(batch: Batch, shipped: Shipped) -> None:
    """Write a delivery of each of these parcels, which have just left, for each ERP that is connected."""
    ledgers = [channel for channel in batch.channels.values() if channel.is_active and _keeps_books(channel)]
    if not ledgers or not shipped:
        return
    names = _names(batch, shipped)
    for work, parcel in shipped:
        ordered_at = batch.channels[work.order.channel_id]
        document = _document(batch, work, parcel, names, customer_code=ordered_at.code)
        batch.drafts.extend(
            outbox.Draft(
                channel_id=ledger.pk,
                lane=Lane.BOOKS,
                subject=parcel.number,
                key=f"sales-document:{ledger.code}:{parcel.number}",
                message=document,
            )
            for ledger in sorted(ledgers, key=lambda channel: channel.code)
            if ledger.is_sandbox or not ordered_at.is_sandbox
        )


def _keeps_books(channel: Channel) -> bool:
    adapter = registry.BY_NAME.get(channel.adapter)
    return adapter is not None and adapter.capabilities.documents


def _names(batch: Batch, shipped: Shipped) -> _Names:
    """Load what all these parcels need in two queries."""
    sold = {line.sku_id for work, _ in shipped for line in work.lines if line.sku_id is not None}
    sent = {content.sku_id for work, _ in shipped for content in work.contents}
    sku_ids = sold | sent | {part for bundle in sold for part, _ in batch.parts.get(bundle, ())}
    skus = Sku.objects.filter(pk__in=sku_ids).values_list("pk", "code", "list_price")
    nodes = Node.objects.filter(pk__in={parcel.node_id for _, parcel in shipped}).values_list("pk", "code")
    return _Names({pk: (code, price) for pk, code, price in skus}, dict(nodes))


def _document(batch: Batch, work: Work, parcel: Fulfillment, names: _Names, *, customer_code: str) -> SalesDocument:
    return SalesDocument(
        kind=DELIVERY,
        number=parcel.number,
        order_number=work.order.number,
        booked_at=batch.at,
        customer_code=customer_code,
        node_code=names.nodes[parcel.node_id],
        currency=work.order.currency,
        lines=tuple(_lines(batch, work, parcel, names)),
    )


def _lines(batch: Batch, work: Work, parcel: Fulfillment, names: _Names) -> Iterable[DocumentLine]:
    """Yield what is in a parcel, a SKU of a line once; what left before it decides whose the last cents are."""
    earlier = [
        other
        for other in work.live_parcels()
        if other.shipped_at and (other.shipped_at, other.pk) < (parcel.shipped_at or batch.at, parcel.pk)
    ]
    before, now = work.units_in(earlier), Counter(work.units_in([parcel]))
    lines = {line.line_number: line for line in work.lines}
    for place, ((line_number, sku_id), quantity) in enumerate(sorted(now.items()), start=1):
        parts = _parts(batch, work, lines[line_number], names)
        amount = books.portion(
            books.amounts(lines[line_number].net_amount, list(parts.values()))[sku_id],
            of=parts[sku_id].quantity,
            before=before.get((line_number, sku_id), 0),
            now=quantity,
        )
        unit_price = (amount / quantity).quantize(UNIT_PRICE)
        yield DocumentLine(place, names.skus[sku_id][0], quantity, unit_price, amount)


def _parts(batch: Batch, work: Work, line: OrderLine, names: _Names) -> dict[int, books.Part]:
    """Return what a line is made of: as its bundle says today, and what was planned before somebody changed that."""
    units = {sku_id: line.quantity * count for sku_id, count in batch.parts.get(line.sku_id or 0) or ()}
    if not units and line.sku_id is not None:
        units[line.sku_id] = line.quantity
    for (line_number, sku_id), planned in work.allocated().items():
        if line_number == line.line_number:
            units.setdefault(sku_id, planned)
    return {sku_id: books.Part(sku_id, count, names.skus[sku_id][1]) for sku_id, count in units.items()}
