"""Working out a refund on a page of its own: choose what comes back, see what to refund and why. Nothing is written."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from orders.models import Order, OrderLine, Refund
from orders.queries import went_back
from orders.services import refund_quotes
from orders.services.refund_quotes import MOST_LINES, NotWorkedOut, RefundQuote


def view(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for units of each line; when some are named, show what to refund. Reading only, so a GET does it all."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    order = Order.objects.select_related("channel", "customer").filter(pk=pk).first()
    if order is None:
        raise Http404
    told_by = _told_by(order, request.GET.get("refund", ""))
    lines = list(order.lines.filter(is_cancelled=False).select_related("sku").order_by("line_number")[:MOST_LINES])
    typed = _typed(request.GET, lines, told_by)
    context = admin.admin_site.each_context(request) | {
        "title": _("Work out a refund"), "opts": Order._meta, "order": order, "told_by": told_by,
        "told_amount": columns.amount_text(told_by.amount, told_by.currency) if told_by else "",
        "order_url": reverse("admin:orders_order_change", args=[pk]), "rows": _rows(order, lines, typed, told_by),
    }  # fmt: skip
    if any(typed.values()):
        context |= _answer(order, typed, told_by)
    return TemplateResponse(request, "admin/orders/order/refund_quote.html", context)


def address(order_id: int, refund: Refund | None = None) -> str:
    """Return the address of the page, filled with what a refund of the channel names."""
    url = reverse("admin:orders_order_refund_quote", args=[order_id])
    return f"{url}?{urlencode({'refund': refund.pk})}" if refund else url


def figures(quote: RefundQuote) -> list[tuple[Any, str]]:
    """Return the figures from what was paid to what to refund."""
    amounts = [
        (_("The order cost"), quote.paid), (_("What stays costs"), -quote.remaining),
        (_("Went back before"), -quote.earlier),
    ]  # fmt: skip
    currency = quote.order.currency
    shown = [(title, columns.amount_text(amount, currency)) for title, amount in amounts if amount]
    return [*shown, (_("To refund"), columns.amount_text(quote.amount, currency))]


def _answer(order: Order, typed: Mapping[int, str], told_by: Refund | None) -> dict[str, Any]:
    try:
        units = {number: _units(words, number) for number, words in typed.items() if words}
        quote = refund_quotes.work_out(order, units, told_by=told_by)
    except NotWorkedOut as refused:
        return {"refused": columns.sentence(refused.reason.stored()), "wrong_line": refused.line_number}
    return {
        "quote": quote, "figures": figures(quote),
        "reasons": [columns.sentence(one.stored()) for one in quote.reasons],
        "warnings": [columns.sentence(one.stored()) for one in quote.warnings],
        "gifts": [_gift(gift, order.currency) for gift in quote.gifts],
        "amount_without_gifts": columns.amount_text(quote.amount_without_gifts, order.currency),
    }  # fmt: skip


def _gift(gift: refund_quotes.GiftBack, currency: str) -> dict[str, Any]:
    return {"sku": gift.sku, "units": gift.quantity, "code": gift.code,
            "charge": columns.amount_text(gift.charge, currency)}  # fmt: skip


def _rows(
    order: Order, lines: list[OrderLine], typed: Mapping[int, str], told_by: Refund | None
) -> list[dict[str, Any]]:
    before = went_back.earlier(order, lines, but=told_by).units
    return [
        {
            "line": line, "typed": typed[line.line_number], "before": before.get(line.line_number, 0),
            "left": line.quantity - before.get(line.line_number, 0),
            "net": columns.amount_text(line.net_amount, order.currency),
        }
        for line in lines
    ]  # fmt: skip


def _typed(told: Mapping[str, Any], lines: list[OrderLine], told_by: Refund | None) -> dict[int, str]:
    """Return what stands in each line's field: what was typed, or else what the channel's refund names."""
    is_sent = any(f"units-{line.line_number}" in told for line in lines)
    named = {} if is_sent or told_by is None else went_back.units_of([told_by], lines)
    if not is_sent and told_by is not None and not told_by.lines:
        named = {line.line_number: line.quantity for line in lines}
    return {
        line.line_number: str(told.get(f"units-{line.line_number}", "")).strip()[:9]
        if is_sent
        else str(named.get(line.line_number, ""))
        for line in lines
    }


def _units(words: str, number: int) -> int:
    if not (words.isascii() and words.isdecimal()):
        raise NotWorkedOut(refund_quotes.NO_NUMBER, number)
    return int(words)


def _told_by(order: Order, key: str) -> Refund | None:
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        return None
    return order.refunds.filter(pk=key).first()


def beside(refund: Refund) -> dict[str, Any] | None:
    """Return what we work out for a refund that a channel told of, for its own page."""
    quote = refund_quotes.of_refund(refund)
    if quote is None:
        return None
    return {
        "amount": columns.amount_text(quote.amount, refund.currency), "is_same": quote.amount == refund.amount,
        "url": address(refund.order_id, refund),
        "reasons": [columns.sentence(one.stored()) for one in (*quote.reasons, *quote.warnings)],
    }  # fmt: skip
