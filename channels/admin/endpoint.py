"""A partner's endpoint among the channels: an event to test it, a new secret that is shown once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from audit.admin.verbs import Answer, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import say
from channels.adapters.webhook.wanted import wanted
from channels.models import Channel
from channels.services import credentials, events
from inventory.admin.document import Page, acting

WEBHOOK = _("Webhook")
FIELDSETS: Final = ((WEBHOOK, {"fields": (("wanted_events", "old_secret"),)}),)
READ_ONLY: Final = ("wanted_events", "old_secret")


def is_endpoint(channel: Channel) -> bool:
    """Return whether the channel is a partner's endpoint."""
    return channel.adapter == events.ADAPTER


def is_live_endpoint(channel: Channel) -> bool:
    """Return whether the channel is an endpoint that is called."""
    return is_endpoint(channel) and channel.is_active


def send_test(rows: Sequence[Channel], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Send an event to each endpoint that means nothing."""
    why = say("Only a partner's endpoint that is switched on can be sent a test event.")
    refused = {row.code: why for row in rows if not is_live_endpoint(row)}
    chosen = [row for row in rows if is_live_endpoint(row)]
    for row in chosen:
        events.send_test(row, actor=actor, at=at)
    done = say("%(count)s test events are on their way; the newest messages say what came of them.", count=len(chosen))
    return Answer(done if chosen else None, refused)


SEND_TEST = Verb("send_test", _("Send a test event"), send_test, icon="send", is_offered=is_live_endpoint)
ROTATE = Page("secret", _("Rotate the secret…"), "rotate_view", "key", is_offered=is_endpoint, is_grave=True)


class EndpointPages:
    """What the admin of channels shows and does for endpoints."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Add the page that makes a new secret."""
        view = self.admin_site.admin_view(self.rotate_view)
        return [path("<int:pk>/secret/", view, name="channels_channel_secret"), *super().get_urls()]  # type: ignore[misc]

    def verb_buttons(self, request: HttpRequest, row: Any, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return the verbs' buttons, then the one of the page for a new secret."""
        buttons: list[dict[str, Any]] = super().verb_buttons(request, row, names)  # type: ignore[misc]
        if is_endpoint(row) and self.has_act_permission(request):  # type: ignore[attr-defined]
            buttons.append({"verb": ROTATE, "url": reverse("admin:channels_channel_secret", args=[row.pk])})
        return buttons

    def rotate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what a new secret means, then make one and show it: on this page only, and only now."""
        if not self.has_act_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        rows = self.get_queryset(request)  # type: ignore[attr-defined]
        endpoint, at = get_object_or_404(rows, pk=pk, adapter=events.ADAPTER), timezone.now()
        fresh, until = "", None
        try:
            if request.method == "POST":
                fresh = events.rotate_secret(endpoint, seen=request.POST.get("seen", ""), actor=acting(request), at=at)
                endpoint.refresh_from_db()
            until = events.previous_until(endpoint, at=at)
        except events.SecretChanged:
            messages.error(request, gettext("The secret was changed after you opened the page. Look again first."))
            return HttpResponseRedirect(request.path)
        except credentials.Unreadable as problem:
            messages.error(request, columns.sentence(problem.reason.stored()))
            return HttpResponseRedirect(reverse("admin:channels_channel_change", args=[pk]))
        context = self.admin_site.each_context(request) | {
            "title": gettext("New secret"), "opts": Channel._meta, "endpoint": endpoint, "fresh": fresh,
            "until": columns.when(until) if until else "", "seen": events.secret_seen(endpoint),
            "back": reverse("admin:channels_channel_change", args=[pk]),
        }  # fmt: skip
        return TemplateResponse(request, "admin/channels/channel/secret.html", context)

    @admin.display(description=_("events"))
    def wanted_events(self, channel: Channel) -> SafeString:
        """Show which events it asked for."""
        tags = format_html_join(" ", "{}", ((columns.label(word),) for word in wanted(channel.options)))
        return tags or columns.EMPTY

    @admin.display(description=_("the secret before signs until"))
    def old_secret(self, channel: Channel) -> SafeString:
        """Show until when the secret before the present one signs too."""
        try:
            return columns.when(events.previous_until(channel, at=timezone.now()))
        except credentials.Unreadable:
            return columns.label(_("cannot be read"), "red")
