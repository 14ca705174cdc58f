"""A rule tried on ten real orders: as the builder holds it, before anything of it is stored."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from audit.admin import columns
from orders.admin.pricing import OUTCOMES
from orders.models import Backtest
from orders.services import backtests
from promotions.admin import kinds, preview
from promotions.admin.builder_forms import RuleForm
from promotions.services import permissions

NEW = "NEW"  # how a promotion is called while it has no code


def form_view(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """Return the page that tries what the builder's form says on ten of the newest orders; nothing is kept."""

    def view(request: HttpRequest) -> HttpResponse:
        if not permissions.may_try(request.user):
            raise PermissionDenied
        kind = request.POST.get("kind", "")
        if kind not in kinds.KINDS:
            raise Http404
        context = site.each_context(request) | {"title": gettext("Tried on ten orders"), "opts": Backtest._meta}
        context |= _tried(RuleForm(request.POST, kind=kind), request.POST.get("code", "").strip()[:40] or NEW)
        return TemplateResponse(request, "admin/orders/backtest/form.html", context)

    return view


def _tried(form: RuleForm, code: str) -> dict[str, Any]:
    """Return what a form's rule does, or all that is wrong with it: a rule that cannot stand is not tried."""
    if not form.is_valid():
        wrong = [str(error) for errors in form.errors.values() for error in errors]
        return {"code": code, "wrong": wrong}
    wrong = [why for _field, whys in preview.complaints(form.rule(), code) for why in whys]
    return {"code": code, "wrong": wrong, "examples": [] if wrong else shown(backtests.try_recent(form.rule(), code))}


def shown(examples: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return examples of a comparison as a page shows them."""
    rows = []
    for one in examples:
        words, tone = OUTCOMES.get(one["outcome"], (one["outcome"], "grey"))
        gifts = ", ".join(f"{units} × {sku}" for sku, units in one["gifts"])
        told = {"label": columns.label(words, tone), "gifts": gifts, "why": columns.sentence(one["why"])}
        rows.append({**one, **told})
    return rows
