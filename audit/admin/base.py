"""The one base of every admin page, also of other packages' models."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from audit.admin.grants import MAY_GRANT, GrantsMixin
from audit.admin.paging import CappedPaginator, DeskChangeList
from audit.admin.reasons import HistoryMixin
from audit.admin.saved_views import SavedViewsMixin
from audit.admin.verbs import VerbsMixin


class AuditedAdmin(SavedViewsMixin, VerbsMixin, HistoryMixin, GrantsMixin, ModelAdmin):
    """History with reasons, permissions per row, verbs, saved views, and pages that stay fast on big tables."""

    change_list_template = "admin/desk/change_list.html"
    change_form_template = "admin/desk/change_form.html"
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 100
    show_full_result_count = False
    list_filter_submit = True
    list_disable_select_all = True
    actions_selection_counter = True
    show_facets = ShowFacets.NEVER  # counting each choice of each filter is not for big tables
    empty_hint: str | Promise = _("There is nothing here yet.")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DeskChangeList]:
        """Use the list that lets ``decorate`` look at the whole page at once."""
        return DeskChangeList

    def decorate(self, rows: Sequence[Any]) -> None:
        """Add to a page's rows what one query knows about all of them. Nothing by default."""

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Refuse to act on rows that the person has not seen: only ticked rows count."""
        if request.POST.get("select_across") == "1":
            messages.error(request, gettext("Tick the rows of one page; acting on all pages at once is not offered."))
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the buttons of the verbs and of the grants."""
        row = context.get("original")
        context["verb_buttons"] = self.verb_buttons(request, row) if isinstance(row, Model) else []
        may_grant = self.include_object_permissions_urls and request.user.has_perm(MAY_GRANT)
        context |= {"may_grant": may_grant, "keeps_history": self.keeps_history or self.has_change_permission(request)}
        return super().render_change_form(request, context, *args, **kwargs)


class MachineAdmin(AuditedAdmin):
    """Rows that machines write: people look, and act by verbs only."""

    include_object_permissions_urls = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: machines add these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: machines change these rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return no: these rows are proof."""
        return False
