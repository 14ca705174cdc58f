"""Pilots: started by a form, read as two arms with intervals of their differences, ended by a person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin import columns, governed
from audit.admin.base import MachineAdmin
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, NotGood
from audit.statuses import VersionStatus
from orders.models import RoutingPilot
from orders.rules.routing.statistics import Interval, newcombe, orders_needed, welch
from orders.services import pilots
from orders.services.pilots import LEAST_SHARE, MOST_DAYS, MOST_SHARE, Comparison
from orders.services.policies import GOVERNED

RUN: Final = "orders.run_routingpilot"
SUBMIT: Final = "orders.change_routingpolicy"
WIDTH: Final = 240  # of the drawing of an interval; its middle is no difference
MOST_WAIT: Final = 1_000_000  # orders: who needs more sees no difference


@dataclass(frozen=True)
class Figure:
    """One figure of both arms: how it is called and shown, and whether more of it is better."""

    name: str
    title: str | Promise
    form: str
    change: str
    is_more_better: bool = False


FIGURES: Final = (
    Figure("cost", _("Freight and picking an order (¥)"), "{:,.2f}", "{:+,.2f}"),
    Figure("parcels", _("Parcels an order"), "{:,.3f}", "{:+,.3f}"),
    Figure("km", _("km an order"), "{:,.1f}", "{:+,.1f}"),
    Figure("kept", _("Promises kept"), "{:.1%}", "{:+.1%}", is_more_better=True),
    Figure("refused", _("Orders with a parcel that a node did not send"), "{:.1%}", "{:+.1%}"),
    Figure("unfilled", _("Orders not filled at once"), "{:.1%}", "{:+.1%}"),
)


class PilotForm(forms.Form):
    """What is tried, on how many orders, and why."""

    version = forms.ChoiceField(label=_("Version"), widget=UnfoldAdminSelectWidget)
    share_percent = forms.IntegerField(
        label=_("Share of the orders (per cent)"), initial=10, min_value=LEAST_SHARE, max_value=MOST_SHARE,
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    reason = forms.CharField(label=_("Why"), max_length=200, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = pilots.choices()
        field: Any = self.fields["version"]
        field.choices = [
            (one.pk, f"{one.policy.code}/{one.number} · {columns.local_name(one.policy)}") for one in found
        ]


@admin.register(RoutingPilot)
class RoutingPilotAdmin(MachineAdmin):
    """Policy versions that route, or routed, a share of the orders."""

    list_display = ("tried", "state", "share", "began", "ended", "why")
    list_display_links = None
    search_fields = ("version__policy__code__istartswith", "reason__icontains")
    ordering = ("-pk",)
    sortable_by = ()
    empty_hint = _("No pilot yet. A live version of a candidate policy can be given a share of the orders.")

    def get_urls(self) -> list[URLPattern]:
        """Add ending, alone and with submitting what was tried."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/end/", wrap(require_POST(self.end_view)), name="orders_routingpilot_end"),
            path("<int:pk>/submit/", wrap(require_POST(self.submit_view)), name="orders_routingpilot_submit"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoutingPilot]:
        """Read the policy along."""
        return super().get_queryset(request).select_related("version__policy")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may start one."""
        return request.user.has_perm(RUN)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Start a pilot."""
        if not request.user.has_perm(RUN):
            raise PermissionDenied
        form = PilotForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            try:
                pilot = pilots.start(
                    int(told["version"]), share_percent=told["share_percent"], deed=_deed(request, told["reason"])
                )
                return HttpResponseRedirect(_url(pilot.pk))
            except NotAllowed as refused:
                form.add_error(None, columns.sentence(refused.reason.stored()))
        context = self._frame(request, title=gettext("Start a pilot"), form=form)
        return TemplateResponse(request, "admin/orders/pilot/new.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show both arms with the intervals of their differences, and what can be done."""
        pilot = get_object_or_404(self.get_queryset(request), pk=governed.number(object_id))
        if not self.has_view_permission(request, pilot):
            raise PermissionDenied
        found = pilots.compare(pilot, at=timezone.now())
        is_open = pilot.ended_at is None
        may_run = is_open and request.user.has_perm(RUN)
        context = self._frame(
            request, title=GOVERNED.name(pilot.version), pilot=pilot, found=found,
            rows=_rows(found, pilot.share_percent / 100),
            state=self.state(pilot), share=self.share(pilot), began=self.began(pilot), ended=self.ended(pilot),
            started_by=columns.actor(pilot.started_by), ended_by=columns.actor(pilot.ended_by),
            may_run=may_run, may_submit=may_run and request.user.has_perm(SUBMIT), most_days=MOST_DAYS, width=WIDTH,
            policy_url=GOVERNED.url(pilot.version),
            is_stopped=is_open and pilot.version.status != VersionStatus.LIVE,
        )  # fmt: skip
        return TemplateResponse(request, "admin/orders/pilot/page.html", context)

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End a pilot."""
        if not request.user.has_perm(RUN):
            raise PermissionDenied
        get_object_or_404(RoutingPilot, pk=pk)
        return self._done(request, pk, lambda deed: pilots.end(pk, deed), gettext("The pilot has ended."))

    def submit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End a pilot and ask for the approval of what it tried."""
        if not (request.user.has_perm(RUN) and request.user.has_perm(SUBMIT)):
            raise PermissionDenied
        get_object_or_404(RoutingPilot, pk=pk)
        done = gettext("The pilot has ended; what it tried waits for approval now.")
        return self._done(request, pk, lambda deed: pilots.end_and_submit(pk, deed), done)

    def _done(self, request: HttpRequest, pk: int, verb: Callable[[Deed], Any], done: str) -> HttpResponse:
        try:
            version = verb(_deed(request, request.POST.get("reason", "")))
        except NotAllowed as refused:
            messages.error(request, columns.sentence(refused.reason.stored()))
        except NotGood as refused:
            messages.error(request, " ".join(columns.sentence(reason.stored()) for reason in refused.reasons))
        else:
            messages.success(request, done)
            if version is not None:
                return HttpResponseRedirect(GOVERNED.url(version))
        return HttpResponseRedirect(_url(pk))

    def _frame(self, request: HttpRequest, **facts: Any) -> dict[str, Any]:
        return self.admin_site.each_context(request) | {"opts": RoutingPilot._meta} | facts

    @admin.display(description=_("version"))
    def tried(self, pilot: RoutingPilot) -> SafeString:
        """Show which version is tried, with a link to what came of it."""
        return columns.link(_url(pilot.pk), GOVERNED.name(pilot.version), columns.local_name(pilot.version.policy))

    @admin.display(description=_("status"))
    def state(self, pilot: RoutingPilot) -> SafeString:
        """Show whether it still draws orders."""
        return columns.label(_("ended"), "grey") if pilot.ended_at else columns.label(_("running"), "green")

    @admin.display(description=_("share"))
    def share(self, pilot: RoutingPilot) -> str:
        """Show its share of the orders."""
        return f"{pilot.share_percent} %"

    @admin.display(description=_("started at"))
    def began(self, pilot: RoutingPilot) -> SafeString:
        """Show since when."""
        return columns.when(pilot.started_at)

    @admin.display(description=_("ended at"))
    def ended(self, pilot: RoutingPilot) -> SafeString:
        """Show until when."""
        return columns.when(pilot.ended_at)

    @admin.display(description=_("reason"))
    def why(self, pilot: RoutingPilot) -> SafeString:
        """Show why it was started."""
        return columns.cut(pilot.reason, 60)


def _url(pk: int) -> str:
    return reverse("admin:orders_routingpilot_change", args=[pk])


def _deed(request: HttpRequest, reason: str) -> Deed:
    user: Any = request.user
    return Deed(user, timezone.now(), reason.strip()[:200])


def _rows(found: Comparison, part: float) -> list[dict[str, Any]]:
    """Return every figure of both arms with the interval of its difference, drawn and in words."""
    return [_row(figure, found, part) for figure in FIGURES]


def _row(figure: Figure, found: Comparison, part: float) -> dict[str, Any]:
    interval, needed = _compared(figure.name, found, part)
    row = {
        "title": figure.title,
        "pilot": _shown(figure, found, is_pilot=True),
        "others": _shown(figure, found, is_pilot=False),
    }
    if interval is None:
        return row | {"words": gettext("Too few orders yet.")}
    is_better = (interval.difference > 0) == figure.is_more_better
    tone = "grey" if not interval.is_sure else "green" if is_better else "red"
    return row | {
        "difference": figure.change.format(interval.difference),
        "low": figure.change.format(interval.low),
        "high": figure.change.format(interval.high),
        "tone": tone,
        "drawing": _drawn(interval),
        "words": _words(interval, needed, found.pilot.orders + found.others.orders, is_better=is_better),
    }


def _compared(name: str, found: Comparison, part: float) -> tuple[Interval | None, int | None]:
    """Return the interval of a figure's difference, and how many orders would make a difference of its size sure."""
    if name in found.pilot.means:
        one, two = found.pilot.means[name], found.others.means[name]
        interval, variances = welch(one, two), (one.variance, two.variance)
        counted = one.count + two.count
    else:
        first, second = found.pilot.shares[name], found.others.shares[name]
        interval = newcombe(first, second)
        variances = first.value * (1 - first.value), second.value * (1 - second.value)
        counted = first.count + second.count
    if interval is None or not counted:
        return interval, None
    needed = orders_needed(interval.difference, variances, part)
    orders = found.pilot.orders + found.others.orders
    return interval, None if needed is None else round(needed * orders / counted)  # not every order has the figure


def _words(interval: Interval, needed: int | None, orders: int, *, is_better: bool) -> str:
    if interval.is_sure:
        return gettext("Sure: the pilot is better.") if is_better else gettext("Sure: the pilot is worse.")
    if needed is None:
        return gettext("No difference so far.")
    more = needed - orders
    if more > MOST_WAIT:
        return gettext("Not sure, and so small that more orders hardly tell.")
    if more <= 0:
        return gettext("Not sure yet.")
    return gettext("Not sure yet: about %(count)s more orders are needed.") % {"count": f"{_rounded(more):,}"}


def _rounded(count: int) -> int:
    """Return a count to two figures: more of them would say more than is known."""
    step = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step


def _shown(figure: Figure, found: Comparison, *, is_pilot: bool) -> str:
    arm = found.pilot if is_pilot else found.others
    if figure.name in arm.means:
        sample = arm.means[figure.name]
        return figure.form.format(sample.mean) if sample.count else columns.EMPTY
    share = arm.shares[figure.name]
    return f"{figure.form.format(share.value)} ({share.hits:,} / {share.count:,})" if share.count else columns.EMPTY


def _drawn(interval: Interval) -> dict[str, float]:
    """Return where an interval lies in its drawing; no difference is the middle."""
    most = max(abs(interval.low), abs(interval.high)) or 1.0

    def place(value: float) -> float:
        return round(WIDTH / 2 + value / most * (WIDTH / 2 - 6), 1)

    return {"low": place(interval.low), "high": place(interval.high), "at": place(interval.difference)}
