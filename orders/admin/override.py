"""Choosing other nodes than the router: all candidates with their cost, and a reason."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from audit.admin import columns
from audit.rules.actors import Actor
from orders.models import Order
from orders.queries import attempts
from orders.rules import explaining
from orders.services import overriding
from orders.services.overriding import Option, Refused

MAY_OVERRIDE = "orders.override_routing"
MOST_NODES = 10


class OverrideForm(forms.Form):
    """Why the router is overruled."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


def view(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Show what each node would cost; with nodes and a reason, send the order from them."""
    if not (admin.has_view_permission(request) and request.user.has_perm(MAY_OVERRIDE)):
        raise PermissionDenied
    order = Order.objects.select_related("channel").filter(pk=pk).first()
    if order is None:
        raise Http404
    actor = Actor("person", request.user.get_username())
    ticked = [int(word) for word in request.POST.getlist("nodes") if word.isascii() and word.isdigit()][:MOST_NODES]
    form = OverrideForm(request.POST or None)
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            return _chosen(request, order, ticked, form.cleaned_data["reason"], actor)
        except Refused as error:
            refused = columns.sentence(error.why.stored())
    options = overriding.options(order, at=timezone.now(), actor=actor)
    if not options and not refused:
        refused = gettext("Nodes can be chosen only for orders that are planned and that no node has yet.")
    tried = list(attempts.of_order(order.pk))
    context = admin.admin_site.each_context(request) | {
        "title": _("Choose other nodes"), "opts": Order._meta, "order": order, "form": form, "media": form.media,
        "refused": refused, "rows": [_row(option, ticked) for option in options],
        "tried": [_tried(one) for one in tried],
        "tried_url": f"{reverse('admin:orders_routingattempt_changelist')}?{urlencode({'q': order.number})}",
        "order_url": reverse("admin:orders_order_change", args=[pk]),
    }  # fmt: skip
    return TemplateResponse(request, "admin/orders/order/override.html", context)


def _chosen(request: HttpRequest, order: Order, node_ids: Sequence[int], reason: str, actor: Actor) -> HttpResponse:
    parcels = overriding.choose(order.pk, node_ids, reason=reason, actor=actor, at=timezone.now())
    values = {"parcels": ", ".join(parcels), "nodes": ", ".join(overriding.codes_of(node_ids))}
    messages.success(request, gettext("%(nodes)s sends it now: %(parcels)s.") % values)
    return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.pk]))


def _row(option: Option, ticked: Sequence[int]) -> dict[str, Any]:
    is_plan = option.verdict == "plan"
    first, last = option.arrives
    return {
        "is_plan": is_plan,
        "node_id": option.node_ids[0] if option.node_ids and not is_plan else None,
        "is_ticked": not is_plan and option.node_ids[0] in ticked,
        "nodes": ", ".join(option.nodes) or "–",
        "can": _can(option),
        "parcels": option.parcels,
        "km": f"{option.km:.0f}",
        "arrives": f"{first} – {last}" if first else "–",
        "cost": columns.amount_text(option.cost) if option.parcels else "–",
        "more": "" if is_plan or not option.parcels else f"{option.more:+.2f}",
    }


def _can(option: Option) -> str:
    if option.units_missing == 0:
        return gettext("everything")
    if option.parcels == 0:
        verdict = explaining.VERDICTS.get(option.verdict)
        return columns.sentence(verdict.stored()) if verdict else "–"
    return gettext("lacks %(units)s units") % {"units": option.units_missing}


def _tried(attempt: Any) -> dict[str, Any]:
    return {
        "parcel": attempt.parcel_number,
        "node": attempt.node.code,
        "what": attempt.get_outcome_display(),
        "why": attempt.reason or "–",
        "age": columns.age(attempt.happened_at),
    }
