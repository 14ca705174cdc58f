"""Rounds of routing: orders as they came, and waiting orders planned again together, with both sides drawn."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.rules.actors import Actor
from orders.models import RoutingRun
from orders.services import reoptimising
from orders.statuses import RoutingKind

TONES = {"online": "grey", "batch": "blue", "reroute": "amber", "override": "violet"}
MAY_PLAN = "orders.override_routing"
HOW = {
    "proven": _("No plan is cheaper: proven."),
    "near": _("Searched to the end."),
    "time": _("Stopped at the time limit."),
    "no_solver": _("Found without the solver, by prices and exchanges."),
}
REFUSED = {
    "changed": _("changed meanwhile"),
    "released": _("released meanwhile"),
    "taken": _("others took the stock or the room"),
}
LEFT_OUT = {
    "lots": _("goods with lots"),
    "lines": _("too many lines"),
    "no_group": _("no group of the policy takes the order"),
    "elsewhere": _("its node may not send it any more"),
}
ASPECTS = (("cost", _("Cost")), ("parcels", _("Parcels")), ("late", _("Late orders")), ("km", _("Kilometres")))


@admin.register(RoutingRun)
class RoutingRunAdmin(MachineAdmin):
    """Every round of planning; of those that planned many orders together, what they saved."""

    change_list_template = "admin/orders/routing_run/list.html"
    list_display = ("what", "decided", "orders_", "saved", "moved_", "gap_", "took")
    list_display_links = None
    list_filter = (filters.choice(_("kind"), "kind", lambda: list(RoutingKind.choices)),)
    ordering = ("-decided_at", "-id")
    sortable_by = ()
    fields = ("what", "decided", "orders_", "sides", "proof", "moves")
    readonly_fields = fields
    empty_hint = _("No round of planning yet. Waiting orders are planned together every two minutes.")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the inputs, which are large, where they are."""
        return super().get_queryset(request).defer("body")

    def get_urls(self) -> list[URLPattern]:
        """Add planning together at once."""
        now = self.admin_site.admin_view(require_POST(self.plan_view))
        return [path("plan/", now, name="orders_routingrun_plan"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the button to those who may use it."""
        more = {"may_plan": request.user.has_perm(MAY_PLAN)}
        answer: HttpResponse = super().changelist_view(request, (extra_context or {}) | more)
        return answer

    def plan_view(self, request: HttpRequest) -> HttpResponse:
        """Plan waiting orders together now, and show what came of it."""
        if not request.user.has_perm(MAY_PLAN):
            raise PermissionDenied
        actor = Actor("person", request.user.get_username())
        run = reoptimising.run(at=timezone.now(), actor=actor, seconds=5.0)
        if run is None:
            messages.info(request, gettext("No order waits that could be planned again, or it is being done already."))
            return HttpResponseRedirect(reverse("admin:orders_routingrun_changelist"))
        return HttpResponseRedirect(reverse("admin:orders_routingrun_change", args=[run.pk]))

    @admin.display(description=_("kind"))
    def what(self, run: RoutingRun) -> SafeString:
        """Show what made the decisions, with a link to the round."""
        url = reverse("admin:orders_routingrun_change", args=[run.pk])
        return format_html(
            '<a href="{}">{}</a>', url, columns.label(run.get_kind_display(), TONES.get(run.kind, "grey"))
        )

    @admin.display(description=_("decided at"))
    def decided(self, run: RoutingRun) -> SafeString:
        """Show when."""
        return columns.when(run.decided_at)

    @admin.display(description=_("orders"))
    def orders_(self, run: RoutingRun) -> SafeString:
        """Show how many orders were planned."""
        return columns.number(run.orders_count)

    @admin.display(description=_("saved"))
    def saved(self, run: RoutingRun) -> SafeString:
        """Show what the moves saved."""
        if not run.result:
            return columns.EMPTY
        return columns.money(run.result["before"]["cost"] - run.result["after"]["cost"])

    @admin.display(description=_("moved"))
    def moved_(self, run: RoutingRun) -> SafeString:
        """Show how many orders go to other nodes."""
        return columns.number(run.result["moved"]) if run.result else columns.EMPTY

    @admin.display(description=_("above the bound"))
    def gap_(self, run: RoutingRun) -> SafeString | str:
        """Show how far the best answer was from what is proven to be the least."""
        return f"{run.result['gap'] * 100:.2f} %" if run.result else columns.EMPTY

    @admin.display(description=_("took"))
    def took(self, run: RoutingRun) -> str:
        """Show how long the round took."""
        return gettext("%(seconds)s s") % {"seconds": f"{run.milliseconds / 1000:.1f}"}

    @admin.display(description=_("before and after"))
    def sides(self, run: RoutingRun) -> SafeString:
        """Draw both sides: as the orders were planned one by one, and as they are planned together."""
        aspects = [_aspect(words, key, run.result) for key, words in ASPECTS] if run.result else []
        return _rendered("sides", {"aspects": aspects})

    @admin.display(description=_("how near the optimum"))
    def proof(self, run: RoutingRun) -> SafeString:
        """Say what is proven about the answer, what was not moved and why."""
        told = run.result
        context = {
            "told": told,
            "how": HOW.get(told.get("how", ""), ""),
            "gap": f"{told['gap'] * 100:.2f}" if told else "",
            "amounts": {key: columns.amount_text(told[key]) for key in ("best", "bound")} if told else {},
            "refused": _counted(told.get("refused", {}), REFUSED),
            "left_out": _counted(told.get("left_out", {}), LEFT_OUT),
        }
        return _rendered("proof", context)

    @admin.display(description=_("moves"))
    def moves(self, run: RoutingRun) -> SafeString:
        """List the orders that go to other nodes, the most saving first."""
        rows = [
            {"number": number, "was": ", ".join(was), "now": ", ".join(now), "saving": columns.amount_text(saving)}
            for number, was, now, saving in run.result.get("moves", ())
        ]
        return _rendered("moves", {"rows": rows, "moved": run.result.get("moved", 0)})


def _aspect(words: Any, key: str, result: dict[str, Any]) -> dict[str, Any]:
    before, after = result["before"][key], result["after"][key]
    most = max(before, after, 1e-9)
    shown = columns.amount_text if key == "cost" else lambda value: f"{value:,.0f}"
    return {
        "words": words,
        "before": shown(before),
        "after": shown(after),
        "before_width": round(100 * before / most),
        "after_width": round(100 * after / most),
        "change": f"{(after - before) / before * 100:+.1f} %" if before else "–",
    }


def _counted(counts: dict[str, int], words: dict[str, Any]) -> list[tuple[Any, int]]:
    return [(words.get(code, code), count) for code, count in sorted(counts.items())]


def _rendered(name: str, context: dict[str, Any]) -> SafeString:
    return SafeString(render_to_string(f"admin/orders/routing_run/{name}.html", context))
