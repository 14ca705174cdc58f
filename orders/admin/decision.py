"""Routing decisions: why these nodes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from orders.admin import explanations, looks, search
from orders.admin.page import OUTCOMES
from orders.models import RoutingDecision


@admin.register(RoutingDecision)
class RoutingDecisionAdmin(MachineAdmin):
    """What the router chose, and what it passed over."""

    list_display = ("order_", "result", "why", "price", "policy", "kind_", "age")
    list_display_links = None
    list_filter = (
        filters.choice(_("outcome"), "outcome", lambda: [(key, words) for key, (words, _t) in OUTCOMES.items()]),
    )
    list_select_related = ("order",)
    search_fields = ("order__number",)
    search_help_text = _("Order, channel or tracking number, phone; or a pasted list")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("order_", "result", "price", "decided", "table")
    readonly_fields = fields
    empty_hint = _("No decisions yet. The router makes one for every order.")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find decisions by what people have at hand of their orders."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(order__in=search.order_keys(search_term)), False

    @admin.display(description=_("order"))
    def order_(self, decision: RoutingDecision) -> SafeString:
        """Show the order, with a link to it."""
        return looks.order_link(decision.order)

    @admin.display(description=_("outcome"))
    def result(self, decision: RoutingDecision) -> SafeString:
        """Show what came out."""
        words, tone = OUTCOMES.get(decision.outcome, (decision.outcome, "grey"))
        return columns.label(words, tone)

    @admin.display(description=_("reason"))
    def why(self, decision: RoutingDecision) -> str:
        """Show why, in words: who sends what, and what the cost is made of."""
        return " ".join(explanations.sentences(decision.explanation)[:2]) or "–"

    @admin.display(description=_("kind"))
    def kind_(self, decision: RoutingDecision) -> str:
        """Show what made the decision, and whether the order is in the pilot."""
        kind = str(decision.get_kind_display())
        return f"{kind} · {_('in the pilot')}" if decision.is_pilot else kind

    @admin.display(description=_("cost"))
    def price(self, decision: RoutingDecision) -> SafeString:
        """Show what it costs."""
        return columns.money(decision.cost)

    @admin.display(description=_("age"))
    def age(self, decision: RoutingDecision) -> SafeString:
        """Show how long ago it was decided."""
        return columns.age(decision.decided_at)

    @admin.display(description=_("decided at"))
    def decided(self, decision: RoutingDecision) -> SafeString:
        """Show when it was decided."""
        return columns.when(decision.decided_at)

    @admin.display(description=_("why these nodes"))
    def table(self, decision: RoutingDecision) -> str:
        """Show why, and every node that was looked at."""
        told = {
            "headline": explanations.headline(decision),
            "sentences": explanations.sentences(decision.explanation),
            "candidates": explanations.candidates(decision.explanation),
        }
        return render_to_string("admin/orders/order/decision.html", told)
