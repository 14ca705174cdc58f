"""Channels with how they are doing, and what they call our SKUs. Credentials go in and never come out."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from audit.admin.reasons import WhyForm
from channels.adapters import registry
from channels.admin import choices, convergence, endpoint, health, promised, setup_words
from channels.models import Channel, InboundMessage, Listing, PullCursor
from channels.services import reconciliation
from channels.statuses import InboundStatus

SPEED = _("Stock speed")
TO_DO = (InboundStatus.RECEIVED, InboundStatus.WAITING, InboundStatus.PARKED)


def _is_told_stock(channel: Channel) -> bool:
    able = registry.BY_NAME[channel.adapter].capabilities if channel.adapter in registry.BY_NAME else None
    return able is not None and (able.stock_set or able.stock_delta)


class SecretField(forms.JSONField):
    """JSON that goes in and does not come out: the box is empty whatever is stored."""

    def prepare_value(self, value: Any) -> str:
        """Show nothing but what was just typed."""
        return value if isinstance(value, str) else ""


class ChannelForm(WhyForm):
    """A channel; its credentials can be replaced but not read."""

    new_credentials = SecretField(
        label=_("New credentials"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("JSON. Replaces what is stored; leave empty to keep it. What is stored is never shown."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "adapter" in self.fields:
            words = [(name, setup_words.platform(name)) for name in sorted(registry.BY_NAME)]
            field = forms.ChoiceField(label=_("adapter"), choices=words, widget=UnfoldAdminSelectWidget)
            field.help_text = _("Which code speaks with it.")
            self.fields["adapter"] = field

    def clean_new_credentials(self) -> Any:
        """Accept names and values only."""
        value = self.cleaned_data["new_credentials"]
        if value is not None and not isinstance(value, dict):
            raise forms.ValidationError(_("Credentials are an object: names and values."))
        return value

    def save(self, commit: bool = True) -> Any:
        """Put new credentials on the row, if any were given."""
        if self.cleaned_data.get("new_credentials") is not None:
            self.instance.credentials = self.cleaned_data["new_credentials"]
        return super().save(commit)


@admin.register(Channel)
class ChannelAdmin(health.HealthColumns, endpoint.EndpointPages, AuditedAdmin):
    """Shops, tills and systems we talk to."""

    form = ChannelForm
    list_display = (
        "code",
        "title",
        "platform",
        "adapter",
        "pulled",
        "found_again",
        "waiting",
        "health_state",
        "active",
    )
    list_select_related = ("health",)
    search_fields = ("code", "name", "name_en", "platform")
    ordering = ("code",)
    sortable_by = ("code",)
    exclude = ("credentials",)
    readonly_fields = (
        "has_credentials", "found_again", "looked_again", "stock_speed", *health.READ_ONLY, *endpoint.READ_ONLY,
    )  # fmt: skip
    verbs = (endpoint.SEND_TEST,)
    fieldsets = (
        (None, {"fields": (("code", "platform"), ("name", "name_en"), "is_active")}),
        (_("Connection"), {"fields": (
            ("adapter", "currency"), "base_url", "has_credentials", "new_credentials", "options",
        )}),
        *endpoint.FIELDSETS,
        *health.FIELDSETS,
        (_("Looking again"), {"fields": (("found_again", "looked_again"),)}),
        (SPEED, {"fields": ("stock_speed",)}),
        (_("Promises"), {"fields": (("unpaid_minutes", "ship_within_hours"), ("priority", "nodes"))}),
    )  # fmt: skip
    empty_hint = _("No channels yet. Add the first shop or system to talk to.")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that says what channels may sell of a SKU."""
        return promised.urls(self) + super().get_urls()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Use the form that hides credentials."""
        return super().get_form(request, obj, change, **(kwargs | {"form": ChannelForm}))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what a channel has not, what the reader may not see, and new credentials for those who look."""
        missing = {health.CALLS} if obj is None else set()
        if obj is None or not endpoint.is_endpoint(obj):
            missing.add(endpoint.WEBHOOK)
        if obj is None or not _is_told_stock(obj) or not request.user.has_perm("channels.view_listingstock"):
            missing.add(SPEED)
        fieldsets = [part for part in super().get_fieldsets(request, obj) if part[0] not in missing]
        if self.has_change_permission(request, obj) or (obj is None and self.has_add_permission(request)):
            return fieldsets
        return [
            (name, part | {"fields": [field for field in part["fields"] if field != "new_credentials"]})
            for name, part in fieldsets
        ]

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add when each channel was pulled, how many of its messages wait, and how many only a second look found."""
        found = reconciliation.found([channel.pk for channel in rows], at=timezone.now())
        cursors = {cursor.channel_id: cursor for cursor in PullCursor.objects.filter(channel__in=rows)}
        waiting = InboundMessage.objects.filter(status__in=TO_DO, channel__in=rows).values("channel")
        counts = dict(waiting.annotate(count=Count("pk")).values_list("channel", "count"))
        for channel in rows:
            channel.cursor = cursors.get(channel.pk)
            channel.waiting_count = counts.get(channel.pk, 0)
            channel.found = found.get(channel.pk, reconciliation.Found())

    @admin.display(description=_("name"))
    def title(self, channel: Channel) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(channel)

    @admin.display(description=_("last pull"))
    def pulled(self, channel: Any) -> SafeString:
        """Show when orders were pulled last, and what went wrong then."""
        if channel.cursor is None:
            return columns.EMPTY
        if channel.cursor.last_error:
            return columns.label(_("failed"), "red", channel.cursor.last_error)
        return columns.age(channel.cursor.last_pulled_at)

    @admin.display(description=_("found only by reconciliation (24 h / 7 days)"))
    def found_again(self, channel: Any) -> SafeString:
        """Show how many messages neither push nor pull had brought, with a link to them."""
        if channel.pk is None:
            return columns.EMPTY
        if not hasattr(channel, "found"):
            self.decorate([channel])
        url = f"{reverse('admin:channels_inboundmessage_changelist')}?source=reconcile&channel={channel.pk}"
        day, week = channel.found.last_day, channel.found.last_week
        tone = "red" if day else "amber" if week else "grey"
        return format_html('<a href="{}">{}</a>', url, columns.label(f"{day} / {week}", tone))

    @admin.display(description=_("last reconciled"))
    def looked_again(self, channel: Any) -> SafeString:
        """Show when settled windows were pulled again last, and up to which moment."""
        if channel.pk is None:
            return columns.EMPTY
        if not hasattr(channel, "found"):
            self.decorate([channel])
        return columns.age(channel.cursor.last_reconciled_at if channel.cursor else None)

    @admin.display(description=_("95 per cent within"))
    def stock_speed(self, channel: Channel) -> SafeString:
        """Show how fast changes of our stock reach it, with a link to all channels' speed."""
        return convergence.speed_of(channel)

    @admin.display(description=_("waiting messages"))
    def waiting(self, channel: Any) -> SafeString:
        """Show how many messages are not worked off, with a link to them."""
        url = f"{reverse('admin:channels_inboundmessage_changelist')}?state=todo&channel={channel.pk}"
        return columns.number(channel.waiting_count, url)

    @admin.display(description=_("credentials"))
    def has_credentials(self, channel: Channel) -> SafeString:
        """Show only whether there are any."""
        return columns.label(_("stored"), "green") if channel.credentials else columns.label(_("none"))

    @admin.display(description=_("active"))
    def active(self, channel: Channel) -> SafeString:
        """Show whether we talk to it."""
        return columns.label(_("yes"), "green") if channel.is_active else columns.label(_("no"), "red")


@admin.register(Listing)
class ListingAdmin(AuditedAdmin):
    """What a channel calls one of our SKUs."""

    list_display = ("external_code", "shop", "item", "external_item_id", "external_sku_id")
    list_filter = (filters.choice(_("channel"), "channel", choices.channels),)
    list_select_related = ("channel", "sku")
    search_fields = ("external_code", "sku__code")
    search_help_text = _("Code on the channel or SKU begins with …")
    autocomplete_fields = ("sku",)
    ordering = ("-pk",)
    sortable_by = ()
    empty_hint = _("No listings yet. Without one, an order's code must be a SKU's own code.")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find listings by the beginning of either code."""
        term = search_term.strip()
        if not term:
            return queryset, False
        by_code = Listing.objects.filter(external_code__startswith=term).values("pk")
        by_sku = Listing.objects.filter(sku__code__startswith=term).values("pk")
        return queryset.filter(pk__in=by_code.union(by_sku)), False

    @admin.display(description=_("channel"))
    def shop(self, listing: Listing) -> SafeString:
        """Show the channel."""
        return columns.code_and_name(listing.channel)

    @admin.display(description=_("SKU"))
    def item(self, listing: Listing) -> SafeString:
        """Show the SKU, with a link to it."""
        url = reverse("admin:inventory_sku_change", args=[listing.sku_id])
        return format_html('<a class="more" href="{}">{}</a>', url, columns.code_and_name(listing.sku))
