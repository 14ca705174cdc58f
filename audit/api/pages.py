"""Pages of long lists by key: newest first, no counting, and as fast on page ten thousand as on the first."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

from django.db.models import Model, Q
from django.utils.translation import gettext_lazy as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from audit.api.problems import BadRequest

PAGE_SIZE = 50
LARGEST_PAGE = 200


class NewestFirst(BasePagination):
    """A page goes on after the last row's time and key, so thousands of rows of one second are no problem.

    The view names its time column in ``newest_by``; an index must be sorted by it and the key.
    """

    parameters = ("cursor", "page_size")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page that the request asks for. Raises ``BadRequest``."""
        self.request, self.column = request, view.newest_by
        size = size_of(request.query_params.get("page_size"))
        cursor = request.query_params.get("cursor")
        if cursor:
            at, key = _decode(cursor)
            earlier = Q(**{f"{self.column}__lt": at}) | Q(pk__lt=key)
            queryset = queryset.filter(earlier, **{f"{self.column}__lte": at})
        rows = list(queryset.order_by(f"-{self.column}", "-pk")[: size + 1])
        self.following = self._link(rows[size - 1]) if len(rows) > size else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page and the link to the next one."""
        return Response({"next": self.following, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page."""
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {"type": "string", "format": "uri", "nullable": True},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters of a page."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Where the page begins; taken from the link `next`.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "How many rows.",
                "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE},
            },
        ]

    def _link(self, row: Model) -> str:
        at: datetime = getattr(row, self.column)
        cursor = urlsafe_b64encode(f"{at.isoformat()}|{row.pk}".encode()).decode()
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)


def size_of(text: str | None) -> int:
    """Return how many rows a page has that asks for so many. Raises ``BadRequest``."""
    if text is None:
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= LARGEST_PAGE):
        raise BadRequest(
            "bad_page_size", _("page_size is from 1 to %(most)s.") % {"most": LARGEST_PAGE}, field="page_size"
        )
    return int(text)


def _decode(cursor: str) -> tuple[datetime, int]:
    try:
        at, key = urlsafe_b64decode(cursor.encode("ascii")).decode().split("|")
        moment = datetime.fromisoformat(at)
        if moment.utcoffset() is None or not 0 <= int(key) < 2**63:
            raise ValueError(cursor)
    except ValueError as error:
        raise BadRequest("bad_cursor", _("The cursor is not one that the hub gave."), field="cursor") from error
    return moment, int(key)
