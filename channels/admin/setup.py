"""Connecting a channel without code: choose a platform, then five steps that can be left and taken up again."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from audit.admin.base import MachineAdmin
from audit.rules.actors import Actor
from channels.admin import setup_matching, setup_steps, setup_words
from channels.admin.setup_forms import NewChannelForm
from channels.models import ChannelSetup
from channels.services import setup, setup_listings
from channels.services.setup import NewChannel, SetupRefused
from channels.statuses import SetupStep

PAGES = setup_steps.PAGES | {SetupStep.MATCHING: setup_matching.page}
SHOWN = (SetupStep.CREDENTIALS, SetupStep.LISTINGS, SetupStep.MATCHING, SetupStep.TERMS, SetupStep.SUMMARY)


@admin.register(ChannelSetup)
class ChannelSetupAdmin(MachineAdmin):
    """Connections of channels, those that are not finished among them."""

    list_display = ("shop", "platform", "stage", "reached", "listings", "begun", "who")
    list_display_links = None
    list_select_related = ("channel",)
    search_fields = ("channel__code",)
    search_help_text = _("Channel begins with …")
    ordering = ("-pk",)
    sortable_by = ()
    empty_hint = _("Nothing is connected yet. Choose a platform; it takes a few minutes.")

    def get_urls(self) -> list[URLPattern]:
        """Add what the pages ask while somebody looks at them."""
        wrap = self.admin_site.admin_view
        own = [
            path("skus/", wrap(setup_matching.skus), name="channels_channelsetup_skus"),
            path("<int:pk>/progress/", wrap(self.progress_view), name="channels_channelsetup_progress"),
        ]
        return own + super().get_urls()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may begin: who may add channels."""
        return request.user.has_perm("channels.add_channel")

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may go on: who may change channels."""
        return request.user.has_perm("channels.change_channel")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find connections by the beginning of the channel's code."""
        term = search_term.strip()
        return (queryset.filter(channel__code__istartswith=term) if term else queryset), False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the platforms, then ask what the channel is called."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        cards = setup_words.cards()
        chosen = next((card for card in cards if card["name"] == request.GET.get("adapter")), None)
        form = NewChannelForm(request.POST or None)
        if chosen and request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            asked = NewChannel(chosen["name"], told["code"], told["name"], told["currency"])
            try:
                row = setup.begin(asked, actor=acting(request), at=timezone.now())
                return HttpResponseRedirect(setup_steps.address(row, SetupStep.CREDENTIALS))
            except SetupRefused as refused:
                form.add_error("code", columns.sentence(refused.reason.stored()))
        context = {"title": gettext("Connect a channel"), "cards": cards, "chosen": chosen, "form": form}
        return self.show(request, "admin/channels/setup/platforms.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the step that was reached, or the one that was asked for; each step does its own deeds."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(ChannelSetup.objects.select_related("channel"), pk=_number(object_id))
        asked = request.GET.get("step", row.step)
        step = SetupStep(asked) if asked in SHOWN else SetupStep.SUMMARY
        may_act = self.has_act_permission(request)
        if request.method == "POST" and not may_act:
            raise PermissionDenied
        try:
            answer = PAGES[step](request, row)
        except SetupRefused as refused:
            messages.error(request, columns.sentence(refused.reason.stored()))
            return HttpResponseRedirect(setup_steps.address(row, step))
        if isinstance(answer, HttpResponse):
            return answer
        context = {"title": str(row.channel), "row": row, "channel": row.channel, "may_act": may_act,
                   "platform": setup_words.platform(row.channel.adapter), "steps": _steps(row, step)}  # fmt: skip
        return self.show(request, f"admin/channels/setup/{step}.html", context | answer)

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Return how many listings are read, for the bar of the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(ChannelSetup, pk=pk)
        return JsonResponse({"reading": setup_listings.is_reading(row), "words": setup_steps.progress_words(row)})

    def show(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        """Return a page in the desk's frame."""
        back = reverse("admin:channels_channelsetup_changelist")
        whole = self.admin_site.each_context(request) | {"opts": ChannelSetup._meta, "back": back}
        return TemplateResponse(request, template, whole | context)

    @admin.display(description=_("channel"))
    def shop(self, row: ChannelSetup) -> SafeString:
        """Show the channel, with a link to go on."""
        return columns.link(setup_steps.address(row), f"{row.channel.code} {columns.local_name(row.channel)}")

    @admin.display(description=_("platform"))
    def platform(self, row: ChannelSetup) -> Any:
        """Show the platform."""
        return setup_words.platform(row.channel.adapter)

    @admin.display(description=_("step"))
    def stage(self, row: ChannelSetup) -> SafeString:
        """Show how far somebody has come, and whether it is live."""
        if row.step != SetupStep.DONE:
            return columns.label(row.get_step_display(), "amber")
        return columns.label(_("Sandbox"), "blue") if row.channel.is_sandbox else columns.label(_("Live"), "green")

    @admin.display(description=_("connection"))
    def reached(self, row: ChannelSetup) -> SafeString:
        """Show whether the platform answered."""
        if row.checked_at is None:
            return columns.label(_("not tried"))
        hint = columns.sentence(row.check_result)
        return columns.label(_("reached"), "green", hint) if row.is_reached else columns.label(_("no"), "red", hint)

    @admin.display(description=_("listings found"))
    def listings(self, row: ChannelSetup) -> SafeString:
        """Show how much the shop lists."""
        return columns.number(row.listings_found)

    @admin.display(description=_("started"))
    def begun(self, row: ChannelSetup) -> SafeString:
        """Show how long ago it was begun."""
        return columns.age(row.started_at)

    @admin.display(description=_("by"))
    def who(self, row: ChannelSetup) -> str:
        """Show who began."""
        return columns.actor(row.started_by)


def acting(request: HttpRequest) -> Actor:
    """Return the person who does what a request asks."""
    return setup_steps.acting(request)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _steps(row: ChannelSetup, here: SetupStep) -> list[dict[str, Any]]:
    """Return the bar of steps: those before the one that was reached are done, all that were reached can be opened."""
    reached = setup.ORDER.index(SetupStep(row.step))
    return [
        {"number": number, "title": step.label, "is_here": step == here, "is_done": number - 1 < reached,
         "url": setup_steps.address(row, step) if number - 1 <= reached else ""}
        for number, step in enumerate(SHOWN, start=1)
    ]  # fmt: skip
