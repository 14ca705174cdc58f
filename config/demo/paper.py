"""Writing one past order down: the rows that the live pipeline would have left, table by table."""

import json
from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from random import Random

from audit.rules.sentences import Sentence, say
from channels.simulators.taobao_trades import BETWEEN_LINES
from config.demo import life
from config.demo.baskets import Line, shipping
from config.demo.catalogue import DemoSku
from config.demo.past import Past, PastParcel
from config.demo.tape import NULL, Tape, money, stamp
from config.demo.warehouse import Warehouse, day_of
from orders.rules import progress
from orders.rules.routing.facts import Item

PIPELINE, NODES_SYSTEM, DESK = "job:pipeline", "channel:WMS", "person:desk"
FULL_STORY_DAYS = 60  # older orders keep their main events
_CANCEL_REASONS = ("不想要了", "拍错了规格", "收货信息填错", "价格下降", "其他")
_RETURN_REASONS = ("七天无理由", "尺码不合适", "与描述不符", "包装破损", "质量问题")
_TRUE, _FALSE = "t", "f"


def _stored(sentence: Sentence) -> str:
    """Return a sentence as it lies in its column."""
    return json.dumps(sentence.stored(), ensure_ascii=False)


# Codes and numbers hold nothing that JSON would escape, so they are put into ready sentences.
_PARCEL = _stored(say("Parcel %(number)s", number="<n>"))
_SENT = _stored(say("Parcel %(number)s with %(carrier)s %(tracking)s", number="<n>", carrier="<c>", tracking="<t>"))


class Scribe:
    """Writes past orders onto a tape and the stock they took into the warehouse."""

    def __init__(self, tape: Tape, house: Warehouse, names: dict[str, list[tuple[str, str]]], seed: int) -> None:
        """``names`` holds for each channel code the external code and title of every SKU of the catalogue."""
        self._tape = tape
        self._house = house
        self._skus: Sequence[DemoSku] = house.skus
        self._names = names
        self._rng = Random(f"{seed}/scribe")
        self._not_serving: dict[str, str] = {}
        self._from_nodes: dict[str, str] = {}

    def write(self, past: Past) -> None:
        """Write an order with all its parts."""
        if not past.buyer.customer_id:
            past.buyer.customer_id = self._tape.add(
                "orders_customer", f"{past.channel_id}\t{past.buyer.key}\t{past.buyer.name}"
            )
        amounts = _amounts(past)
        order_id = self._order(past, amounts)
        line_ids = [self._line(past, order_id, number, line) for number, line in enumerate(past.lines, start=1)]
        for parcel in past.parcels:
            self._parcel(past, parcel, order_id, line_ids)
        self._decision(past, order_id)
        events = self._events(past)
        if past.way_back:
            events += self._return(past, order_id, line_ids)
        for at, kind, actor, detail in sorted(events, key=itemgetter(0)):
            self._tape.add("orders_orderevent", f"{order_id}\t{kind}\t{stamp(at)}\t{actor}\t{detail}")

    def _order(self, past: Past, amounts: tuple[int, int, int]) -> int:
        goods, discount, sending = amounts
        total = goods - discount + sending
        start, buyer, place = past.start, past.buyer, past.buyer.place
        state, paid = past.goods_state, past.money_state()
        left = [parcel.journey.shipped for parcel in past.parcels if parcel.has("shipped")]
        arrived = [parcel.journey.delivered for parcel in past.parcels if parcel.has("delivered")]
        delivered = max(arrived) if arrived and len(arrived) == len(past.parcels) else 0
        ship_by = start.paid + past.channel.ship_within_hours * life.HOUR if past.is_paid else 0
        holds_until = 0 if past.is_paid or past.is_over else start.placed + past.channel.unpaid_minutes * life.MINUTE
        ending = start.ending if past.is_over else 0
        revision = max(start.placed, ending) * 1000
        city = place.city + ("市" if place.country == "CN" else "")
        return self._tape.add(
            "orders_order",
            f"{past.number}\t{past.channel_id}\t{past.external_id}\t{revision}\t{revision}\t{revision}"
            f"\t{buyer.customer_id}\t{progress.order_status(state, paid, 0)}\t{paid}\t{state}\t0"
            f"\t{past.channel.currency}\t{money(goods)}\t{money(discount)}\t{money(sending)}\t{money(total)}"
            f"\t{money(total if past.is_paid else 0)}\t{place.country}\t{place.region}\t{city}\t{buyer.district}"
            f"\t{buyer.name}\t{buyer.phone}\t{buyer.line}\t{buyer.token}\t\t\t{stamp(start.placed)}"
            f"\t{stamp(start.received)}\t{stamp(start.paid if past.is_paid else 0)}\t{stamp(ship_by)}"
            f"\t{stamp(holds_until)}\t{stamp(min(left, default=0))}\t{stamp(delivered)}\t{stamp(ending)}"
            f"\t{self._why_over(past)}",
        )

    def _why_over(self, past: Past) -> str:
        if not past.is_over:
            return ""
        return self._rng.choice(_CANCEL_REASONS) if past.is_paid else "超时未付款"

    def _line(self, past: Past, order_id: int, number: int, line: Line) -> int:
        code, title = self._names[past.channel.code][line.place]
        net = line.price * line.quantity - line.discount
        taken = 0 if past.is_over else line.quantity
        return self._tape.add(
            "orders_orderline",
            f"{order_id}\t{number}\t{_line_id(past, number)}\t{code}\t{line.place + 1}\t{title}\t{line.quantity}"
            f"\t{taken}\t{past.shipped_units(number) if taken else 0}\t{money(line.price)}\t{money(line.discount)}"
            f"\t{money(net)}\t{_TRUE if line.is_gift else _FALSE}\t{_FALSE}",
        )

    def _parcel(self, past: Past, parcel: PastParcel, order_id: int, line_ids: Sequence[int]) -> None:
        journey, start, node_id = parcel.journey, past.start, parcel.plan.node_id
        has_left = parcel.has("shipped")
        released = start.released if past.is_paid and start.released <= past.until else 0
        parcel_id = self._tape.add(
            "orders_fulfillment",
            f"{parcel.number}\t{order_id}\t{node_id}\t{parcel.status}\t{stamp(start.allocated)}\t{stamp(released)}"
            f"\t{stamp(journey.packed) if parcel.has('packed') else NULL}"
            f"\t{stamp(journey.shipped) if has_left else NULL}"
            f"\t{stamp(journey.delivered) if parcel.has('delivered') else NULL}"
            f"\t{journey.carrier if has_left else ''}\t{journey.tracking if has_left else ''}",
        )
        for item in parcel.plan.items:
            self._tape.add(
                "orders_fulfillmentline",
                f"{parcel_id}\t{line_ids[item.line_number - 1]}\t{item.sku_id}\t{item.quantity}",
            )
            self._reservation(past, parcel, item)

    def _reservation(self, past: Past, parcel: PastParcel, item: Item) -> None:
        """Write what was promised, and what became of it: sent, given back, or still waiting."""
        key = f"{parcel.number}/{item.line_number}/{item.sku_id}"
        node_id, term = parcel.plan.node_id, 0
        if not past.is_paid:
            term = past.start.placed + past.channel.unpaid_minutes * life.MINUTE
        if parcel.has("shipped"):
            status, closed = "consumed", parcel.journey.shipped
            self._house.send(
                (item.sku_id, node_id), item.quantity, key=f"shipment:{key}", reference=parcel.number, at=closed
            )
        elif past.is_over:
            status, closed = "released", past.start.ending
            self._house.come_back(day_of(closed), item.sku_id, node_id, item.quantity)
        else:
            status, closed = "active", 0
            self._house.reserved[item.sku_id, node_id] += item.quantity
        self._house.gone[item.sku_id, node_id] += item.quantity
        self._tape.add(
            "inventory_reservation",
            f"{key}\t{parcel.number}\t{item.sku_id}\t{node_id}\t{item.quantity}\t{status}"
            f"\t{stamp(past.start.allocated)}\t{stamp(term)}\t{stamp(closed)}",
        )

    def _decision(self, past: Past, order_id: int) -> None:
        verdicts = past.verdicts
        region = past.buyer.place.region
        far = self._not_serving.get(region)
        if far is None:
            far = self._not_serving[region] = json.dumps(verdicts.not_serving)
        parcels = ", ".join(
            f'["{plan.node_code}", {plan.distance_km}, {plan.cost}, {sum(item.quantity for item in plan.items)}]'
            for plan in (parcel.plan for parcel in past.parcels)
        )
        outcome = "split" if len(past.parcels) > 1 else "single"
        self._tape.add(
            "orders_routingdecision",
            f"{order_id}\t{stamp(past.start.allocated)}\t{past.policy}\t{outcome}\t{past.cost:.2f}\t"
            f'{{"parcels": [{parcels}], "missing": [], "able": {_listed(verdicts.able)}, '
            f'"short": {_listed(verdicts.short)}, "full": {json.dumps(verdicts.full)}, '
            f'"not_serving": {far}, "inactive": []}}',
        )

    def _events(self, past: Past) -> list[tuple[int, str, str, str]]:
        start = past.start
        events = [
            (start.received, "received", PIPELINE, "{}"),
            (start.allocated, "allocated", PIPELINE, self._nodes_named(past)),
        ]
        if past.is_paid and start.paid > start.received:
            events.append((start.paid, "paid", PIPELINE, "{}"))
        if past.is_paid and start.released <= past.until:
            events.append((start.released, "released", PIPELINE, _parcels_counted(len(past.parcels))))
        if past.is_over:
            events += self._last_events(past)
        is_young = past.until - start.placed < FULL_STORY_DAYS * life.DAY
        for parcel in past.parcels:
            events += _parcel_events(parcel, with_picking=is_young)
        return events

    def _last_events(self, past: Past) -> list[tuple[int, str, str, str]]:
        start = past.start
        if past.is_paid:
            return [(start.ending, "cancelled", DESK, "{}"), (start.ending + 1, "refunded", DESK, "{}")]
        term = start.placed + past.channel.unpaid_minutes * life.MINUTE
        return [(term, "reservation_expired", "job:expiry", "{}"), (start.ending, "cancelled", PIPELINE, "{}")]

    def _nodes_named(self, past: Past) -> str:
        nodes = ", ".join(parcel.plan.node_code for parcel in past.parcels)
        detail = self._from_nodes.get(nodes)
        if detail is None:
            detail = self._from_nodes[nodes] = _stored(say("From %(nodes)s", nodes=nodes))
        return detail

    def _return(self, past: Past, order_id: int, line_ids: Sequence[int]) -> list[tuple[int, str, str, str]]:
        """Write a return of one line, and the units that came back to the node that had sent them."""
        back = past.way_back
        item = _returned_item(past, self._skus)
        if back is None or item is None or back.requested > past.until:
            return []
        parcel, what = item
        line = past.lines[what.line_number - 1]
        received, refunded = past.happened(back.received), past.happened(back.refunded)
        status = "refunded" if refunded else ("received" if received else "requested")
        refund = (line.price * line.quantity - line.discount) * what.quantity // line.quantity
        self._tape.add(
            "orders_return",
            f"{order_id}\t{line_ids[what.line_number - 1]}\t{parcel.plan.node_id}\t{status}\t{what.quantity}"
            f"\t{self._rng.choice(_RETURN_REASONS)}\t{money(refund)}\t{stamp(back.requested)}\t{stamp(received)}"
            f"\t{stamp(refunded)}",
        )
        if received:
            reference = f"{parcel.number}/{what.line_number}"
            place = (what.sku_id, parcel.plan.node_id)
            self._house.welcome_back(place, what.quantity, reference=reference, at=received)
        steps = (("return_requested", back.requested), ("returned", received), ("refunded", refunded))
        return [(at, kind, DESK, "{}") for kind, at in steps if at]


def _line_id(past: Past, number: int) -> str:
    """Return the channel's number of a line: Taobao numbers lines like trades, the others count them."""
    if past.channel.adapter == "taobao":
        return str(int(past.external_id) + (number - 1) * BETWEEN_LINES)
    return str(number)


@cache
def _parcels_counted(parcels: int) -> str:
    return _stored(say("%(parcels)s parcels", parcels=parcels))


def _listed(entries: Sequence[tuple[str, float, float]]) -> str:
    """Return verdicts (code, kilometres, cost or units) as JSON."""
    return "[" + ", ".join([f'["{code}", {km}, {figure}]' for code, km, figure in entries]) + "]"


def _amounts(past: Past) -> tuple[int, int, int]:
    goods = sum(line.price * line.quantity for line in past.lines)
    discount = sum(line.discount for line in past.lines)
    return goods, discount, 0 if past.channel.code == "POS" else shipping(goods - discount)


def _parcel_events(parcel: PastParcel, *, with_picking: bool) -> list[tuple[int, str, str, str]]:
    journey = parcel.journey
    detail = _PARCEL.replace("<n>", parcel.number)
    events = []
    if with_picking:
        if parcel.has("picking"):
            events.append((journey.picking, "picking", NODES_SYSTEM, detail))
        if parcel.has("packed"):
            events.append((journey.packed, "packed", NODES_SYSTEM, detail))
    if parcel.has("shipped"):
        sent = _SENT.replace("<n>", parcel.number).replace("<c>", journey.carrier).replace("<t>", journey.tracking)
        events.append((journey.shipped, "shipped", NODES_SYSTEM, sent))
    if parcel.has("delivered"):
        events.append((journey.delivered, "delivered", NODES_SYSTEM, detail))
    return events


def _returned_item(past: Past, skus: Sequence[DemoSku]) -> tuple[PastParcel, Item] | None:
    """Return the first single that was sold for money: bundles and presents are kept."""
    for parcel in past.parcels:
        for item in parcel.plan.items:
            line = past.lines[item.line_number - 1]
            if not line.is_gift and skus[line.place].kind == "single" and parcel.has("delivered"):
                return parcel, item
    return None
