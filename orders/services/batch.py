"""What one run of the pipeline carries: orders with their parts in memory, and the one place that writes them.

Steps decide on these objects and add rows; ``Batch.write`` saves everything in one go in the order of the foreign keys.
So an order that runs through in one batch is inserted once, in its final state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from django.db.models import Model

from audit.models import rows
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence
from audit.services import cases
from channels.models import Channel
from channels.services import inbox, outbox
from inventory.queries import promise
from orders.models import (
    Customer,
    Fulfillment,
    FulfillmentLine,
    Hold,
    Order,
    OrderEvent,
    OrderLine,
    OrderPricing,
    Oversell,
    Refund,
    RoutingDecision,
)
from orders.rules import demand, progress
from orders.services import announcing, expecting, routing_records, standing
from orders.statuses import EventKind, FulfillmentStatus, GoodsState, HoldKind
from promotions.services import limits

ORDER_FACTS = (
    "revision", "address_revision", "note_revision",
    "customer", "status", "money_state", "goods_state", "open_holds", "goods_amount", "discount_amount",
    "shipping_amount", "total_amount", "paid_amount", "country", "region", "city", "district", "recipient_name",
    "recipient_phone", "recipient_address", "recipient_token", "buyer_note", "seller_note", "paid_at", "ship_by",
    "deliver_by", "arrives_from", "arrives_until", "promised_date", "reserved_until", "shipped_at", "delivered_at",
    "cancelled_at", "cancel_reason",
)  # fmt: skip

LINE_FACTS = (
    "sku", "quantity", "quantity_allocated", "quantity_shipped", "unit_price", "discount_amount", "net_amount",
    "promotion_amount", "promised_date", "is_cancelled",
)  # fmt: skip
PARCEL_FACTS = (
    "status", "released_at", "packed_at", "shipped_at", "delivered_at", "carrier_code", "tracking_number", "claim_by",
    "release_after",
)  # fmt: skip
REFUND_FACTS = (
    "revision", "status", "amount", "currency", "lines", "reason", "goods_come_back", "asked_at", "refunded_at",
)  # fmt: skip


LIST = "/admin/orders/order/?q="
WAYS_OUT = {HoldKind.UNKNOWN_SKU.value: "/admin/orders/hold/which/?order="}  # kind of trouble → where it is mended


@dataclass
class Work:
    """One order on its way through the steps."""

    order: Order
    lines: list[OrderLine]
    parcels: list[Fulfillment] = field(default_factory=list)
    contents: list[FulfillmentLine] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)  # by the channel's number; read by intake only
    is_new: bool = False
    is_priced: bool = False
    is_short: bool = False
    is_paid_in_full: bool = False  # the channel said paid and not how much: the total, once it is known

    def live_lines(self) -> list[OrderLine]:
        """Return the lines that still count."""
        return [line for line in self.lines if not line.is_cancelled]

    def sold_lines(self) -> list[OrderLine]:
        """Return the live lines that the channel sold: all but the gifts of our promotions."""
        return [line for line in self.lines if not line.is_cancelled and not line.promotion_code]

    def our_gifts(self) -> list[OrderLine]:
        """Return the live lines that our promotions added."""
        return [line for line in self.lines if line.promotion_code and not line.is_cancelled]

    def live_parcels(self) -> list[Fulfillment]:
        """Return the parcels that are not cancelled."""
        return [parcel for parcel in self.parcels if parcel.status != FulfillmentStatus.CANCELLED]

    def is_at_a_node(self) -> bool:
        """Return whether a node has, or has sent, a parcel of this order."""
        return any(parcel.status != FulfillmentStatus.PLANNED for parcel in self.live_parcels())

    def wanted(self) -> list[demand.WantedLine]:
        """Return the live lines with a known SKU, as the rules read them."""
        return [
            demand.WantedLine(line.line_number, line.sku_id, line.quantity)
            for line in self.live_lines()
            if line.sku_id is not None
        ]

    def allocated(self) -> dict[tuple[int, int], int]:
        """Return the units in live parcels per (line number, SKU)."""
        return self.units_in(self.live_parcels())

    def units_in(self, parcels: Iterable[Fulfillment]) -> dict[tuple[int, int], int]:
        """Return the units in these parcels per (line number, SKU)."""
        chosen = {id(parcel) for parcel in parcels}
        units: dict[tuple[int, int], int] = {}
        for content in self.contents:
            if id(content.fulfillment) in chosen:
                key = (content.order_line.line_number, content.sku_id)
                units[key] = units.get(key, 0) + content.quantity
        return units

    def refresh(self) -> None:
        """Recompute the order's states from its parts: the only writer of ``status`` and ``goods_state``."""
        order, lines = self.order, self.live_lines()
        order.open_holds = len(self.holds)
        order.goods_state = progress.goods_state(
            progress.Parts(
                is_cancelled=order.cancelled_at is not None,
                is_priced=self.is_priced,
                is_fully_allocated=all(line.quantity_allocated >= line.quantity for line in lines),
                is_short=self.is_short,
                parcels=[parcel.status for parcel in self.parcels],
            )
        )
        order.status = progress.order_status(order.goods_state, order.money_state, order.open_holds)


@dataclass
class Batch:
    """The orders of one transaction and the rows that the steps add."""

    at: datetime
    actor: Actor
    channels: dict[int, Channel] = field(default_factory=dict)
    works: list[Work] = field(default_factory=list)
    outcomes: list[inbox.Outcome] = field(default_factory=list)
    new_customers: list[Customer] = field(default_factory=list)
    new_lines: list[OrderLine] = field(default_factory=list)  # of orders that were known before
    new_parcels: list[Fulfillment] = field(default_factory=list)
    new_contents: list[FulfillmentLine] = field(default_factory=list)
    decisions: list[RoutingDecision] = field(default_factory=list)
    new_holds: list[Hold] = field(default_factory=list)
    lifted_holds: list[Hold] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    oversells: list[Oversell] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    pricings: list[OrderPricing] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)  # orders that were paid: what they reserved of promotions is used
    given_up: list[str] = field(default_factory=list)  # orders that give back what they reserved of promotions
    drafts: list[outbox.Draft] = field(default_factory=list)
    troubles: list[cases.Trouble] = field(default_factory=list)
    settled: dict[str, set[str]] = field(default_factory=dict)  # case kind → order numbers whose case is over
    changed_lines: dict[int, OrderLine] = field(default_factory=dict)
    changed_parcels: dict[int, Fulfillment] = field(default_factory=dict)
    node_deeds: list[tuple[int, str]] = field(default_factory=list)  # node id, what it did with a parcel
    parts: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    is_in_turn: bool = False  # the works stand in the order in which they are served
    only_nodes: dict[str, frozenset[int]] = field(default_factory=dict)  # order number → nodes that a person chose

    def tell(self, work: Work, kind: EventKind, detail: Sentence | None = None) -> None:
        """Add one event to an order's timeline."""
        event = rows.new(OrderEvent, order=work.order, kind=kind, happened_at=self.at, actor=self.actor.label)
        if detail:
            event.detail = detail.stored()
        self.events.append(event)

    def hold(self, work: Work, kind: HoldKind, reason: Sentence, suggestion: Sentence) -> None:
        """Put an order on hold and open a case for it, once per kind."""
        if kind in work.holds:
            return
        hold = Hold(order=work.order, kind=kind, reason=reason.stored(), opened_at=self.at, opened_by=self.actor.label)
        work.holds[kind] = hold
        self.new_holds.append(hold)
        self.tell(work, EventKind.HELD, reason)
        self.trouble(work, kind, reason, suggestion)

    def lift(self, work: Work, kind: HoldKind) -> None:
        """Lift an open hold of this kind, if there is one, and settle its case."""
        hold = work.holds.pop(kind, None)
        if hold is None:
            return
        hold.lifted_at, hold.lifted_by = self.at, self.actor.label
        if hold.pk:
            self.lifted_holds.append(hold)
        self.tell(work, EventKind.HOLD_LIFTED)
        self.settle(work, kind)

    def trouble(self, work: Work, kind: str, why: Sentence, suggestion: Sentence) -> None:
        """Ask for a case about an order, opened when the batch is written; one that is open already stays open."""
        self.settled.get(kind, set()).discard(work.order.number)
        self.troubles.append(
            cases.Trouble(
                kind=kind,
                subject=work.order.number,
                why=why,
                suggestion=suggestion,
                subject_url=f"{WAYS_OUT.get(kind, LIST)}{quote(work.order.number)}",
            )
        )

    def settle(self, work: Work, kind: str) -> None:
        """Say that the case of this kind about an order is over."""
        self.settled.setdefault(kind, set()).add(work.order.number)

    def learn_parts(self) -> None:
        """Load what the bundles among the orders' SKUs are made of."""
        skus = {line.sku_id for work in self.works for line in work.lines if line.sku_id is not None}
        self.parts = promise.bundle_parts(skus) if skus else {}

    def write(self) -> None:
        """Save everything, parents first."""
        expecting.look_ahead(self)
        for work in self.works:
            work.refresh()
        new = [work for work in self.works if work.is_new]
        save_customers(self.new_customers)
        rows.insert([work.order for work in new])
        rows.update([work.order for work in self.works if not work.is_new], ORDER_FACTS)
        rows.insert([*(line for work in new for line in work.lines), *self.new_lines])
        rows.update(self.changed_lines.values(), LINE_FACTS)
        rows.update(self.changed_parcels.values(), PARCEL_FACTS)
        rows.update(self.lifted_holds, ("lifted_at", "lifted_by"))
        routing_records.save(list({id(one.run): one.run for one in self.decisions if one.run}.values()))
        new_rows: tuple[Sequence[Model], ...] = (
            self.new_parcels, self.new_contents, self.decisions, self.new_holds, self.events, self.pricings,
        )  # fmt: skip
        for fresh in new_rows:
            rows.insert(fresh)
        if self.oversells:
            Oversell.objects.bulk_create(self.oversells, ignore_conflicts=True)  # a line is noted once per cause
        _save_refunds(self.refunds)
        self._settle_promotions()
        outbox.enqueue(self.drafts, at=self.at)
        announcing.announce(self)
        inbox.finish(self.outcomes, at=self.at)
        self._write_cases()
        standing.note(self.node_deeds, at=self.at)

    def _settle_promotions(self) -> None:
        if self.paid:
            limits.commit(self.paid, at=self.at)
        if self.given_up:
            limits.release(self.given_up, at=self.at)

    def _write_cases(self) -> None:
        cases.open_cases(self.troubles, at=self.at)
        for kind, numbers in self.settled.items():
            cases.resolve(sorted(numbers), kinds=[kind], actor=self.actor, resolution="", at=self.at)

    def line_changed(self, line: OrderLine) -> None:
        """Remember a stored line whose columns changed."""
        if line.pk:
            self.changed_lines[line.pk] = line

    def parcel_changed(self, parcel: Fulfillment) -> None:
        """Remember a stored parcel whose columns changed."""
        if parcel.pk:
            self.changed_parcels[parcel.pk] = parcel


def load(order_ids: Iterable[int], *, at: datetime, actor: Actor) -> Batch:
    """Lock orders in primary-key order and return them with all their parts, ready for the steps.

    Must run inside a transaction. Unknown ids are left out.
    """
    orders = list(Order.objects.select_for_update(no_key=True).filter(pk__in=list(order_ids)).order_by("pk"))
    batch = Batch(at=at, actor=actor)
    batch.channels = {channel.pk: channel for channel in Channel.objects.all()}
    batch.works = works_of(orders)
    batch.learn_parts()
    return batch


def works_of(orders: Sequence[Order]) -> list[Work]:
    """Return known orders with their lines, parcels, contents and open holds: four queries, however many orders."""
    works = {
        order.pk: Work(
            order=order,
            lines=[],
            is_priced=order.goods_state != GoodsState.RECEIVED,
            is_short=order.goods_state == GoodsState.BACKORDERED,
        )
        for order in orders
    }
    lines = {line.pk: line for line in OrderLine.objects.filter(order__in=works).order_by("order_id", "line_number")}
    for line in lines.values():
        line.order = works[line.order_id].order
        works[line.order_id].lines.append(line)
    parcels = {row.pk: row for row in Fulfillment.objects.filter(order__in=works).order_by("pk")}
    for parcel in parcels.values():
        parcel.order = works[parcel.order_id].order
        works[parcel.order_id].parcels.append(parcel)
    for content in FulfillmentLine.objects.filter(fulfillment__in=parcels).order_by("pk"):
        content.fulfillment, content.order_line = parcels[content.fulfillment_id], lines[content.order_line_id]
        works[content.fulfillment.order_id].contents.append(content)
    for hold in Hold.objects.filter(order__in=works, lifted_at__isnull=True):
        works[hold.order_id].holds[hold.kind] = hold
    return list(works.values())


def _save_refunds(refunds: list[Refund]) -> None:
    """Insert refunds, or write over what was known of them; each stands once however often it was told."""
    once = {(refund.order.pk, refund.external_id): refund for refund in refunds}
    if once:
        Refund.objects.bulk_create(
            [once[key] for key in sorted(once)],
            update_conflicts=True,
            unique_fields=["order", "external_id"],
            update_fields=REFUND_FACTS,
        )


def save_customers(customers: list[Customer]) -> None:
    """Insert new buyers; one that another worker inserts at the same time is met, not doubled."""
    if customers:
        Customer.objects.bulk_create(
            sorted(customers, key=lambda customer: (customer.channel_id, customer.external_key)),
            update_conflicts=True,
            unique_fields=["channel", "external_key"],
            update_fields=["name"],
        )
