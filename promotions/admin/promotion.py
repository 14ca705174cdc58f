"""Promotions: the list, a promotion's page with its versions, and the deeds of each version."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters, governed
from audit.admin.base import AuditedAdmin
from audit.services.approvals import NotAllowed
from audit.services.versions import Deed, NotGood
from audit.statuses import VersionStatus
from promotions.admin import builder, deeds, page
from promotions.models import Promotion, PromotionVersion
from promotions.queries import shop, usage
from promotions.rules import sentences
from promotions.services import effects, permissions, stopping
from promotions.services.promotions import rule_of

NEWEST = PromotionVersion.objects.filter(promotion=OuterRef("pk")).order_by("-number")


class StatusFilter(filters.ChoiceFilter):
    """Promotions by the status of one of their versions."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the statuses that can be chosen."""
        return list(VersionStatus.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those with a version in the chosen status; retired ones only when nothing newer is there."""
        chosen = self.value()
        if not chosen:
            return queryset
        if chosen == VersionStatus.RETIRED:
            return queryset.filter(newest_status=chosen)
        return queryset.filter(versions__status=chosen).distinct()


@admin.register(Promotion)
class PromotionAdmin(AuditedAdmin):
    """Promotions with what they say now."""

    list_display = ("code", "title", "state", "says", "time", "used")
    list_filter = (StatusFilter,)
    search_fields = ("code__istartswith", "name", "name_en")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("code", "name", "name_en", "brand", "campaign")
    readonly_fields = ("code",)
    empty_hint = _("No promotions yet. Add the first one: choose a card and fill its form.")
    standard_views = (
        (_("Live"), "status=live"), (_("Waiting for approval"), "status=submitted"), (_("Drafts"), "status=draft"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Promotion]:
        """Show what a person may see, with the newest version's status, so that the list can be narrowed by it.

        Beside what is granted row by row that is what stays inside the fields they answer for.
        """
        rows = super().get_queryset(request)
        if own := self.in_fields(request):
            rows = Promotion.objects.filter(Q(pk__in=rows.values("pk")) | Q(pk__in=own))
        return rows.annotate(newest_status=Subquery(NEWEST.values("status")[:1]))

    def in_fields(self, request: HttpRequest) -> set[int]:
        """Return the promotions that the person sees by the fields they answer for, worked out once a request."""
        found: set[int] | None = getattr(request, "_in_fields", None)
        if found is None:
            sees_all = any(request.user.has_perm(f"promotions.{deed}_promotion") for deed in ("view", "change"))
            found = set() if sees_all else permissions.in_fields(request.user)
            request._in_fields = found  # type: ignore[attr-defined]  # for this request only
        return found

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may see promotions, this one, or some of the fields they answer for."""
        if super().has_view_permission(request, obj):
            return True
        return obj.pk in self.in_fields(request) if obj is not None else permissions.has_fields(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether the person may begin promotions at all."""
        return permissions.may_open(request.user)

    def get_urls(self) -> list[URLPattern]:
        """Add the builder's pages and the deeds of versions."""
        wrap = self.admin_site.admin_view
        own = [
            path("preview/", wrap(builder.preview_view), name="promotions_promotion_preview"),
            path("words/", wrap(builder.words_view), name="promotions_promotion_words"),
            path("<int:pk>/build/", wrap(self.build_view), name="promotions_promotion_build"),
            path("<int:pk>/<int:number>/<slug:name>/", wrap(self.deed_view), name="promotions_promotion_deed"),
        ]
        return own + super().get_urls()

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add what matters of the versions: what is in force, else the newest, and how much of its limits is used."""
        keys = [row.pk for row in rows]
        current = PromotionVersion.objects.filter(promotion__in=keys).exclude(status=VersionStatus.RETIRED)
        found = list(current.order_by("number"))
        newest = PromotionVersion.objects.filter(promotion__in=keys).order_by("promotion", "-number")
        shown = {one.promotion_id: one for one in newest.distinct("promotion")}
        shown |= {one.promotion_id: one for one in found}
        shown |= {one.promotion_id: one for one in found if one.status in VersionStatus.IN_FORCE}
        told = {key: rule_of(version) for key, version in shown.items()}
        names, used = shop.names(told.values()), usage.of(told, at=timezone.now())
        for row in rows:
            row.shown, row.rule, row.usage = shown.get(row.pk), told.get(row.pk), used.get(row.pk)
            row.sentence = sentences.gives(row.rule, names) if row.rule else None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: orders name their promotions for ever. A promotion ends by retiring its version."""
        return False

    def frame(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page of the desk needs."""
        back = reverse("admin:promotions_promotion_changelist")
        return self.admin_site.each_context(request) | {"opts": Promotion._meta, "back": back}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose a card and write the first draft."""
        return builder.new_view(request, self.frame(request))

    def build_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write on the draft, or begin the next version."""
        return builder.edit_view(request, pk, self.frame(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a promotion with its versions and what can be done with them."""
        promotion = get_object_or_404(self.get_queryset(request), pk=governed.number(object_id))
        if not self.has_view_permission(request, promotion):
            raise PermissionDenied
        told = page.context(promotion, request.user, compare=(request.GET.get("old", ""), request.GET.get("new", "")))
        title = f"{promotion.code} · {columns.local_name(promotion)}"
        may_grant = self.include_object_permissions_urls and request.user.has_perm("auth.change_permission")
        context = self.frame(request) | told | {"title": title, "promotion": promotion, "may_grant": may_grant}
        return TemplateResponse(request, "admin/promotions/promotion.html", context)

    def deed_view(self, request: HttpRequest, pk: int, number: int, name: str) -> HttpResponse:
        """Do one thing to one version; what was read goes with it."""
        version = get_object_or_404(PromotionVersion.objects.select_related("promotion"), promotion=pk, number=number)
        wanted = next((deed for deed in deeds.DEEDS if deed.name == name), None)
        if request.method != "POST" or (wanted is None and name != "roll_back"):
            raise Http404
        deed = Deed(builder.user_of(request), timezone.now(), request.POST.get("reason", "").strip()[:200])
        if not (wanted.is_allowed(request.user, version) if wanted else deeds.may_stop(request.user, version)):
            raise PermissionDenied
        if (wanted is None or wanted.needs_reason) and not deed.reason:
            messages.error(request, gettext("Say why: it is kept in the history."))
            return HttpResponseRedirect(builder.page_of(pk))
        self.carry_out_deed(request, version, wanted, deed)
        return HttpResponseRedirect(builder.page_of(pk))

    def carry_out_deed(
        self, request: HttpRequest, version: PromotionVersion, wanted: deeds.VersionDeed | None, deed: Deed
    ) -> None:
        """Call the verb and say what came of it."""
        try:
            if wanted is None:
                stopping.roll_back(version, deed, to=governed.number(request.POST.get("to", "")))
            else:
                wanted.run(version, deed, request.POST.get("read_digest", ""))
        except NotGood as bad:
            for reason in bad.reasons:
                messages.error(request, columns.sentence(reason.stored()))
        except NotAllowed as refused:
            messages.error(request, columns.sentence(refused.reason.stored()))
        else:
            messages.success(request, gettext("Done."))
            if wanted is not None and wanted.name == "submit" and not effects.of(version).is_tried:
                messages.warning(request, gettext("Nobody has tried just this on past orders: approvers may ask."))

    @admin.display(description=_("name"))
    def title(self, promotion: Any) -> str:
        """Show the name in the reader's language."""
        return columns.local_name(promotion)

    @admin.display(description=_("status"))
    def state(self, promotion: Any) -> SafeString:
        """Show how far the version that matters has come."""
        return governed.status_label(promotion.shown) if promotion.shown else columns.EMPTY

    @admin.display(description=_("what it says"))
    def says(self, promotion: Any) -> str | SafeString:
        """Show the rule as a sentence."""
        return columns.sentence(promotion.sentence.stored()) if promotion.sentence else columns.EMPTY

    @admin.display(description=_("time"))
    def time(self, promotion: Any) -> SafeString:
        """Show from when until when."""
        if promotion.rule is None or not (promotion.rule.starts_at or promotion.rule.ends_at):
            return columns.EMPTY
        first, last = promotion.rule.starts_at, promotion.rule.ends_at
        return format_html(
            '<span class="nowrap">{} –<br>{}</span>', columns.stamp(first) if first else "",
            columns.stamp(last) if last else "",
        )  # fmt: skip

    @admin.display(description=_("used"))
    def used(self, promotion: Any) -> SafeString:
        """Show how much of the limit that is used up first is taken, and when it is used up at this speed."""
        return page.used_bar(promotion.usage)
