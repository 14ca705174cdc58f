"""Step one: messages become orders, or newer facts about known orders.

Facts may come late, twice or in another order than they happened: a message with a lower revision than the order's is
superseded; a change whose order is unknown waits for it and is taken up together with it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from audit.models import rows
from audit.rules.sentences import Sentence, say
from channels.messages import Incoming, IncomingChange, IncomingOrder, IncomingRefund, Untranslatable
from channels.models import Channel, InboundMessage, Listing
from channels.services import connections, inbox
from channels.statuses import InboundStatus
from inventory.models import Sku
from orders.models import Customer, Order
from orders.services import cancellation, checks, facts, refunds
from orders.services.batch import Batch, Work, works_of
from orders.statuses import EventKind, MoneyState
from promotions.services import coupons

OrderKey = tuple[int, str]  # channel id, the channel's order number
RANKS = {IncomingChange: 1, IncomingRefund: 2}  # the order itself comes first
MAX_AMOUNT = Decimal("999999999999")


@dataclass
class _Mail:
    """A message with what it says."""

    message: InboundMessage
    says: Incoming

    @property
    def key(self) -> OrderKey:
        return self.message.channel_id, self.says.external_id


@dataclass
class _Desk:
    """What intake looks things up in, loaded once per batch."""

    works: dict[OrderKey, Work] = field(default_factory=dict)
    skus: dict[tuple[int, str], int] = field(default_factory=dict)  # channel id, channel's SKU code → SKU id
    customers: dict[tuple[int, str], Customer] = field(default_factory=dict)


def take_in(batch: Batch, messages: Sequence[InboundMessage]) -> None:
    """Turn messages into works of the batch, and note for each message what became of it."""
    mails = _translated(batch, messages)
    mails.extend(_translated(batch, _waiting(mails)))
    mails.sort(key=lambda mail: (mail.key, RANKS.get(type(mail.says), 0), mail.says.revision))
    desk = _open_desk(batch, mails)
    for mail in mails:
        batch.outcomes.append(_take(batch, desk, mail))
    batch.new_customers = [customer for customer in desk.customers.values() if customer.pk is None]
    batch.works.extend(desk.works.values())
    batch.learn_parts()


def _translated(batch: Batch, messages: Iterable[InboundMessage]) -> list[_Mail]:
    """Translate each message; those that cannot be understood end here with their reason."""
    mails = []
    spoken: dict[int, connections.Connection] = {}
    for message in messages:
        channel = batch.channels.setdefault(message.channel_id, message.channel)
        if channel.pk not in spoken:
            spoken[channel.pk] = connections.without_secrets(channel)
        try:
            mails.append(_Mail(message, inbox.translate(message, spoken[channel.pk])))
        except Untranslatable as trouble:
            batch.outcomes.append(inbox.Outcome(message.pk, InboundStatus.REJECTED, trouble.code, trouble.reason))
    return mails


def _waiting(mails: Sequence[_Mail]) -> list[InboundMessage]:
    """Return the changes that came before the orders that are in this batch."""
    by_channel: dict[int, list[str]] = {}
    for mail in mails:
        if isinstance(mail.says, IncomingOrder):
            by_channel.setdefault(mail.message.channel_id, []).append(mail.says.external_id)
    return [
        message
        for channel_id, external_ids in by_channel.items()
        for message in inbox.waiting_for(channel_id, external_ids)
    ]


def _open_desk(batch: Batch, mails: Sequence[_Mail]) -> _Desk:
    """Load, for all mails at once, the known orders, SKUs and buyers they speak of."""
    told = [(mail.message.channel_id, mail.says) for mail in mails if isinstance(mail.says, IncomingOrder)]
    desk = _Desk(
        skus=_sku_ids({(channel_id, line.sku_code) for channel_id, says in told for line in says.lines}),
        customers=_customers({(channel_id, says.buyer_key): says for channel_id, says in told}),
    )
    for work in works_of(_known_orders({mail.key for mail in mails})):
        desk.works[work.order.channel_id, work.order.external_id] = work
    refunds.load(desk.works.values())
    return desk


def _known_orders(keys: Collection[OrderKey]) -> list[Order]:
    """Return the orders that exist under these keys, locked in primary-key order."""
    known = rows.keys_of(Order, ("channel_id", "external_id"), keys)
    return list(Order.objects.select_for_update(no_key=True).filter(pk__in=known).order_by("pk"))


def sku_ids(channel_id: int, codes: Iterable[str]) -> dict[tuple[int, str], int]:
    """Return what a channel's codes mean: its listings first, then our own SKU codes."""
    return _sku_ids({(channel_id, code) for code in codes})


def _sku_ids(wanted: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    codes = {code for _channel_id, code in wanted}
    own = dict(Sku.objects.filter(code__in=codes, is_active=True).values_list("code", "pk"))
    meant = {(channel_id, code): own[code] for channel_id, code in wanted if code in own}
    listed = Listing.objects.filter(pk__in=rows.keys_of(Listing, ("channel_id", "external_code"), wanted))
    for channel_id, code, sku_id in listed.values_list("channel_id", "external_code", "sku_id"):
        meant[channel_id, code] = sku_id
    return meant


def _customers(told: Mapping[tuple[int, str], IncomingOrder]) -> dict[tuple[int, str], Customer]:
    """Return the buyers under these keys, new ones not saved yet; an order without a buyer's key has none.

    A tier that the channel tells is the buyer's from now on.
    """
    keyed = {key: says for key, says in told.items() if key[1]}
    known = Customer.objects.filter(pk__in=rows.keys_of(Customer, ("channel_id", "external_key"), keyed))
    buyers = {(customer.channel_id, customer.external_key): customer for customer in known}
    changed = []
    for (channel_id, key), says in keyed.items():
        buyer = buyers.get((channel_id, key))
        if buyer is None:
            buyers[channel_id, key] = Customer(
                channel_id=channel_id, external_key=key, name=says.buyer_name, tier=says.member_tier
            )
        elif says.member_tier not in ("", buyer.tier):
            buyer.tier = says.member_tier
            changed.append(buyer)
    rows.update(changed, ("tier",))
    return buyers


def _take(batch: Batch, desk: _Desk, mail: _Mail) -> inbox.Outcome:
    """Act on one mail and return what became of its message."""
    work = desk.works.get(mail.key)
    if isinstance(mail.says, IncomingChange):
        return _take_change(batch, work, mail.message, mail.says)
    if isinstance(mail.says, IncomingRefund):
        return _take_refund(batch, work, mail.message, mail.says)
    if not isinstance(mail.says, IncomingOrder):
        reason = say("The hub does not act on messages of this kind.")
        return inbox.Outcome(mail.message.pk, InboundStatus.REJECTED, "not_taken", reason)
    if work is None:
        total = _total_of(mail.says)
        if not 0 <= total < MAX_AMOUNT:
            reason = say("The order's total of %(total)s cannot be right.", total=str(total))
            return inbox.Outcome(mail.message.pk, InboundStatus.REJECTED, "bad_total", reason)
        work = desk.works[mail.key] = _new_work(batch, desk, mail.message.channel, mail.says)
    elif mail.says.revision <= work.order.revision:
        return _superseded(mail.message, work.order)
    else:
        was_closed = cancellation.is_closed(work.order)
        facts.apply_order(batch, work, refunds.without_refunded(work, mail.says), desk.skus)
        refunds.settle(batch, work)
        if was_closed:
            refunds.ask_again(batch, work)
    return _done(mail.message, work, mail.says.remarks)


def _take_change(batch: Batch, work: Work | None, message: InboundMessage, says: IncomingChange) -> inbox.Outcome:
    if work is None:
        reason = say("The order %(number)s has not come yet; this is kept for it.", number=says.external_id)
        return inbox.Outcome(message.pk, InboundStatus.WAITING, "before_its_order", reason)
    if facts.is_old_news(work.order, says):
        return _superseded(message, work.order)
    facts.apply_change(batch, work, says)
    return _done(message, work, says.remarks)


def _take_refund(batch: Batch, work: Work | None, message: InboundMessage, says: IncomingRefund) -> inbox.Outcome:
    if work is None:
        reason = say("The order %(number)s has not come yet; this is kept for it.", number=says.external_id)
        return inbox.Outcome(message.pk, InboundStatus.WAITING, "before_its_order", reason)
    if refunds.is_old_news(work, says):
        reason = say("Something newer is known of refund %(number)s.", number=says.refund_id)
        return inbox.Outcome(message.pk, InboundStatus.SUPERSEDED, "older_revision", reason)
    refunds.apply(batch, work, says)
    return _done(message, work, says.remarks)


def _superseded(message: InboundMessage, order: Order) -> inbox.Outcome:
    reason = say("A newer message (revision %(revision)s) was taken before.", revision=order.revision)
    return inbox.Outcome(message.pk, InboundStatus.SUPERSEDED, "older_revision", reason)


def _done(message: InboundMessage, work: Work, remarks: Sequence[Sentence]) -> inbox.Outcome:
    """Return the outcome of a message that was taken; a hold or a mended text is said on the message too."""
    for hold in work.holds.values():
        reason = Sentence(hold.reason["text"], hold.reason["values"])
        return inbox.Outcome(message.pk, InboundStatus.DONE, f"held_{hold.kind}", reason)
    return inbox.Outcome(message.pk, InboundStatus.DONE, "mended" if remarks else "", next(iter(remarks), None))


def _new_work(batch: Batch, desk: _Desk, channel: Channel, says: IncomingOrder) -> Work:
    """Build an order and its lines from the channel's first message about it."""
    order = rows.new(
        Order,
        number=f"{channel.code}-{says.external_id}",
        channel_id=channel.pk,
        external_id=says.external_id,
        revision=says.revision,
        address_revision=says.revision,
        note_revision=says.revision,
        customer=desk.customers.get((channel.pk, says.buyer_key)),
        currency=says.currency,
        shipping_amount=says.shipping_amount,
        buyer_note=says.buyer_note,
        seller_note=says.seller_note,
        placed_at=says.placed_at,
        received_at=batch.at,
        ship_by=says.ship_by,
        method=says.delivery_method.value,
        deliver_by=says.deliver_by,
        priority=channel.priority,
        coupon_codes=coupons.known_codes(says.coupon_codes),
        store_code=says.store,
    )
    facts.set_address(order, says.address)
    work = Work(order=order, lines=[], is_new=True)
    work.lines = [facts.new_line(work, number, line, desk.skus) for number, line in enumerate(facts.lines_of(says), 1)]
    batch.tell(work, EventKind.RECEIVED)
    _settle_money(batch, work, says)
    if says.cancelled_at:
        order.cancelled_at, order.cancel_reason = says.cancelled_at, says.cancel_reason
        order.reserved_until = None
        batch.tell(work, EventKind.CANCELLED)
        return work
    if facts.cancel_if_empty(batch, work):
        return work
    checks.check(batch, work)
    if says.must_not_ship:
        checks.wait_for_channel(batch, work, says.must_not_ship)
    checks.wait_if_sent_elsewhere(batch, work, says.shipped_at)
    return work


def _settle_money(batch: Batch, work: Work, says: IncomingOrder) -> None:
    order, channel = work.order, batch.channels[work.order.channel_id]
    if says.paid_at:
        order.money_state = MoneyState.PAID
        order.paid_at = says.paid_at
        facts.note_paid_amount(batch, work, says.paid_amount)
        order.ship_by = order.ship_by or says.paid_at + timedelta(hours=channel.ship_within_hours)
    else:
        order.reserved_until = says.placed_at + timedelta(minutes=channel.unpaid_minutes)


def _total_of(says: IncomingOrder) -> Decimal:
    goods = sum((line.quantity * line.unit_price - line.discount for line in says.lines), Decimal(0))
    return goods + says.shipping_amount
