"""What nodes did not send, and how far they are trusted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import say
from inventory.admin import choices
from orders.admin import looks, search
from orders.models import NodeStanding, RoutingAttempt
from orders.rules import standing
from orders.services import rerouting
from orders.statuses import AttemptOutcome

TONES = {"rejected": "red", "timed_out": "red", "short_pick": "amber", "stock_gone": "amber"}


def forgive(rows: Sequence[RoutingAttempt], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Let orders go to these nodes again."""
    count = rerouting.forgive([row.pk for row in rows], actor=actor, at=at)
    return Answer(say("%(count)s nodes may try again. “Try again” on the order plans it.", count=count))


def is_held_against(attempt: RoutingAttempt) -> bool:
    """Return whether a failure still keeps its order from the node."""
    return attempt.forgiven_at is None


@admin.register(RoutingAttempt)
class RoutingAttemptAdmin(MachineAdmin):
    """Parcels that nodes had and did not send."""

    list_display = ("order_", "parcel_number", "place", "what", "reason", "when", "who", "again")
    list_display_links = None
    list_filter = (
        filters.choice(_("node"), "node", choices.nodes),
        filters.choice(_("outcome"), "outcome", lambda: AttemptOutcome.choices),
    )
    list_select_related = ("order", "node")
    search_fields = ("order__number",)
    search_help_text = _("Order, channel or tracking number, phone; or a pasted list")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("order_", "parcel_number", "place", "what", "reason", ("when", "who"), "again")
    readonly_fields = ("order_", "place", "what", "when", "who", "again")
    empty_hint = _("No node has failed a parcel yet.")
    verbs = (Verb("forgive", _("Allow the node again"), forgive, icon="replay", is_offered=is_held_against),)

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those decide who may choose nodes against the router."""
        return request.user.has_perm("orders.override_routing")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find attempts by what people have at hand of their orders."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(order__in=search.order_keys(search_term)), False

    @admin.display(description=_("order"))
    def order_(self, attempt: RoutingAttempt) -> SafeString:
        """Show the order, with a link to it."""
        return looks.order_link(attempt.order)

    @admin.display(description=_("node"))
    def place(self, attempt: RoutingAttempt) -> SafeString:
        """Show which node it was."""
        return columns.code_and_name(attempt.node)

    @admin.display(description=_("outcome"))
    def what(self, attempt: RoutingAttempt) -> SafeString:
        """Show what went wrong."""
        return columns.label(attempt.get_outcome_display(), TONES.get(attempt.outcome, "grey"))

    @admin.display(description=_("age"))
    def when(self, attempt: RoutingAttempt) -> SafeString:
        """Show how long ago it was."""
        return columns.age(attempt.happened_at)

    @admin.display(description=_("by"))
    def who(self, attempt: RoutingAttempt) -> str:
        """Show who told us."""
        return columns.actor(attempt.told_by)

    @admin.display(description=_("allowed again"))
    def again(self, attempt: RoutingAttempt) -> SafeString:
        """Show who lets the order go there again."""
        if attempt.forgiven_at is None:
            return columns.EMPTY
        return format_html("{} · {}", columns.actor(attempt.forgiven_by), columns.age(attempt.forgiven_at))


@admin.register(NodeStanding)
class NodeStandingAdmin(MachineAdmin):
    """How far each node is trusted with work now."""

    list_display = ("place", "bar", "refused", "accepted", "when", "history_")
    list_display_links = None
    list_filter = (filters.choice(_("node"), "node", choices.nodes),)
    list_select_related = ("node",)
    search_fields = ("node__code", "node__name")
    ordering = ("score", "pk")
    sortable_by = ()
    fields = ("place", "bar", ("refused", "accepted"), "when", "history_")
    readonly_fields = ("place", "bar", "when", "history_")
    empty_hint = _("No node has sent or failed a parcel yet.")

    @admin.display(description=_("node"))
    def place(self, row: NodeStanding) -> SafeString:
        """Show which node it is."""
        return columns.code_and_name(row.node)

    @admin.display(description=_("standing now"))
    def bar(self, row: NodeStanding) -> SafeString:
        """Draw what the standing has come back to by now."""
        share = round(100 * standing.recovered(row.score, row.changed_at, timezone.now()))
        tone = "red" if share < 60 else "amber" if share < 85 else "green"
        return format_html(
            '<span class="bar"><i class="bar-{}" style="width:{}%"></i></span> {}', tone, share, f"{share / 100:.2f}"
        )

    @admin.display(description=_("last change"))
    def when(self, row: NodeStanding) -> SafeString:
        """Show when it changed last."""
        return columns.age(row.changed_at)

    @admin.display(description=_("failures"))
    def history_(self, row: NodeStanding) -> SafeString:
        """Lead to what the node did not send."""
        return columns.link(f"/admin/orders/routingattempt/?node={row.node_id}", _("Show failures"))
