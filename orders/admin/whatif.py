"""What-if runs: asked for by a form, worked off in the background, read as figures, bars and orders."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from audit.admin import columns, governed
from audit.admin.base import MachineAdmin
from audit.rules.actors import Actor
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed
from orders.admin.whatif_forms import VariantFormSet, WhatIfForm
from orders.models import WhatIf, WhatIfVariant
from orders.rules.routing.kpis import per_order
from orders.rules.routing.variants import from_json
from orders.services import policies, whatif
from orders.services.policies import GOVERNED
from orders.services.whatif import NotTried, Wanted
from orders.statuses import BacktestStatus

TONES: Final = {"waiting": "grey", "running": "blue", "done": "green", "stopped": "grey", "failed": "red"}
MAY_ASK: Final = "orders.add_whatif"
SHOWN_NODES: Final = 12
PAGE: Final = 50
# name, title, whether less is better, how it is shown
FIGURES: Final = (
    ("cost", _("Cost an order"), True, "{:,.2f}"), ("parcels", _("Parcels an order"), True, "{:,.3f}"),
    ("kept", _("Promises kept"), False, "{:.1%}"), ("km", _("km an order"), True, "{:,.0f}"),
)  # fmt: skip
SUMS: Final = (
    ("orders", _("Orders")), ("late", _("Late orders")), ("unfilled_orders", _("Orders not filled")),
    ("unfilled_units", _("Units not filled")),
)  # fmt: skip


@admin.register(WhatIf)
class WhatIfAdmin(MachineAdmin):
    """What would have happened with another policy, other nodes, stock, room or weather."""

    list_display = ("title", "state", "progress", "span", "same", "asked")
    list_display_links = None
    search_fields = ("name__icontains",)
    ordering = ("-pk",)
    sortable_by = ()
    empty_hint = _("Nothing was tried yet. Add one and compare policies on past orders.")

    def get_urls(self) -> list[URLPattern]:
        """Add asking, stopping, and sending a winner to approval."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/stop/", wrap(require_POST(self.stop_view)), name="orders_whatif_stop"),
            path("variant/<int:pk>/submit/", wrap(require_POST(self.submit_view)), name="orders_whatif_submit"),
            *super().get_urls(),
        ]

    def frame(self, request: HttpRequest, **facts: Any) -> dict[str, Any]:
        """Return what every page of the desk needs."""
        return self.admin_site.each_context(request) | {"opts": WhatIf._meta} | facts

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add the first variant of each run: every variant knows the parity."""
        found = WhatIfVariant.objects.filter(what_if__in=[row.pk for row in rows], position=1)
        first = {variant.what_if_id: variant for variant in found}
        for row in rows:
            row.first = first.get(row.pk)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may ask for a run."""
        return request.user.has_perm(MAY_ASK)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a run; one more variant is offered by a button, nothing is kept by it."""
        if not request.user.has_perm(MAY_ASK):
            raise PermissionDenied
        data = request.POST.copy() if request.method == "POST" else None
        if data is not None and "add" in data:
            count = data.get("variants-TOTAL_FORMS", "1")
            data["variants-TOTAL_FORMS"] = str(int(count) + 1 if count.isdecimal() else 1)
        now = timezone.localtime().replace(minute=0, second=0, microsecond=0)
        start = {"starts_at": now.replace(hour=0), "ends_at": now + timedelta(hours=1)}
        form, variants = WhatIfForm(data, initial=start), VariantFormSet(data, prefix="variants")
        if data is not None and "add" not in data and form.is_valid() and variants.is_valid():
            answer = self._ask(request, form, variants)
            if answer is not None:
                return answer
        context = self.frame(request, title=gettext("New what-if run"), form=form, variants=variants)
        return TemplateResponse(request, "admin/orders/whatif/new.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a run: how far it is, the parity, the figures side by side, and the orders that go otherwise."""
        row = get_object_or_404(WhatIf, pk=governed.number(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        found = list(row.variants.order_by("position"))
        chosen = next((one for one in found if str(one.pk) == request.GET.get("variant", "")), None)
        shown = chosen or (found[0] if found else None)
        context = self.frame(
            request, title=row.name, row=row, state=self.state(row), progress=self.progress(row),
            span=self.span(row), is_open=row.status in whatif.OPEN, why=columns.sentence(row.why) if row.why else "",
            parity=_parity(found), table=_table(found), nodes=_nodes(found), shown=shown,
            differences=_differences(shown, request.GET.get("page", "1")), may_ask=request.user.has_perm(MAY_ASK),
        )  # fmt: skip
        return TemplateResponse(request, "admin/orders/whatif/page.html", context)

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop one that waits or runs."""
        if not request.user.has_perm(MAY_ASK):
            raise PermissionDenied
        if not whatif.stop(pk, at=timezone.now()):
            messages.warning(request, gettext("It has ended already."))
        return HttpResponseRedirect(reverse("admin:orders_whatif_change", args=[pk]))

    def submit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a variant's policy the next version of the acting policy and ask for its approval."""
        variant = get_object_or_404(WhatIfVariant.objects.select_related("what_if"), pk=pk)
        if not request.user.has_perm("orders.change_routingpolicy"):
            raise PermissionDenied
        user: Any = request.user
        policy = from_json(variant.changes).policy
        reason = gettext("Won “%(name)s”") % {"name": variant.what_if.name}
        try:
            if policy is None:
                raise NotAllowed(policies.NOTHING_NEW)
            version = policies.submit_winner(policy, Deed(user, timezone.now(), reason[:200]))
        except NotAllowed as refused:
            messages.error(request, columns.sentence(refused.reason.stored()))
            return HttpResponseRedirect(reverse("admin:orders_whatif_change", args=[variant.what_if_id]))
        messages.success(request, gettext("It waits for approval now."))
        return HttpResponseRedirect(GOVERNED.url(version))

    def _ask(self, request: HttpRequest, form: WhatIfForm, variants: Any) -> HttpResponse | None:
        told = form.cleaned_data
        named = {one.cleaned_data["name"]: one.changes() for one in variants if one.cleaned_data.get("name")}
        try:
            asked = whatif.ask(
                Wanted(told["name"], told["starts_at"], told["ends_at"], named),
                actor=Actor("person", request.user.get_username()), at=timezone.now(),
            )  # fmt: skip
        except NotTried as refused:
            form.add_error(None, columns.sentence(refused.reason.stored()))
            return None
        return HttpResponseRedirect(reverse("admin:orders_whatif_change", args=[asked.pk]))

    @admin.display(description=_("name"))
    def title(self, row: WhatIf) -> SafeString:
        """Show what it is called, with a link to what was found."""
        return columns.link(reverse("admin:orders_whatif_change", args=[row.pk]), row.name)

    @admin.display(description=_("status"))
    def state(self, row: WhatIf) -> SafeString:
        """Show how far it is."""
        return columns.label(row.get_status_display(), TONES.get(row.status, "grey"))

    @admin.display(description=_("rounds"))
    def progress(self, row: WhatIf) -> SafeString:
        """Show how many recorded rounds were decided again, as a bar while it runs."""
        if row.status != BacktestStatus.RUNNING:
            return format_html("{}", f"{row.steps_done:,}")
        return format_html(
            '<progress max="{}" value="{}"></progress> {} / {}',
            max(1, row.steps_total), row.steps_done, row.steps_done, row.steps_total,
        )  # fmt: skip

    @admin.display(description=_("decided"))
    def span(self, row: WhatIf) -> str:
        """Show of which time the decisions are."""
        first, last = timezone.localtime(row.starts_at), timezone.localtime(row.ends_at)
        return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"

    @admin.display(description=_("parity"))
    def same(self, row: WhatIf) -> SafeString | str:
        """Show which share of the decisions came out as they were, with nothing changed."""
        first = getattr(row, "first", None)
        told = _parity([first] if first else [])
        return told["percent"] if told else columns.EMPTY

    @admin.display(description=_("asked at"))
    def asked(self, row: WhatIf) -> SafeString:
        """Show when it was asked for."""
        return columns.when(row.asked_at)


def _parity(found: list[WhatIfVariant]) -> dict[str, Any] | None:
    """Return how many decisions came out as they were; all variants have the same figure."""
    told = next((one.result["parity"] for one in found if one.result), None)
    if told is None:
        return None
    share = told["same"] / told["decisions"] if told["decisions"] else 1.0
    return told | {"percent": f"{share:.2%}", "is_whole": told["same"] == told["decisions"]}


def _table(found: list[WhatIfVariant]) -> dict[str, Any] | None:
    """Return the figures as rows, the first column as it was."""
    done = [one for one in found if one.result]
    if not done:
        return None
    sides = [done[0].result["was"], *(one.result for one in done)]
    means = [per_order(side) for side in sides]
    rows = [
        _row(title, [mean[name] for mean in means], form, is_less_better=less) for name, title, less, form in FIGURES
    ]
    rows += [_row(title, [side[name] for side in sides], "{:,}", is_less_better=True) for name, title in SUMS]
    rows.append(_row(_("Cost"), [side["cost"] for side in sides], "{:,.2f}", is_less_better=True))
    return {"variants": done, "rows": rows}


def _row(title: Any, values: list[float], form: str, *, is_less_better: bool) -> dict[str, Any]:
    was, most = values[0], max([abs(value) for value in values], default=0) or 1
    return {
        "title": title,
        "cells": [
            {
                "value": form.format(value),
                "share": round(100 * abs(value) / most),
                "change": "" if place == 0 or not was else f"{(value - was) / abs(was):+.1%}",
                "tone": "" if place == 0 or value == was else "good" if (value < was) == is_less_better else "bad",
            }
            for place, value in enumerate(values)
        ],
    }


def _nodes(found: list[WhatIfVariant]) -> dict[str, Any] | None:
    """Return parcels by node, those with most work first."""
    done = [one for one in found if one.result]
    if not done:
        return None
    sides = [done[0].result["was"]["by_node"], *(one.result["by_node"] for one in done)]
    most = {code: max(side.get(code, 0) for side in sides) for side in sides for code in side}
    codes = sorted(most, key=lambda code: (-most[code], code))[:SHOWN_NODES]
    highest = max((most[code] for code in codes), default=1) or 1
    rows = [
        {"code": code, "cells": [{"value": f"{side.get(code, 0):,}", "share": round(100 * side.get(code, 0) / highest)}
                                 for side in sides]}
        for code in codes
    ]  # fmt: skip
    return {"variants": done, "rows": rows, "more": max(0, len(most) - len(codes))}


def _differences(variant: WhatIfVariant | None, page: str) -> Any:
    """Return a page of the orders that a variant sends otherwise, the biggest savings first."""
    if variant is None or not variant.result:
        return None
    rows = variant.differences.select_related("order").order_by("-saving", "pk")
    return Paginator(rows, PAGE).get_page(page)
