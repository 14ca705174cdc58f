"""Tabs above a list: the views that everybody has, and those that people saved."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from audit.models import SavedView

NOT_A_FILTER = ("p", "e", "all", "_changelist_filters", "_popup")
SHARE = "audit.add_savedview"


class SaveForm(forms.Form):
    """The name under which the present filters are kept."""

    name = forms.CharField(max_length=40)
    query = forms.CharField(max_length=500, required=False)
    is_shared = forms.BooleanField(required=False)


def normal(query: str) -> str:
    """Return a query string with its filters in one order, without page numbers and empty values."""
    return urlencode(sorted((key, value) for key, value in parse_qsl(query) if key not in NOT_A_FILTER))


class SavedViewsMixin:
    """Lists that show ``standard_views`` (name, filters) and the saved ones as tabs."""

    model: type[Model]
    admin_site: Any
    has_view_or_change_permission: Callable[[HttpRequest], bool]
    standard_views: Sequence[tuple[str | Promise, str]] = ()

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that save and delete a view."""
        wrap = self.admin_site.admin_view
        return [
            path("views/save/", wrap(require_POST(self.save_view)), name=self._view_url_name("save")),
            path("views/<int:pk>/delete/", wrap(require_POST(self.delete_view_)), name=self._view_url_name("delete")),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the tabs above the list."""
        own = {
            "view_tabs": self._tabs(request),
            "view_query": normal(request.GET.urlencode()),
            "view_save_url": reverse(f"admin:{self._view_url_name('save')}"),
            "may_share": request.user.has_perm(SHARE),
        }
        return super().changelist_view(request, own | (extra_context or {}))  # type: ignore[misc]

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the present filters under a name; a name that the owner used before is overwritten."""
        self._require_view(request)
        form = SaveForm(request.POST)
        changelist = reverse(f"admin:{self._list_name()}_changelist")
        if not form.is_valid():
            messages.error(request, gettext("The view was not saved: a name of at most 40 characters is needed."))
            return HttpResponseRedirect(changelist)
        query = normal(form.cleaned_data["query"])
        may_share = request.user.has_perm(SHARE)
        SavedView.objects.update_or_create(
            owner_id=request.user.pk,
            list_label=self.model._meta.label_lower,
            name=form.cleaned_data["name"],
            defaults={"query": query, "is_shared": form.cleaned_data["is_shared"] and may_share},
        )
        messages.success(request, gettext("The view “%(name)s” is saved.") % {"name": form.cleaned_data["name"]})
        return HttpResponseRedirect(f"{changelist}?{query}")

    def delete_view_(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete an own view, or anybody's for those who may."""
        self._require_view(request)
        view = get_object_or_404(SavedView, pk=pk, list_label=self.model._meta.label_lower)
        if view.owner_id != request.user.pk and not request.user.has_perm("audit.delete_savedview"):
            raise PermissionDenied
        view.delete()
        messages.success(request, gettext("The view “%(name)s” is deleted.") % {"name": view.name})
        return HttpResponseRedirect(reverse(f"admin:{self._list_name()}_changelist"))

    def _tabs(self, request: HttpRequest) -> list[dict[str, Any]]:
        here = normal(request.GET.urlencode())
        label = self.model._meta.label_lower
        mine_or_shared = Q(owner=request.user.pk) | Q(is_shared=True)
        saved = SavedView.objects.filter(mine_or_shared, list_label=label).order_by("name", "pk")
        standard: list[tuple[str | Promise, str]] = [(_("All"), ""), *self.standard_views]
        tabs = [{"title": title, "query": query, "is_here": normal(query) == here} for title, query in standard]
        may_delete = request.user.has_perm("audit.delete_savedview")
        for view in saved:
            is_mine = view.owner_id == request.user.pk or may_delete
            url = reverse(f"admin:{self._view_url_name('delete')}", args=[view.pk]) if is_mine else ""
            tabs.append({"title": view.name, "query": view.query, "is_here": view.query == here, "delete_url": url,
                         "is_shared": view.is_shared})  # fmt: skip
        return tabs

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied

    def _list_name(self) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}"

    def _view_url_name(self, deed: str) -> str:
        return f"{self._list_name()}_view_{deed}"
