"""What the single order page shows, ready for its template."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, masking
from inventory.admin import ledger
from inventory.admin.choices import region_name
from inventory.queries import ahead
from orders.admin import explanations, looks, pricing
from orders.models import Fulfillment, Order, ParcelScan, Refund
from orders.queries import one_order
from orders.queries.one_order import MOST_SCANS, Moment, Parts
from orders.services.holds import AUTOMATIC

SEE_PERSONAL = "orders.view_order_personal"
ICONS = {
    "incoming": "move_to_inbox", "movement": "inventory_2", "outgoing": "outbox",
    "received": "add_shopping_cart", "changed": "edit", "priced": "sell", "paid": "payments",
    "allocated": "alt_route", "backordered": "production_quantity_limits", "held": "front_hand",
    "hold_lifted": "lock_open", "reservation_expired": "timer_off", "released": "assignment_turned_in",
    "picking": "shopping_basket", "packed": "package_2", "shipped": "local_shipping", "delivered": "where_to_vote",
    "cancelled": "block", "return_requested": "assignment_return", "returned": "keyboard_return",
    "refunded": "currency_exchange",
}  # fmt: skip
TONES = {
    "held": "red", "backordered": "amber", "cancelled": "grey", "rejected": "red", "parked": "red",
    "needs_person": "red", "shipped": "green", "delivered": "green", "paid": "green", "hold_lifted": "green",
    "reservation_expired": "amber", "waiting": "amber",
}  # fmt: skip
OUTCOMES = {
    "single": (_("One parcel"), "green"), "split": (_("Split"), "violet"), "backordered": (_("Stock missing"), "amber"),
}  # fmt: skip


def context(admin: Any, request: HttpRequest, order: Order) -> dict[str, Any]:
    """Return everything the template needs, in 17 queries at most with those of the login; one more if short."""
    parts = one_order.parts(order)
    expected = _expected(parts)
    may_see = request.user.has_perm(SEE_PERSONAL)
    parcel_admin = admin.admin_site.get_model_admin(Fulfillment)
    return {
        "order": order,
        "parts": parts,
        "status_label": looks.status(order),
        "money_label": columns.label(order.get_money_state_display(), looks.MONEY.get(order.money_state, "grey")),
        "goods_label": columns.label(order.get_goods_state_display(), looks.GOODS.get(order.goods_state, "grey")),
        "deadline_label": columns.deadline(order.ship_by, is_open=looks.is_open(order)),
        "hold_buttons": admin.verb_buttons(request, order, _ways_out(parts)),
        "order_buttons": admin.verb_buttons(request, order, ("hold", "cancel")),
        "holds": [_hold(hold, parts) for hold in parts.open_holds],
        "buyer": buyer(order, may_see=may_see),
        "may_see_personal": may_see,
        "sums": sums(order),
        "pricing": pricing.why(order),
        "lines": [_line(line, order) | {"expected": expected.get(line.line_number, ())} for line in parts.lines],
        "parcels": [_parcel(parcel, parcel_admin.verb_buttons(request, parcel.row)) for parcel in parts.parcels],
        "refunds": [_refund(refund) for refund in parts.refunds],
        "scans": [_scan(scan) for scan in parts.scans],
        "most_scans": MOST_SCANS if len(parts.scans) == MOST_SCANS else None,
        "reservations": [{"row": row, "state": ledger.state_label(row.status)} for row in parts.reservations],
        "decisions": [_decision(decision) for decision in parts.decisions],
        "moments": [_moment(moment) for moment in one_order.timeline(parts)],
        "cases": [{"what": columns.sentence(case.suggestion), "kind": case.kind} for case in parts.cases],
    }


def _ways_out(parts: Parts) -> tuple[str, ...]:
    """Return the verbs that may end the holds: lifting is not for those that end when their cause is gone."""
    by_hand = any(hold.kind not in AUTOMATIC for hold in parts.open_holds)
    by_cause = not parts.open_holds or any(hold.kind in AUTOMATIC for hold in parts.open_holds)
    return ("try_again",) * by_cause + ("lift",) * by_hand


def buyer(order: Order, *, may_see: bool) -> list[tuple[Any, str]]:
    """Return who gets it and where: the recognisable part for everybody, the whole for those who may see it."""
    place = " ".join(filter(None, (region_name(order.region) if order.region else "", order.city, order.district)))
    if may_see:
        name, phone, street = order.recipient_name, order.recipient_phone, order.recipient_address
    else:
        name, phone, street = (
            masking.name(order.recipient_name), masking.phone(order.recipient_phone),
            masking.address(order.recipient_address),
        )  # fmt: skip
    rows = [(_("Recipient"), name), (_("Phone"), phone), (_("Place"), place), (_("Address"), street)]
    if order.buyer_note:
        rows.append((_("Buyer's note"), order.buyer_note if may_see else masking.address(order.buyer_note)))
    if order.seller_note:
        rows.append((_("Seller's note"), order.seller_note))
    return [(title, words) for title, words in rows if words]


def sums(order: Order) -> list[tuple[Any, str]]:
    """Return the amounts, from goods to what was paid."""
    amounts = (
        (_("Goods"), order.goods_amount),
        (_("Discount"), -order.discount_amount),
        (_("Shipping"), order.shipping_amount),
        (_("Total"), order.total_amount),
        (_("Paid"), order.paid_amount),
    )
    return [(title, columns.amount_text(amount, order.currency)) for title, amount in amounts]


def _line(line: Any, order: Order) -> dict[str, Any]:
    is_short = not line.is_cancelled and line.quantity_allocated < line.quantity
    return {
        "row": line,
        "price": columns.amount_text(line.unit_price, order.currency),
        "net": columns.amount_text(line.net_amount, order.currency),
        "allocated_tone": "amber" if is_short else "green",
    }


def _expected(parts: Parts) -> dict[int, list[dict[str, Any]]]:
    """Return what will bring the missing units of each line, when, and where to look."""
    short = [line for line in parts.lines if not line.is_cancelled and line.quantity_allocated < line.quantity]
    lines: dict[int, list[dict[str, Any]]] = {}
    for one in ahead.bringing(short[0].order.number) if short else ():
        page = f"expectedreceipt/{one.expected_id}" if one.expected_id else f"transfer/{one.transfer_id}"
        told = {"units": one.quantity, "date": one.promised_date, "document": one.document}
        url = f"/admin/inventory/{page}/change/" if one.document else ""
        lines.setdefault(one.line_number, []).append(told | {"url": url})
    return lines


def _parcel(parcel: one_order.Parcel, buttons: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "row": parcel.row,
        "node": columns.code_and_name(parcel.row.node),
        "status": looks.parcel_status(parcel.row),
        "contents": parcel.contents,
        "buttons": buttons,
    }


def _refund(refund: Refund) -> dict[str, Any]:
    return {
        "row": refund,
        "amount": columns.amount_text(refund.amount, refund.currency),
        "lines": looks.refund_lines(refund),
        "status": looks.refund_status(refund),
        "at": columns.when(refund.asked_at or refund.received_at),
    }


def _scan(scan: ParcelScan) -> dict[str, Any]:
    return {"row": scan, "state": looks.scan_state(scan), "at": columns.when(scan.scanned_at)}


def _hold(hold: Any, parts: Parts) -> dict[str, Any]:
    suggestion = next((case.suggestion for case in parts.cases if case.kind == hold.kind), None)
    return {
        "kind": hold.get_kind_display(),
        "why": columns.sentence(hold.reason),
        "to_do": columns.sentence(suggestion),
        "age": columns.age(hold.opened_at),
        "by": columns.actor(hold.opened_by),
    }


def _decision(decision: Any) -> dict[str, Any]:
    words, tone = OUTCOMES.get(decision.outcome, (decision.outcome, "grey"))
    return {
        "row": decision,
        "outcome": columns.label(words, tone),
        "headline": explanations.headline(decision),
        "sentences": explanations.sentences(decision.explanation),
        "candidates": explanations.candidates(decision.explanation),
        "at": columns.when(decision.decided_at),
    }


def _moment(moment: Moment) -> dict[str, Any]:
    urls = {"incoming": "channels/inboundmessage", "outgoing": "channels/outboundmessage",
            "movement": "inventory/stockmovement"}  # fmt: skip
    titles = {"incoming": _("Message from the channel"), "outgoing": _("Message to %(channel)s")}
    title = titles.get(moment.source, moment.title)
    if moment.source == "outgoing":
        title = f"{title % {'channel': moment.row.channel.code}}: {moment.title}"
    page = urls.get(moment.source)
    return {
        "at": moment.at,
        "icon": ICONS.get(moment.source) or ICONS.get(moment.kind, "circle"),
        "tone": TONES.get(moment.kind, "blue"),
        "title": title,
        "state": moment.row.get_status_display() if moment.source in ("incoming", "outgoing") else "",
        "detail": moment.detail if isinstance(moment.detail, str) else columns.sentence(moment.detail),
        "actor": columns.actor(moment.actor) if moment.actor and moment.source != "outgoing" else "",
        "url": f"/admin/{page}/{moment.row.pk}/change/" if page else "",
    }
