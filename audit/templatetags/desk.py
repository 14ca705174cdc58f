"""Tags of the desk's own templates."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.templatetags import admin_list
from django.template import Context, Library
from unfold.templatetags import unfold_list

register = Library()


@register.inclusion_tag("admin/desk/results.html", takes_context=True)
def desk_results(context: Context, cl: Any) -> dict[str, Any]:
    """Render a list's rows with one short class per cell.

    Unfold writes half a kilobyte of classes into every cell; fifty rows of ten columns would weigh more than the page
    may. The headers are Unfold's, the cells Django's, and the look is in desk.css.
    """
    headers = list(unfold_list.result_headers(cl))
    return {
        "cl": cl,
        "result_headers": headers,
        "num_sorted_fields": sum(bool(header["sortable"] and header["sorted"]) for header in headers),
        "rows": _rows(cl),
        "is_filtered": cl.has_active_filters or bool(cl.query),
        "empty_hint": cl.model_admin.empty_hint,
        "has_add_permission": context.get("has_add_permission") and not context.get("is_popup"),
        "add_url": f"admin:{cl.opts.app_label}_{cl.opts.model_name}_add",
    }


def _rows(cl: Any) -> Iterator[Any]:
    return (admin_list.items_for_result(cl, row, None) for row in cl.result_list)


@register.filter
def page_hint(count: Any) -> bool:
    """Return whether there are more rows than pages."""
    return bool(getattr(count, "is_capped", False))
