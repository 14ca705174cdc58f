"""Coupons one by one: found by their code, made for many buyers, stopped with a reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.admin import columns, filters
from audit.admin.base import MachineAdmin
from audit.admin.verbs import Answer, ReasonForm, Verb
from audit.rules.actors import Actor
from audit.rules.sentences import say
from promotions.admin import links, looks, making
from promotions.admin.coupon_forms import SharedForm
from promotions.admin.rights import CouponRightsMixin
from promotions.models import Coupon
from promotions.queries import coupon_books
from promotions.services import coupons

MAY_MAKE = "promotions.add_coupon"
STOPPED_BEFORE = say("It was stopped before.")


def stop(rows: Sequence[Coupon], told: Mapping[str, Any], actor: Actor, at: datetime) -> Answer:
    """Let these codes not be used any more."""
    stopped = set(coupons.stop([row.pk for row in rows], actor=actor, reason=told["reason"]))
    refused = {row.code: STOPPED_BEFORE for row in rows if row.code not in stopped}
    return Answer(say("%(count)s coupons are stopped.", count=len(stopped)) if stopped else None, refused)


def is_active(coupon: Coupon) -> bool:
    """Return whether a coupon was not stopped yet."""
    return coupon.is_active


class StateFilter(filters.ChoiceFilter):
    """Coupons that can be used, and those that cannot, by the cause."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states that can be chosen."""
        return [("free", _("Can be used")), ("used_up", _("Used up")), ("over", _("Over")), ("stopped", _("Stopped"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen ones."""
        now, used_up = timezone.now(), Q(most_uses__isnull=False, taken__gte=F("most_uses"))
        is_free = Q(is_active=True) & ~used_up & (Q(ends_at=None) | Q(ends_at__gt=now))
        chosen = {
            "free": is_free & (Q(starts_at=None) | Q(starts_at__lte=now)), "used_up": used_up,
            "over": Q(ends_at__lte=now), "stopped": Q(is_active=False),
        }  # fmt: skip
        return queryset.filter(chosen.get(self.value() or "", Q()))


@admin.register(Coupon)
class CouponAdmin(CouponRightsMixin, MachineAdmin):
    """Codes that buyers give."""

    change_form_template = "admin/promotions/coupon.html"
    list_display = ("code", "promotion_", "batch_", "uses", "redeemed", "valid", "state")
    list_filter = (
        StateFilter,
        links.only(_("promotion"), "promotion", "promotion"),
        links.only(_("batch"), "batch", "batch"),
    )
    list_select_related = ("promotion", "batch")
    search_fields = ("code",)
    search_help_text = _("The beginning of a code, or pasted whole codes")
    ordering = ("-pk",)
    sortable_by = ()
    fields = ("code", "promotion_", "batch_", "uses", "redeemed", "valid", "state")
    readonly_fields = fields
    empty_hint = _("No coupons yet. Make a shared code here, or many single ones as a batch.")
    verbs = (
        Verb("stop", _("Stop…"), stop, ReasonForm, icon="stop_circle", is_grave=True, is_offered=is_active,
             intro=_("The code can be used by nobody any more. What orders hold already stays.")),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may make shared codes: the model's own add permission."""
        return request.user.has_perm(MAY_MAKE)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find codes whatever their case: one by its beginning, several pasted ones as a whole."""
        known = coupons.known_codes(search_term.replace(",", " ").split())
        if len(known) == 1:
            return queryset.filter(code__startswith=known[0]), False
        typed_with_spaces = coupons.normalized(search_term)
        return (queryset.filter(code__in=[*known, typed_with_spaces]) if known else queryset), False

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add how often each was used."""
        used = coupon_books.redeemed(row.pk for row in rows)
        for row in rows:
            row.redeemed_count = used.get(row.pk, 0)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the code of a shared coupon, and make it."""
        form = SharedForm(request.POST or None, initial={"promotion": request.GET.get("promotion")})
        words = _("Make a shared code"), _("One code for many buyers, as in an advertisement or a livestream.")
        return making.page(self, request, form, _make, words=words)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Add how often it was used."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.decorate([row])
        return row

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the link to its uses."""
        row = context.get("original")
        context["redemptions_url"] = links.address("redemption", coupon=row.pk) if row else ""
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("promotion"))
    def promotion_(self, coupon: Coupon) -> SafeString:
        """Show the promotion, with a link to it."""
        return links.promotion(coupon.promotion)

    @admin.display(description=_("batch"))
    def batch_(self, coupon: Coupon) -> SafeString:
        """Show the batch, with a link to its coupons; a shared code has none."""
        if coupon.batch is None:
            return columns.label(_("shared"), "violet")
        return columns.link(links.address("coupon", batch=coupon.batch_id), coupon.batch.name)

    @admin.display(description=_("taken"))
    def uses(self, coupon: Coupon) -> SafeString:
        """Show how often it is taken of how often it may be."""
        return looks.uses_bar(coupon)

    @admin.display(description=_("used"))
    def redeemed(self, coupon: Any) -> SafeString:
        """Show how often orders that are paid used it, with a link to them."""
        return columns.number(coupon.redeemed_count, links.address("redemption", coupon=coupon.pk))

    @admin.display(description=_("valid"))
    def valid(self, coupon: Coupon) -> str | SafeString:
        """Show when it holds."""
        return looks.term(coupon)

    @admin.display(description=_("state"))
    def state(self, coupon: Coupon) -> SafeString:
        """Show whether it can be used."""
        return looks.state(coupon, at=timezone.now())


def _make(form: SharedForm) -> Coupon:
    told = form.cleaned_data
    return coupons.make_shared(told["promotion"], code=told["code"], most_uses=told["most_uses"], term=form.term())
