"""How the pages about promotions point at each other, and at an order's page above this app."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.admin import columns, filters
from audit.admin.filters import Words
from promotions.models import Promotion


def only(title: Words, name: str, column: str) -> type[filters.ChoiceFilter]:
    """Make a filter on a key, as links of other pages ask for it; it offers no list of all keys."""

    class OnlyFilter(filters.ChoiceFilter):
        parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            """Return only what the address already asks for."""
            value = request.GET.get(name, "")
            return [(value, value)] if _is_key(value) else []

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            """Keep the rows that point at this key."""
            value = str(self.value() or "")
            return queryset.filter(**{column: value}) if _is_key(value) else queryset

    OnlyFilter.title = title
    return OnlyFilter


def address(model: str, **narrowed: Any) -> str:
    """Return the address of a list of promotions' pages, narrowed."""
    return f"{reverse(f'admin:promotions_{model}_changelist')}?{urlencode(narrowed)}"


def promotion(row: Promotion) -> SafeString:
    """Return a promotion's code as a link to its page, its name as a hint."""
    url = reverse("admin:promotions_promotion_change", args=[row.pk])
    return columns.link(url, row.code, columns.local_name(row))


def order(number: str) -> SafeString:
    """Return an order's number as a link that finds its page."""
    url = f"{reverse('admin:orders_order_changelist')}?{urlencode({'q': number})}"
    return format_html('<a class="key" href="{}">{}</a>', url, number)


def _is_key(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 19
