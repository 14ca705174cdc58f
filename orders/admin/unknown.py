"""“Which SKU is this?”: what nobody knows of an order is said once, and all orders that wait for it go on."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext

from audit.admin import columns
from audit.rules.actors import Actor
from channels.admin import setup_matching, setup_words
from channels.rules.matching import Asked, Guess
from channels.services import matching
from inventory.models import Sku
from orders.models import Hold, Order
from orders.queries import unknown_codes
from orders.queries.unknown_codes import UnknownCode
from orders.services import mapping
from orders.services.mapping import CodeRefused, Mapped

MAY_SEE, MAY_ORDER, MAY_LIST = "orders.view_order", "orders.change_order", "channels.add_listing"


def urls(admin: Any) -> list[URLPattern]:
    """Return the address of the page for the admin of holds."""

    def view(request: HttpRequest) -> HttpResponse:
        return _page(admin, request)

    return [path("which/", admin.admin_site.admin_view(view), name="orders_hold_which")]


def address(order_number: str) -> str:
    """Return where it is said which SKUs an order means."""
    return f"{reverse('admin:orders_hold_which')}?{urlencode({'order': order_number})}"


def _page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Show an order's unknown codes with what they may be; take what a person says of one of them."""
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    may_say = request.user.has_perms((MAY_ORDER, MAY_LIST))
    order = get_object_or_404(Order.objects.select_related("channel"), number=request.GET.get("order", ""))
    found = unknown_codes.of_order(order)
    if request.method == "POST":
        if not may_say:
            raise PermissionDenied
        _take(request, order, [one.code for one in found])
        return HttpResponseRedirect(request.get_full_path())
    guesses = matching.guesses([Asked(one.code, "", one.title) for one in found])
    skus = Sku.objects.in_bulk([guess.sku_id for guess in guesses if guess.sku_id])
    context = admin.admin_site.each_context(request) | {
        "title": gettext("Which SKU is this?"), "opts": Hold._meta, "order": order, "may_say": may_say,
        "codes": [_code(one, guess, skus.get(guess.sku_id or 0)) for one, guess in zip(found, guesses, strict=True)],
        "order_url": reverse("admin:orders_order_change", args=[order.pk]),
        "back": reverse("admin:orders_hold_changelist"),
    }  # fmt: skip
    return TemplateResponse(request, "admin/orders/hold/which.html", context)


def _take(request: HttpRequest, order: Order, codes: list[str]) -> None:
    """Have the service take a code for a SKU, and say what became of the orders."""
    code, typed = request.POST.get("code", ""), request.POST.get("sku", "").strip()
    sku = Sku.objects.filter(pk=setup_matching.known_skus({typed}).get(typed, 0)).first() if typed else None
    if code not in codes:
        messages.warning(request, gettext("This order does not wait for that code any more."))
    elif sku is None:
        messages.error(request, gettext("There is no such SKU: %(codes)s") % {"codes": typed or "–"})
    else:
        actor = Actor("person", request.user.get_username())
        try:
            mapped = mapping.decide(order.channel, code, sku, actor=actor, at=timezone.now())
        except CodeRefused as refused:
            messages.error(request, columns.sentence(refused.reason.stored()))
        else:
            _say(request, code, sku, mapped)


def _say(request: HttpRequest, code: str, sku: Sku, mapped: Mapped) -> None:
    told = {"code": code, "sku": sku.code, "went_on": mapped.went_on}
    messages.success(request, gettext("%(code)s is %(sku)s from now on. %(went_on)s orders went on.") % told)
    if mapped.still_waiting:
        still = {"count": mapped.still_waiting}
        messages.warning(request, gettext("%(count)s orders wait for something else.") % still)
    if mapped.later:
        messages.info(request, gettext("%(count)s more orders go on within minutes.") % {"count": mapped.later})


def _code(one: UnknownCode, guess: Guess, sku: Sku | None) -> dict[str, Any]:
    how = f"{setup_words.matched(guess.by)} {guess.confidence} %" if sku else setup_words.matched("none")
    return {
        "code": one.code, "title": one.title, "orders": one.orders,
        "price": columns.money(one.unit_price, one.currency), "sku": sku.code if sku else "",
        "sku_name": setup_matching.sku_words(sku) if sku else "",
        "mark": columns.label(how, setup_words.MARKS[guess.by]),
    }  # fmt: skip
