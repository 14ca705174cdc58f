"""Back-tests: a version of a promotion tried on past orders, how far it is, and what it found."""

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from audit.admin import columns
from audit.admin.base import MachineAdmin
from audit.rules.actors import Actor
from orders.admin import trial
from orders.models import Backtest
from orders.services import backtests
from orders.services.backtests import NotTried
from orders.statuses import BacktestStatus
from promotions.models import PromotionVersion
from promotions.services import permissions

TONES = {"waiting": "grey", "running": "blue", "done": "green", "stopped": "grey", "failed": "red"}
MAY_SEE = "promotions.view_promotion"


@admin.register(Backtest)
class BacktestAdmin(MachineAdmin):
    """What versions of promotions would have done to past orders."""

    list_display = ("what", "state", "progress", "span", "hit", "more_off", "asked")
    list_display_links = None
    search_fields = ("promotion_code",)
    search_help_text = _("Promotion")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("what", "state", "progress", "span", "asked", "sentences", "tables")
    readonly_fields = fields
    empty_hint = _("No version of a promotion was tried on past orders yet.")

    def get_urls(self) -> list[URLPattern]:
        """Add asking, stopping, and trying on ten orders at once."""
        wrap = self.admin_site.admin_view
        return [
            path("ask/<int:version_id>/", wrap(require_POST(self.ask_view)), name="orders_backtest_ask"),
            path("stop/<int:backtest_id>/", wrap(require_POST(self.stop_view)), name="orders_backtest_stop"),
            path("again/<int:backtest_id>/", wrap(require_POST(self.again_view)), name="orders_backtest_again"),
            path("form/", wrap(require_POST(trial.form_view(self.admin_site))), name="orders_backtest_form"),
            path("try/<int:version_id>/", wrap(self.try_view), name="orders_backtest_try"),
            *super().get_urls(),
        ]

    def ask_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Ask for a back-test of a version and show how far it is."""
        version = _version(request, version_id)
        days = request.POST.get("days", "30")
        actor = Actor("person", request.user.get_username())
        try:
            asked = backtests.ask(version, days=int(days) if days.isdecimal() else 0, actor=actor, at=timezone.now())
        except NotTried as refused:
            messages.error(request, columns.sentence(refused.reason.stored()))
            return HttpResponseRedirect(reverse("admin:orders_backtest_changelist"))
        return HttpResponseRedirect(reverse("admin:orders_backtest_change", args=[asked.pk]))

    def stop_view(self, request: HttpRequest, backtest_id: int) -> HttpResponse:
        """Stop one that waits or runs."""
        if not request.user.has_perm(MAY_SEE):
            raise PermissionDenied
        if not backtests.stop(backtest_id, at=timezone.now()):
            messages.warning(request, gettext("It has ended already."))
        return HttpResponseRedirect(reverse("admin:orders_backtest_change", args=[backtest_id]))

    def again_view(self, request: HttpRequest, backtest_id: int) -> HttpResponse:
        """Let one that failed or was stopped begin again."""
        if not request.user.has_perm(MAY_SEE):
            raise PermissionDenied
        get_object_or_404(Backtest, pk=backtest_id)
        try:
            backtests.again(backtest_id, actor=Actor("person", request.user.get_username()), at=timezone.now())
        except NotTried as refused:
            messages.error(request, columns.sentence(refused.reason.stored()))
        return HttpResponseRedirect(reverse("admin:orders_backtest_change", args=[backtest_id]))

    def try_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Show what a version does to ten orders: those named in ``orders``, or the newest."""
        version = _version(request, version_id)
        numbers = [number for number in request.GET.get("orders", "").replace(",", " ").split() if "\0" not in number]
        comparison = backtests.try_on(version, order_numbers=numbers)
        context = self.admin_site.each_context(request) | {
            "title": gettext("Tried on ten orders"), "opts": Backtest._meta, "version": version,
            "examples": trial.shown(comparison.examples), "orders": " ".join(numbers),
        }  # fmt: skip
        return TemplateResponse(request, "admin/orders/backtest/try.html", context)

    @admin.display(description=_("version"))
    def what(self, row: Backtest) -> SafeString:
        """Show which version, with a link to what was found."""
        url = reverse("admin:orders_backtest_change", args=[row.pk])
        return columns.link(url, f"{row.promotion_code} v{row.version_number}")

    @admin.display(description=_("status"))
    def state(self, row: Backtest) -> SafeString:
        """Show how far it is."""
        return columns.label(row.get_status_display(), TONES.get(row.status, "grey"))

    @admin.display(description=_("orders"))
    def progress(self, row: Backtest) -> SafeString:
        """Show how many orders were replayed, as a bar while it runs."""
        if row.status != BacktestStatus.RUNNING:
            return format_html("{}", f"{row.orders_done:,}")
        return format_html(
            '<progress max="{}" value="{}"></progress> {} / {}',
            max(1, row.orders_total), row.orders_done, row.orders_done, row.orders_total,
        )  # fmt: skip

    @admin.display(description=_("placed"))
    def span(self, row: Backtest) -> str:
        """Show of which days the orders are."""
        return f"{timezone.localtime(row.starts_at):%Y-%m-%d} – {timezone.localtime(row.ends_at):%Y-%m-%d}"

    @admin.display(description=_("orders hit"))
    def hit(self, row: Backtest) -> str:
        """Show on how many orders it would have applied."""
        return f"{row.result['with']['hit']:,}" if row.result else "–"

    @admin.display(description=_("more off"))
    def more_off(self, row: Backtest) -> SafeString | str:
        """Show what it would have cost in discounts."""
        if not row.result:
            return "–"
        return columns.money(Decimal(row.result["with"]["discount"]) - Decimal(row.result["without"]["discount"]))

    @admin.display(description=_("asked at"))
    def asked(self, row: Backtest) -> SafeString:
        """Show when it was asked for."""
        return columns.when(row.asked_at)

    @admin.display(description=_("what it found"))
    def sentences(self, row: Backtest) -> SafeString:
        """Show what approvers read or why it failed, and the button that stops it or lets it begin again."""
        told = [columns.sentence(one.stored()) for one in backtests.told(row)] if row.result else []
        if row.why:
            told.append(columns.sentence(row.why))
        return SafeString(render_to_string("admin/orders/backtest/found.html", {"row": row, "sentences": told}))

    @admin.display(description=_("figures"))
    def tables(self, row: Backtest) -> SafeString:
        """Show the figures by channel and region, without and with the version."""
        groups = [(_("Channel"), row.result["channels"]), (_("Region"), row.result["regions"])] if row.result else []
        shown = [(title, [(key, *_figures(pair)) for key, pair in sorted(rows.items())]) for title, rows in groups]
        return SafeString(render_to_string("admin/orders/backtest/figures.html", {"groups": shown}))


def _version(request: HttpRequest, version_id: int) -> PromotionVersion:
    version = get_object_or_404(PromotionVersion.objects.select_related("promotion"), pk=version_id)
    if not permissions.may_see(request.user, version.promotion):
        raise PermissionDenied
    return version


def _figures(pair: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return tuple(side | {"gifts": sum(side["gifts"].values())} for side in pair)
