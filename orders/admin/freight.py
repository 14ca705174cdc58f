"""Carriers' prices: the list, bringing in a price list, and lanes that no carrier goes."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from audit.admin import columns, filters
from audit.admin.base import AuditedAdmin
from audit.admin.reasons import WhyForm
from audit.rules.actors import Actor
from inventory.admin import choices
from inventory.rules.geography import REGIONS
from orders.admin.looks import CARRIERS
from orders.models import FreightTariff
from orders.rules import tariff_file
from orders.rules.tariff_file import Unreadable
from orders.services import tariffs
from orders.statuses import DeliveryMethod

MOST_BYTES = 5_000_000
SHOWN_WRONG = 50


class TariffForm(WhyForm):
    """A tariff by the names of its regions."""

    carrier_code = forms.ChoiceField(
        label=_("Carrier"), choices=[(code, code) for code in CARRIERS], widget=UnfoldAdminSelectWidget
    )
    from_region = forms.ChoiceField(label=_("From region"), required=False, widget=UnfoldAdminSelectWidget)
    to_region = forms.ChoiceField(label=_("To region"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("from_region", "to_region"):
            if name in self.fields:
                self.fields[name].choices = [("", _("everywhere")), *choices.provinces()]  # type: ignore[attr-defined]


class ImportForm(forms.Form):
    """A price list, and why it is brought in."""

    file = forms.FileField(label=_("File (CSV)"), widget=forms.FileInput(attrs={"accept": ".csv", "class": "file"}))
    reason = forms.CharField(label=_("Reason"), max_length=80, widget=UnfoldAdminTextInputWidget)

    def clean_file(self) -> Any:
        """Refuse a file that is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than %(most)s MB. Split it."), params={"most": 5})
        return file


def import_view(page: Any, request: HttpRequest) -> HttpResponse:
    """Take a price list: all its rows, or none and what is wrong with each."""
    if not page.has_add_permission(request):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    wrong: list[tuple[int, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            rows, bad = tariff_file.read(form.cleaned_data["file"].read())
        except Unreadable as error:
            form.add_error("file", columns.sentence(error.why.stored()))
        else:
            wrong = [(one.row_number, columns.sentence(one.why.stored())) for one in bad]
            if not wrong:
                return _kept(page, request, rows, form.cleaned_data["reason"])
    context = page.admin_site.each_context(request) | {
        "title": _("Bring in a price list"), "opts": page.model._meta, "form": form, "wrong": wrong[:SHOWN_WRONG],
        "wrong_count": len(wrong), "columns": ", ".join(tariff_file.ALIASES), "media": form.media,
        "back": reverse("admin:orders_freighttariff_changelist"),
    }  # fmt: skip
    return TemplateResponse(request, "admin/orders/freight/import.html", context)


def gaps_view(page: Any, request: HttpRequest) -> HttpResponse:
    """Draw how many carriers go from each region with nodes to each region."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    lanes = tariffs.carriers_by_lane()
    starts = sorted({start for start, _end in lanes})
    rows = [
        {"name": choices.region_name(end), "cells": [(choices.region_name(s), lanes[s, end]) for s in starts]}
        for end in REGIONS
    ]
    context = page.admin_site.each_context(request) | {
        "title": _("Lanes without a carrier"), "opts": page.model._meta, "rows": rows,
        "starts": [choices.region_name(code) for code in starts],
        "gaps": sum(1 for carriers in lanes.values() if not carriers), "kept": bool(FreightTariff.objects.exists()),
        "back": reverse("admin:orders_freighttariff_changelist"),
    }  # fmt: skip
    return TemplateResponse(request, "admin/orders/freight/gaps.html", context)


def _kept(page: Any, request: HttpRequest, rows: Any, reason: str) -> HttpResponse:
    count = tariffs.keep(rows, reason=reason, actor=Actor("person", request.user.get_username()))
    messages.success(request, gettext("%(count)s tariffs are new or changed.") % {"count": count})
    return HttpResponseRedirect(reverse("admin:orders_freighttariff_changelist"))


@admin.register(FreightTariff)
class FreightTariffAdmin(AuditedAdmin):
    """What carriers ask, lane by lane."""

    form = TariffForm
    list_display = ("carrier_code", "way", "kind", "first", "further", "hours", "valid", "active")
    list_filter = (
        filters.choice(_("carrier"), "carrier_code", lambda: [(code, code) for code in CARRIERS]),
        filters.choice(_("from region"), "from_region", choices.provinces),
        filters.choice(_("to region"), "to_region", choices.provinces),
        filters.choice(_("delivery method"), "method", lambda: DeliveryMethod.choices),
    )
    change_list_template = "admin/orders/freight/list.html"
    search_fields = ("carrier_code",)
    ordering = ("carrier_code", "method", "from_region", "to_region", "-valid_from")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("carrier_code", "method"), ("from_region", "to_region"), "is_active")}),
        (_("Price"), {"fields": (("first_g", "first_price"), ("step_g", "step_price"))}),
        (_("Time"), {"fields": (("hours_min", "hours_max"), ("valid_from", "valid_until"))}),
    )
    empty_hint = _("No tariffs yet: freight is reckoned by distance. Bring in a carrier's price list.")

    def get_urls(self) -> list[URLPattern]:
        """Add bringing in a price list, and the matrix of lanes."""
        view = self.admin_site.admin_view
        return [
            path("import/", view(partial(import_view, self)), name="orders_freighttariff_import"),
            path("gaps/", view(partial(gaps_view, self)), name="orders_freighttariff_gaps"),
            *super().get_urls(),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask in plain words, and why."""
        return super().get_form(request, obj, change, **(kwargs | {"form": TariffForm}))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: decisions were made on it; one that is not active is not used."""
        return False

    @admin.display(description=_("lane"))
    def way(self, row: FreightTariff) -> str:
        """Show from where to where."""
        return f"{_name(row.from_region)} → {_name(row.to_region)}"

    @admin.display(description=_("delivery method"))
    def kind(self, row: FreightTariff) -> str:
        """Show for which way of delivery it is."""
        return row.get_method_display()

    @admin.display(description=_("first weight"))
    def first(self, row: FreightTariff) -> SafeString:
        """Show what the first weight costs."""
        return format_html('<span class="figure">¥{} / {} g</span>', f"{row.first_price:,.2f}", row.first_g)

    @admin.display(description=_("each step"))
    def further(self, row: FreightTariff) -> SafeString:
        """Show what each further step costs."""
        return format_html('<span class="figure">¥{} / {} g</span>', f"{row.step_price:,.2f}", row.step_g)

    @admin.display(description=_("hours"))
    def hours(self, row: FreightTariff) -> str:
        """Show how long the carrier says it takes."""
        return f"{row.hours_min}–{row.hours_max}"

    @admin.display(description=_("valid"))
    def valid(self, row: FreightTariff) -> str:
        """Show from when to when."""
        return f"{row.valid_from} – {row.valid_until or ''}"

    @admin.display(description=_("active"))
    def active(self, row: FreightTariff) -> SafeString:
        """Show whether it is used."""
        return columns.label(_("yes"), "green") if row.is_active else columns.label(_("no"), "red")


def _name(code: str) -> str:
    return choices.region_name(code) if code else gettext("everywhere")
