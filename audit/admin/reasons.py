"""What people edit keeps its history, and each edit says why."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from audit.rules.actors import Actor
from audit.services import trail


class WhyForm(forms.ModelForm):
    """A model's form with one more line: why."""

    change_reason = forms.CharField(
        label=_("Why this change"),
        max_length=80,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Kept in the history beside your name."),
    )


class HistoryMixin(SimpleHistoryAdmin):
    """Asks for the reason of an edit when the model has a history; otherwise Django's own log is the history."""

    model: type[Model]

    def __init__(self, model: type[Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        if not self.keeps_history:
            self.object_history_template = None  # Django's own page

    @property
    def keeps_history(self) -> bool:
        """Return whether every edit of the model is kept as a row of its own."""
        return hasattr(self.model._meta, "simple_history_manager_attribute")

    def get_urls(self) -> list[URLPattern]:
        """Leave the pages of old versions out where there are none."""
        return super().get_urls() if self.keeps_history else super(SimpleHistoryAdmin, self).get_urls()

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the row's history."""
        page = SimpleHistoryAdmin.history_view if self.keeps_history else ModelAdmin.history_view
        return page(self, request, object_id, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Ask why, wherever the answer is kept."""
        if self._asks_why(request, obj):
            kwargs.setdefault("form", WhyForm)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the question at the end of the page."""
        fieldsets = list(super().get_fieldsets(request, obj))
        if not self._asks_why(request, obj) or any("change_reason" in part["fields"] for _name, part in fieldsets):
            return fieldsets
        return [*fieldsets, (_("Reason"), {"fields": ["change_reason"]})]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save with who and why."""
        reason = form.cleaned_data.get("change_reason", "")
        if reason:
            trail.because(obj, actor=Actor("person", request.user.get_username()), reason=reason)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete with who did it in the last entry of the history."""
        trail.because(obj, actor=Actor("person", request.user.get_username()), reason="deleted")
        super().delete_model(request, obj)

    def _asks_why(self, request: HttpRequest, obj: Any) -> bool:
        if not self.keeps_history:
            return False
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
