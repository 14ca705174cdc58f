"""Filters that do not overlook a misspelt parameter."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from audit.api.problems import BadRequest


class StrictFilterBackend(DjangoFilterBackend):
    """Refuses a parameter that nobody knows: with a typo the answer would be everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Narrow a list by the request's parameters. Raises ``BadRequest`` for an unknown one."""
        filterset_class = self.get_filterset_class(view, queryset)
        if filterset_class is not None and getattr(view, "detail", False) is False:
            known = {*filterset_class.base_filters, *getattr(view.paginator, "parameters", ())}
            refuse_unknown(request, known)
            return super().filter_queryset(request, queryset, view)
        return queryset


def refuse_unknown(request: Request, known: set[str]) -> None:
    """Raise ``BadRequest`` when the request has a parameter that is not known."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise BadRequest(
            "unknown_parameter",
            _("There is no parameter %(name)s; there are %(known)s.")
            % {"name": ", ".join(unknown)[:200], "known": ", ".join(sorted(known))},
            field=unknown[0][:80],
        )
