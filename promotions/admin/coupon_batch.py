"""Batches of coupons: making one, watching it being made, its file of codes, how far it is used, stopping it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, ReasonForm, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import Sentence, say
from promotions.admin import links, looks, making, rights
from promotions.admin.coupon_forms import BatchForm
from promotions.admin.rights import CouponRightsMixin
from promotions.models import CouponBatch
from promotions.queries import coupon_books
from promotions.services import coupons
from promotions.services.coupons import Wanted

MAY_MAKE = "promotions.add_couponbatch"


def stop(rows: Sequence[CouponBatch], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Let no code of these batches be taken any more."""
    counts = {row.name: coupons.stop_batch(row.pk, actor=actor, reason=told["reason"]) for row in rows}
    refused: dict[str, Sentence] = {name: say("It was stopped before.") for name, count in counts.items() if not count}
    total = sum(counts.values())
    return Answer(say("%(count)s coupons are stopped.", count=total) if total else None, refused)


@admin.register(CouponBatch)
class CouponBatchAdmin(CouponRightsMixin, MachineAdmin):
    """Codes that were made together."""

    change_form_template = "admin/promotions/coupon_batch.html"
    list_display = ("name", "promotion_", "used", "count", "moment", "who")
    list_filter = (links.only(_("promotion"), "promotion", "promotion"),)
    list_select_related = ("promotion",)
    list_per_page = 25
    search_fields = ("name", "promotion__code__istartswith")
    search_help_text = _("Name of the batch or code of the promotion")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("name", "promotion_", "of_a_buyer", "used", "count", "valid", "moment", "who")
    readonly_fields = fields
    empty_hint = _("No coupons were made yet. Publish a promotion that asks for a coupon, then make a batch.")
    verbs = (
        Verb("stop", _("Stop…"), stop, ReasonForm, icon="stop_circle", is_grave=True,
             intro=_("No code of the batch can be used any more. What orders hold already stays.")),
    )  # fmt: skip

    class Media:
        css: ClassVar = {"all": ["inventory/documents.css"]}
        js = ("inventory/documents.js",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may make coupons: the model's own add permission."""
        return request.user.has_perm(MAY_MAKE)

    def get_urls(self) -> list[URLPattern]:
        """Add how far a batch is, and its file."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/progress/", wrap(self.progress_view), name="promotions_couponbatch_progress"),
            path("<int:pk>/codes.csv", wrap(self.codes_view), name="promotions_couponbatch_codes"),
        ]
        return own + super().get_urls()

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add where the coupons of each batch stand."""
        told = coupon_books.counts(rows)
        for row in rows:
            row.counts = told[row.pk]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask of which promotion how many, and make them."""
        form = BatchForm(request.POST or None, initial={"promotion": request.GET.get("promotion")})
        words = _("Make a batch of coupons"), _("Each code works once. The codes can then be downloaded as a file.")
        return making.page(self, request, form, lambda typed: self._make(typed, request), words=words)

    def _make(self, form: BatchForm, request: HttpRequest) -> CouponBatch:
        told = form.cleaned_data
        wanted = Wanted(told["name"], told["size"], told["beginning"], form.term())
        return coupons.make_batch(told["promotion"], wanted, actor=making.acting(request), at=timezone.now())

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Add where the coupons of the batch stand."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.decorate([row])
        return row

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the links to its codes and their uses, and how far it is made."""
        row = context.get("original")
        if row is not None:
            context |= {
                "told": _told(row.counts), "may_download": request.user.has_perm(MAY_MAKE),
                "coupons_url": links.address("coupon", batch=row.pk),
                "redemptions_url": links.address("redemption", batch=row.pk),
            }  # fmt: skip
        return super().render_change_form(request, context, *args, **kwargs)

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Return how many codes are made, for the bar of the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(CouponBatch, pk=pk)
        return JsonResponse(_told(coupon_books.counts([row])[pk]))

    def codes_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse | HttpResponseRedirect:
        """Return the codes as a CSV file; codes are money, so only those who may make them get it."""
        if not (self.has_view_permission(request) and request.user.has_perm(MAY_MAKE)):
            raise PermissionDenied
        row = get_object_or_404(CouponBatch.objects.select_related("promotion"), pk=pk)
        if not rights.may_write(request.user, row.promotion):
            raise PermissionDenied
        if not coupon_books.counts([row])[pk].is_complete:
            messages.warning(request, gettext("Not all codes are made yet. Wait until the bar is full."))
            return HttpResponseRedirect(reverse("admin:promotions_couponbatch_change", args=[pk]))
        answer = StreamingHttpResponse(coupon_books.as_csv(row), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{row.name}.csv")
        return answer

    @admin.display(description=_("promotion"))
    def promotion_(self, row: CouponBatch) -> SafeString:
        """Show the promotion, with a link to it."""
        return links.promotion(row.promotion)

    @admin.display(description=_("for each buyer"))
    def of_a_buyer(self, row: CouponBatch) -> str | SafeString:
        """Show how often one buyer may use the promotion, whatever the code."""
        most = coupon_books.most_of_a_buyer(row.promotion_id)
        return columns.label(_("no limit")) if most is None else gettext("at most %(most)s times") % {"most": most}

    @admin.display(description=_("taken"))
    def used(self, row: Any) -> SafeString:
        """Show how many are taken, used, reserved and left."""
        return looks.counts_bar(row.counts)

    @admin.display(description=_("coupons"))
    def count(self, row: CouponBatch) -> SafeString:
        """Show how many codes it has, with a link to them."""
        return columns.number(row.size, links.address("coupon", batch=row.pk))

    @admin.display(description=_("valid"))
    def valid(self, row: CouponBatch) -> str | SafeString:
        """Show when its codes hold."""
        return looks.term(row.coupons.order_by("pk").first())

    @admin.display(description=_("created at"))
    def moment(self, row: CouponBatch) -> SafeString:
        """Show when it was begun."""
        return columns.when(row.created_at)

    @admin.display(description=_("created by"))
    def who(self, row: CouponBatch) -> str:
        """Show who made it."""
        return columns.actor(row.created_by)


def _told(counts: coupon_books.Counts) -> dict[str, Any]:
    """Return how far a batch is made: the state, codes made of all, and the same in words."""
    words = gettext("%(made)s of %(wanted)s codes are made.") % {
        "made": f"{counts.made:,}", "wanted": f"{counts.wanted:,}",
    }  # fmt: skip
    return {"state": "done" if counts.is_complete else "waiting", "read": counts.made, "rows": counts.wanted,
            "words": words}  # fmt: skip
