"""A channel's messages of a time range once more: which, how many of each status, then why, then all at once."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from audit.admin import columns
from channels.admin import choices
from channels.models import OutboundMessage
from channels.services import replay
from channels.services.replay import Range, RangeRefused
from channels.statuses import Lane, OutboundStatus
from inventory.admin.document import acting

LANES = [(lane.value, lane.label) for lane in Lane if lane not in replay.FIGURES]
USUAL = ("sent",)  # what is ticked at first: the receiver lost what it had accepted


def _moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(label=label, widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}))


class RangeForm(forms.Form):
    """Which messages: of one channel and lane, made between two moments."""

    channel = forms.ChoiceField(label=_("Channel"), widget=UnfoldAdminSelectWidget)
    lane = forms.ChoiceField(
        label=_("Lane"), choices=LANES, widget=UnfoldAdminSelectWidget,
        help_text=_("Stock is not among them: old figures are wrong by now. “Stock speed” has a button for today's."),
    )  # fmt: skip
    since = _moment(_("Made from"))
    until = _moment(_("Made before"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = choices.channels()  # type: ignore[attr-defined]

    def asked(self) -> Range:
        """Return the range that was chosen."""
        told = self.cleaned_data
        return Range(int(told["channel"]), Lane(told["lane"]), told["since"], told["until"])


class ChosenForm(forms.Form):
    """Which of the messages that were counted, and why."""

    statuses = forms.MultipleChoiceField(label=_("Which"), widget=forms.CheckboxSelectMultiple)
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def __init__(self, *args: Any, counts: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = [(status, f"{OutboundStatus(status).label}: {count:,}") for status, count in counts.items()]
        field = self.fields["statuses"]
        field.choices = words  # type: ignore[attr-defined]
        field.initial = [status for status in USUAL if status in counts]


def urls(admin: Any) -> list[URLPattern]:
    """Return the address of the page for the admin of the outbox."""

    def view(request: HttpRequest) -> HttpResponse:
        return _page(admin, request)

    return [path("again/", admin.admin_site.admin_view(view), name="channels_outboundmessage_again")]


def _page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Ask for a range, show what is in it, and send it again; asks for the permission to change the outbox."""
    if not admin.has_act_permission(request):
        raise PermissionDenied
    form = RangeForm(request.GET if "channel" in request.GET else None)
    why, trouble = None, ""
    if form.is_valid():
        try:
            counts = replay.counts(form.asked())
            why = ChosenForm(request.POST or None, counts=counts) if counts else None
            if why and request.method == "POST" and why.is_valid():
                return _send(request, form.asked(), why.cleaned_data)
            trouble = "" if counts else gettext("There is nothing in this range that can be sent again.")
        except RangeRefused as refused:
            trouble = columns.sentence(refused.reason.stored())
    context = admin.admin_site.each_context(request) | {
        "title": gettext("Send a range again"), "opts": OutboundMessage._meta, "form": form, "why": why,
        "trouble": trouble, "back": reverse("admin:channels_outboundmessage_changelist"),
    }  # fmt: skip
    return TemplateResponse(request, "admin/channels/outboundmessage/again.html", context)


def _send(request: HttpRequest, asked: Range, told: dict[str, Any]) -> HttpResponse:
    count = replay.again_in_range(
        asked, statuses=told["statuses"], reason=told["reason"], actor=acting(request), at=timezone.now()
    )
    messages.success(request, gettext("%(count)s messages are sent again.") % {"count": count})
    url = reverse("admin:channels_outboundmessage_changelist")
    return HttpResponseRedirect(f"{url}?channel={asked.channel_id}&lane={asked.lane}")
