"""Fields that people may answer for alone: a brand, a channel, a region. Rights in them are granted on their rows."""

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.admin import columns
from audit.admin.base import AuditedAdmin
from audit.admin.reasons import WhyForm
from audit.rules.sentences import Sentence
from channels.models import Channel
from inventory.models import Sku
from inventory.rules.geography import REGIONS
from promotions.models import Scope
from promotions.rules import naming
from promotions.statuses import ScopeKind

KNOWN: Final = {
    ScopeKind.BRAND: lambda code: Sku.objects.filter(brand=code).exists(),
    ScopeKind.CHANNEL: lambda code: Channel.objects.filter(code=code).exists(),
    ScopeKind.REGION: lambda code: code in REGIONS or code in naming.AREAS,
}


class ScopeForm(WhyForm):
    """One field; its code must mean something."""

    def clean(self) -> dict[str, Any]:
        """Refuse a brand, channel or region that nobody knows: a right in it would reach nothing."""
        told: dict[str, Any] = super().clean() or {}
        kind, code = told.get("kind"), told.get("code", "")
        if kind and code and not KNOWN[ScopeKind(kind)](code):
            raise ValidationError({"code": gettext("There is no such brand, channel or region.")})
        return told


@admin.register(Scope)
class ScopeAdmin(AuditedAdmin):
    """Fields of promotions; who has which right in one is granted on its page."""

    list_display = ("code", "kind", "called")
    list_filter = ("kind",)
    search_fields = ("code__istartswith",)
    ordering = ("kind", "code")
    sortable_by = ()
    fields = ("kind", "code")
    empty_hint = _("No fields yet. Add a brand, a channel or a region, then grant rights in it on its page.")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Look at what a new field means."""
        return super().get_form(request, obj, change, **({} if obj else {"form": ScopeForm}) | kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Scope | None = None) -> tuple[str, ...]:
        """Keep what it means once it stands: rights are granted on it."""
        return ("kind", "code") if obj else ()

    @admin.display(description=_("name"))
    def called(self, scope: Scope) -> str:
        """Show what a region is called; brands and channels stand for themselves."""
        if scope.kind != ScopeKind.REGION:
            return scope.code
        return columns.sentence(Sentence("%(name)s", {"name": naming.region(scope.code)}).stored())
